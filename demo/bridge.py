"""The chapter's docker0: the bridge that containers get when no network is named."""

from tests.support.testhost import OUTSIDE_ADDRESS

from demo.stage import Stage


def play(stage: Stage) -> None:
    stage.narrator.heading("docker0, the default bridge")
    stage.open_shell("run", "-it", "--name", "con1", "busybox")
    _inside(stage)
    _outside(stage)


def _inside(stage: Stage) -> None:
    say = stage.narrator
    found = stage.interfaces("con1")
    say.check(
        "con1 has lo, and eth0 with 172.17.0.2/16",
        expected={"eth0": "172.17.0.2/16", "lo": "127.0.0.1/8"},
        found={name: str(address) for name, address in found.items()},
    )
    rows = [line.split() for line in stage.run("exec", "con1", "route", "-n").text.splitlines()]
    gateways = [row[1] for row in rows if row[:1] == ["0.0.0.0"]]
    say.check("its default gateway is docker0's address", expected=["172.17.0.1"], found=gateways)
    say.check("con1 reaches the machine", expected=True, found=stage.reaches("con1", "172.17.0.1"))
    say.check("con1 reaches the outside", expected=True, found=stage.reaches("con1", OUTSIDE_ADDRESS))
    say.check(
        "con1 does not reach container1, on another bridge",
        expected=False,
        found=stage.reaches("con1", stage.address("container1", "backend")),
    )


def _outside(stage: Stage) -> None:
    say = stage.narrator
    address = stage.on_machine("ip", "-4", "-o", "address", "show", "docker0").text.split()
    say.check("docker0 has 172.17.0.1/16", expected=True, found="172.17.0.1/16" in address)
    routes = stage.on_machine("ip", "-4", "route", "show", "dev", "docker0").text.splitlines()
    say.check(
        "the machine has a route to 172.17.0.0/16 through docker0",
        expected=["172.17.0.0/16"],
        found=[route.split()[0] for route in routes],
    )
    ports = stage.on_machine("ip", "-o", "link", "show", "master", "docker0").text.splitlines()
    say.check(
        "docker0 has one port, a veth",
        expected=["veth"],
        found=[port.split()[1][:4] for port in ports],
    )
