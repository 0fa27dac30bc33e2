"""What a daemon shows after a restart, held against what clients were promised and against the kernel."""

from typing import Any

from tests.crash.load import Fact
from tests.support.census import links
from tests.support.daemon import Daemon


class Shown:
    """One look at the API."""

    def __init__(self, daemon: Daemon) -> None:
        listed: list[dict[str, Any]] = daemon.call("GET", "/networks")[1]
        self.networks = [daemon.call("GET", f"/networks/{network['Id']}")[1] for network in listed]
        self.containers: list[dict[str, Any]] = daemon.call("GET", "/containers/json?all=1")[1]
        self.running = {
            container["Names"][0].lstrip("/")
            for container in self.containers
            if container["State"] == "running"
        }
        self.names = {network["Name"] for network in self.networks}
        self.joined = {
            (endpoint["Name"], network["Name"])
            for network in self.networks
            for endpoint in network["Containers"].values()
        }

    def holds(self, fact: Fact) -> bool:
        match fact:
            case ("network", name):
                return name in self.names
            case ("running", name):
                return name in self.running
            case ("joined", container, network):
                return (container, network) in self.joined
            case _:
                raise ValueError(fact)


def broken_promises(shown: Shown, facts: dict[Fact, bool | None]) -> list[str]:
    """Facts that clients were sure of and that are not so."""
    return [
        f"{' '.join(fact)}: promised {promised}, found {not promised}"
        for fact, promised in sorted(facts.items())
        if promised is not None and shown.holds(fact) != promised
    ]


def settle_open_facts(shown: Shown, facts: dict[Fact, bool | None]) -> None:
    """What was cut off by the crash is now whatever the daemon decided."""
    for fact, promised in facts.items():
        if promised is None:
            facts[fact] = shown.holds(fact)


def kernel_disagreements(daemon: Daemon, shown: Shown) -> list[str]:
    """Where the machine has more or less than the API tells of."""
    present = links(daemon.host)
    bridges = {name for name in present if name.startswith("br-")}
    expected = {
        f"br-{network['Id'][:12]}"
        for network in shown.networks
        if network["Driver"] == "bridge" and network["Name"] != "bridge"
    }
    counts = {
        "ports of the host": (len(_held_ports(daemon)), len(_published_ports(shown))),
        "host ends of veth pairs": (sum(name.startswith("veth") for name in present), len(shown.joined)),
        "monitors": (_count(daemon.host.processes().values(), "conmon"), len(shown.running)),
        "namespaces": (_count(daemon.host.mounts(), f"{daemon.run_folder}/netns/"), len(shown.running)),
        "addresses": (len(shown.joined), len(set(_addresses(shown)))),
    }
    return [
        *(f"bridge without a network: {name}" for name in sorted(bridges - expected)),
        *(f"network without a bridge: {name}" for name in sorted(expected - bridges)),
        *(
            f"{what}: {found}, expected {wanted}"
            for what, (found, wanted) in counts.items()
            if found != wanted
        ),
    ]


def _published_ports(shown: Shown) -> set[tuple[str, int]]:
    return {
        (port["Type"], port["PublicPort"])
        for container in shown.containers
        for port in container["Ports"]
        if "PublicPort" in port
    }


def _held_ports(daemon: Daemon) -> set[tuple[str, int]]:
    listed = daemon.host.run("ss", "-Hlntu").stdout.splitlines()
    return {(words[0], int(words[4].rpartition(":")[2])) for words in map(str.split, listed)}


def _addresses(shown: Shown) -> list[str]:
    return [
        endpoint["IPv4Address"] for network in shown.networks for endpoint in network["Containers"].values()
    ]


def _count(lines: Any, word: str) -> int:
    return sum(word in line for line in lines)
