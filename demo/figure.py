"""Figure 3-17: two networks, three containers, and the one that joins both."""

from demo.stage import Stage

DRIVERS = {"backend": "bridge", "frontend": "bridge", "bridge": "bridge", "host": "host", "none": "null"}
PREDEFINED = ("bridge", "host", "none")
CONTAINERS = {"container1": "backend", "container2": "backend", "container3": "frontend"}


def play(stage: Stage) -> None:
    _networks(stage)
    _containers(stage)
    _separate(stage)
    _joined(stage)


def _networks(stage: Stage) -> None:
    say = stage.narrator
    say.heading("Two networks")
    for name in ("backend", "frontend"):
        created = stage.run("network", "create", name)
        digits = created.text.strip()
        say.check(
            f"{name} is created, and its id printed",
            expected=(0, True),
            found=(created.code, len(digits) == 64 and set(digits) <= set("0123456789abcdef")),
        )
    rows = [line.split() for line in stage.run("network", "ls").text.splitlines()[1:]]
    say.check(
        "network ls shows both, and the three predefined ones, with their drivers",
        expected=DRIVERS,
        found={row[1]: row[2] for row in rows if len(row) > 2},
    )
    for name in PREDEFINED:
        removed = stage.run("network", "rm", name)
        say.check(
            f"{name} is predefined and cannot be removed",
            expected=(1, True),
            found=(removed.code, f"{name} is a pre-defined network and cannot be removed" in removed.text),
        )


def _containers(stage: Stage) -> None:
    stage.narrator.heading("Three containers")
    for container, network in CONTAINERS.items():
        stage.open_shell("run", "-it", "--name", container, "--net", network, "busybox")
        state = stage.inspect("inspect", container)
        stage.narrator.check(
            f"{container} runs, attached to {network} alone",
            expected=(True, [network]),
            found=(state["State"]["Running"], list(state["NetworkSettings"]["Networks"])),
        )
    stage.run("ps")


def _separate(stage: Stage) -> None:
    say = stage.narrator
    say.heading("container1 reaches container2; container3, in the other network, does not")
    address = stage.address("container2", "backend")
    for target in ("container2", address):
        say.check(f"container1 reaches {target}", expected=True, found=stage.reaches("container1", target))
        say.check(
            f"container3 does not reach {target}", expected=False, found=stage.reaches("container3", target)
        )
    _check_interfaces(stage, {"eth0": "backend"})


def _joined(stage: Stage) -> None:
    say = stage.narrator
    say.heading("container2 joins frontend as well")
    connected = stage.run("network", "connect", "frontend", "container2")
    say.check("the running container2 is connected", expected=(0, ""), found=(connected.code, connected.text))
    _check_interfaces(stage, {"eth0": "backend", "eth1": "frontend"})
    meetings = {
        "container3": ("container2", stage.address("container2", "frontend")),
        "container2": ("container3", stage.address("container3", "frontend")),
        "container1": ("container2",),
    }
    for source, targets in meetings.items():
        for target in targets:
            say.check(f"{source} reaches {target}", expected=True, found=stage.reaches(source, target))
    say.check(
        "container1 and container3 still share no network",
        expected=False,
        found=stage.reaches("container1", stage.address("container3", "frontend")),
    )


def _check_interfaces(stage: Stage, expected: dict[str, str]) -> None:
    """container2 has exactly these Ethernet interfaces, each with an address in its network's subnet."""
    found = stage.interfaces("container2")
    ethernet = {name: address for name, address in found.items() if name.startswith("eth")}
    places = {name: address and str(address.network) for name, address in ethernet.items()}
    wanted = {name: str(stage.subnet(network)) for name, network in expected.items()}
    words = " and ".join(f"{name} in {network}'s subnet" for name, network in expected.items())
    stage.narrator.check(f"container2 has {words}, and no other", expected=wanted, found=places)
