"""The firewalls that `bench.firewall_scale` compares, each made to hold so many networks and published ports.

`python -m bench.firewall_sides BACKEND PORTS BRIDGES` puts our rules into the namespace it runs in.
"""

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_network

from bridgehead.core.firewall.iptables import IptablesSpelling
from bridgehead.core.firewall.nft import GuardSpelling, NftSpelling
from bridgehead.core.firewall.rules import FamilyPolicy, NetworkPolicy, Published
from bridgehead.core.firewall.spelling import Spelling
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.objects import KernelObject, state
from bridgehead.host.iptables.plane import IptablesPlane
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.nft.plane import FirewallPlane

CONTAINER, INNER_PORT = IPv4Address("10.200.0.2"), 9000
FIRST_PORT = 20000
OURS = ("nftables", "iptables")
ANYWHERE = IPv4Address("0.0.0.0")


@dataclass(frozen=True, slots=True)
class Shape:
    """How much there is besides what the traffic uses: that comes last where the order matters."""

    ports: int
    bridges: int

    @property
    def port(self) -> int:
        """The one that leads to the server."""
        return FIRST_PORT + self.ports - 1


def network(number: int) -> NetworkPolicy:
    """Number 0 is the one that is really there."""
    name = f"br-{hashlib.sha256(str(number).encode()).hexdigest()[:12]}"
    return NetworkPolicy(name, (FamilyPolicy(ip_network(f"10.{200 + number // 250}.{number % 250}.0/24")),))


def published(shape: Shape) -> Iterator[Published]:
    for at in range(shape.ports):
        inner = INNER_PORT if at == shape.ports - 1 else 10000 + at
        yield Published(network(0), "tcp", ANYWHERE, FIRST_PORT + at, CONTAINER, inner)
    yield Published(network(0), "udp", ANYWHERE, shape.port, CONTAINER, INNER_PORT)


def docker_rules(shape: Shape) -> str:
    """What dockerd 20.10 leaves behind, as iptables-restore reads it: the newest network comes first."""
    newest_first = [network(number) for number in reversed(range(shape.bridges))]
    return "".join(f"{line}\n" for line in (*_nat(shape, newest_first), *_filter(shape, newest_first)))


def _nat(shape: Shape, networks: list[NetworkPolicy]) -> Iterator[str]:
    yield from ("*nat", ":PREROUTING ACCEPT", ":INPUT ACCEPT", ":OUTPUT ACCEPT", ":POSTROUTING ACCEPT")
    yield ":DOCKER -"
    yield "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"
    yield "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER"
    for item in networks:
        yield f"-A POSTROUTING -s {item.families[0].prefix} ! -o {item.bridge} -j MASQUERADE"
    for port in published(shape):
        own = f"-s {port.container}/32 -d {port.container}/32 -p {port.protocol} -m {port.protocol}"
        yield f"-A POSTROUTING {own} --dport {port.container_port} -j MASQUERADE"
    for item in networks:
        yield f"-A DOCKER -i {item.bridge} -j RETURN"
    for port in published(shape):
        match = f"! -i {port.network.bridge} -p {port.protocol} -m {port.protocol} --dport {port.host_port}"
        yield f"-A DOCKER {match} -j DNAT --to-destination {port.container}:{port.container_port}"
    yield "COMMIT"


def _filter(shape: Shape, networks: list[NetworkPolicy]) -> Iterator[str]:
    yield from ("*filter", ":INPUT ACCEPT", ":FORWARD DROP", ":OUTPUT ACCEPT", ":DOCKER -")
    yield from (":DOCKER-USER -", ":DOCKER-ISOLATION-STAGE-1 -", ":DOCKER-ISOLATION-STAGE-2 -")
    yield "-A FORWARD -j DOCKER-USER"
    yield "-A FORWARD -j DOCKER-ISOLATION-STAGE-1"
    for name in (item.bridge for item in networks):
        yield f"-A FORWARD -o {name} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        yield f"-A FORWARD -o {name} -j DOCKER"
        yield f"-A FORWARD -i {name} ! -o {name} -j ACCEPT"
        yield f"-A FORWARD -i {name} -o {name} -j ACCEPT"
    for port in published(shape):
        bridge = port.network.bridge
        match = f"-d {port.container}/32 ! -i {bridge} -o {bridge} -p {port.protocol} -m {port.protocol}"
        yield f"-A DOCKER {match} --dport {port.container_port} -j ACCEPT"
    for name in (item.bridge for item in networks):
        yield f"-A DOCKER-ISOLATION-STAGE-1 -i {name} ! -o {name} -j DOCKER-ISOLATION-STAGE-2"
        yield f"-A DOCKER-ISOLATION-STAGE-2 -o {name} -j DROP"
    for chain in ("DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2", "DOCKER-USER"):
        yield f"-A {chain} -j RETURN"
    yield "COMMIT"


def our_objects(spelling: Spelling, shape: Shape) -> Iterator[KernelObject]:
    yield from spelling.base()
    for number in range(shape.bridges):
        yield from spelling.network(network(number))
    for item in published(shape):
        yield from spelling.published(item)


def settle(backend: str, shape: Shape) -> None:
    """The daemon's own way: observe, and carry out the difference."""
    spelling: Spelling = NftSpelling()
    if backend == "iptables":
        spelling = IptablesSpelling(families=(4,), guard=GuardSpelling())
    wanted = state(*our_objects(spelling, shape))
    for plane in (FirewallPlane("/nowhere", socket_in), IptablesPlane()):
        mine = {key: item for key, item in wanted.items() if type(item) in plane.kinds}
        failed = plane.apply(diff(plane.observe(), mine))
        if failed:
            raise SystemExit(f"{backend}: {failed}")


if __name__ == "__main__":
    settle(sys.argv[1], Shape(int(sys.argv[2]), int(sys.argv[3])))
