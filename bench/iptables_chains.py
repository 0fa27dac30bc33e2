"""New connections through the iptables spelling and through flat chains as dockerd 20.10 writes them.

    unshare --net --mount --uts --propagation private .venv/bin/python -m bench.iptables_chains [legacy]

In namespaces: a client, this host, a container on one bridge. Each datagram comes from an address never seen
before, so each is a new connection; sending it returns once the kernel has carried it through all chains.
The other ports and bridges are there as rules alone. Printed: thousands of new connections a second, the
median of the rounds, both sides measured in turn within each round.
"""

import hashlib
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, ip_network
from pathlib import Path

from tests.host.space import make_namespace, own_space

from bridgehead.core.firewall.iptables import IptablesSpelling
from bridgehead.core.firewall.iptables_chains import BRIDGE_GROUP
from bridgehead.core.firewall.rules import FamilyPolicy, NetworkPolicy, Published
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.plan.objects import KernelObject, state
from bridgehead.host.iptables.plane import IptablesPlane
from bridgehead.host.iptables.programs import Programs, Variant
from bridgehead.host.namespaces.entering import socket_in

_ROUNDS = 7
_FLOWS = 4000
_FIRST_PORT = 20000
_HOST, _CONTAINER = "198.51.100.1", "10.200.0.2"
_ANYWHERE = IPv4Address("0.0.0.0")
_PACKET_INFO = 8  # IP_PKTINFO, which Python 3.11's socket does not name


def _network(number: int) -> NetworkPolicy:
    name = f"br-{hashlib.sha256(str(number).encode()).hexdigest()[:12]}"
    return NetworkPolicy(name, (FamilyPolicy(ip_network(f"10.{200 + number // 250}.{number % 250}.0/24")),))


def _ports(count: int) -> list[Published]:
    """A hundred a container, the first container being the one that is there."""
    return [
        Published(
            _network(0),
            "udp",
            _ANYWHERE,
            _FIRST_PORT + at,
            IPv4Address(_CONTAINER) + at // 100,
            1000 + at % 100,
        )
        for at in range(count)
    ]


def _tree(ports: int, bridges: int) -> Iterator[KernelObject]:
    spelling = IptablesSpelling(families=(4,))
    yield from spelling.base()
    for number in range(bridges):
        yield from spelling.network(_network(number))
    for item in _ports(ports):
        yield from spelling.published(item)


def _flat(ports: int, bridges: int) -> Iterator[FirewallRule]:
    """In the order in which dockerd leaves them: the newest network comes first."""

    def rule(table: str, chain: str, text: str) -> FirewallRule:
        return FirewallRule(4, table, chain, text)

    names = [_network(number).bridge for number in range(bridges)]
    yield rule("filter", "FORWARD", "-j DOCKER-USER")
    yield rule("filter", "FORWARD", "-j DOCKER-ISOLATION-STAGE-1")
    for name in reversed(names):
        yield rule("filter", "FORWARD", f"-o {name} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
        yield rule("filter", "FORWARD", f"-o {name} -j DOCKER")
        yield rule("filter", "FORWARD", f"-i {name} ! -o {name} -j ACCEPT")
        yield rule("filter", "FORWARD", f"-i {name} -o {name} -j ACCEPT")
        yield rule("filter", "DOCKER-ISOLATION-STAGE-1", f"-i {name} ! -o {name} -j DOCKER-ISOLATION-STAGE-2")
        yield rule("filter", "DOCKER-ISOLATION-STAGE-2", f"-o {name} -j DROP")
        yield rule("nat", "DOCKER", f"-i {name} -j RETURN")
    yield rule("nat", "PREROUTING", "-m addrtype --dst-type LOCAL -j DOCKER")
    for number in reversed(range(bridges)):
        source = _network(number).families[0].prefix
        yield rule("nat", "POSTROUTING", f"-s {source} ! -o {names[number]} -j MASQUERADE")
    for item in _ports(ports):
        port, end = f"-p udp -m udp --dport {item.container_port}", f"{item.container}:{item.container_port}"
        host = f"! -i {names[0]} -p udp -m udp --dport {item.host_port}"
        yield rule("nat", "DOCKER", f"{host} -j DNAT --to-destination {end}")
        accept = f"-d {item.container}/32 ! -i {names[0]} -o {names[0]} {port} -j ACCEPT"
        yield rule("filter", "DOCKER", accept)
        itself = f"-s {item.container}/32 -d {item.container}/32 {port} -j MASQUERADE"
        yield rule("nat", "POSTROUTING", itself)


def _install_flat(programs: Programs, rules: Iterator[FirewallRule]) -> None:
    chains = ("DOCKER", "DOCKER-USER", "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2")
    lines: dict[str, list[str]] = {
        table: [f"*{table}", *(f":{c} - [0:0]" for c in chains)] for table in ("nat", "filter")
    }
    for rule in rules:
        lines[rule.table].append(f"-A {rule.chain} {rule.text}")
    programs.restore(4, "".join("\n".join([*found, "COMMIT", ""]) for found in lines.values()))


def _clear(programs: Programs) -> None:
    emptied = "".join(
        f"*{table}\n:{chains}\nCOMMIT\n"
        for table, chains in (
            ("raw", "PREROUTING ACCEPT\n:OUTPUT ACCEPT"),
            ("nat", "PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT"),
            ("filter", "INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT"),
        )
    )
    command = f"iptables-{programs.variant}-restore"
    subprocess.run([command], input=emptied, text=True, check=True, timeout=60)


class World:
    def __init__(self, folder: Path) -> None:
        self._client, self._server = (make_namespace(folder / name) for name in ("client", "server"))
        self._serial = 0
        bridge = _network(0).bridge
        _ip(f"""\
link add {bridge} group {BRIDGE_GROUP:#x} type bridge
address add 10.200.0.1/24 dev {bridge}
link set {bridge} up
link add outside type veth peer name eth0 netns {self._client}
address add {_HOST}/24 dev outside
link set outside up
route add 10.50.0.0/16 via 198.51.100.2
link add inside type veth peer name eth0 netns {self._server}
link set inside master {bridge} up
""")
        _ip(
            "address add 198.51.100.2/24 dev eth0\nlink set eth0 up\nroute add default via 198.51.100.1\n"
            "route add local 10.50.0.0/16 dev lo\n",
            "nsenter",
            f"--net={self._client}",
        )
        containers = "".join(f"address add {IPv4Address(_CONTAINER) + at}/24 dev eth0\n" for at in range(50))
        _ip(
            f"{containers}link set eth0 up\nroute add default via 10.200.0.1\n",
            "nsenter",
            f"--net={self._server}",
        )
        for namespace in (self._client, self._server):
            # Nobody answers: what arrives there is none of our concern.
            silence = [
                "nsenter",
                f"--net={namespace}",
                "iptables",
                "-t",
                "raw",
                "-A",
                "PREROUTING",
                "-p",
                "udp",
            ]
            subprocess.run([*silence, "-j", "DROP"], check=True, timeout=10)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        Path("/proc/sys/net/netfilter/nf_conntrack_udp_timeout").write_text("2")

    def inward(self, ports: int) -> float:
        """New connections a second from the client to published ports, spread over those of the container."""
        # What is in the middle of a flat chain costs what one meets on average.
        middle = ports // 2 // 100 * 100
        targets = [(_HOST, _FIRST_PORT + middle + at) for at in range(min(ports, 100))]
        return self._rate(self._client, "10.50", targets)

    def outward(self, ports: int) -> float:
        """From the container to the client."""
        return self._rate(self._server, "", [("198.51.100.2", 9)])

    def _rate(self, namespace: str, block: str, targets: list[tuple[str, int]]) -> float:
        channel = socket_in(namespace, socket.AF_INET, socket.SOCK_DGRAM, 0)
        began = time.perf_counter()
        for at in range(_FLOWS):
            self._serial = (self._serial + 1) % 60000
            if block:
                source = socket.inet_aton(f"{block}.{self._serial >> 8}.{self._serial & 255}")
                packet_info = struct.pack("=I4s4s", 0, source, source)
                message = [(socket.IPPROTO_IP, _PACKET_INFO, packet_info)]
                channel.sendmsg([b"x"], message, 0, targets[at % len(targets)])
            else:
                channel.sendto(b"x", (targets[0][0], 1024 + self._serial))
        rate = _FLOWS / (time.perf_counter() - began)
        channel.close()
        return rate


def _ip(batch: str, *prefix: str) -> None:
    subprocess.run([*prefix, "ip", "-batch", "-"], input=batch, text=True, check=True, timeout=10)


def _measure(programs: Programs, ports: int, bridges: int, way: Callable[[int], float]) -> str:
    found: dict[str, list[float]] = {"tree": [], "flat": []}
    for _ in range(_ROUNDS):
        for side, rates in found.items():
            _clear(programs)
            if side == "tree":
                IptablesPlane(programs).apply(diff({}, state(*_tree(ports, bridges))))
            else:
                _install_flat(programs, _flat(ports, bridges))
            way(ports)
            rates.append(way(ports) / 1000)
    tree, flat = (statistics.median(rates) for rates in found.values())
    label = f"{way.__name__:8} {ports:5} ports {bridges:4} bridges"
    return f"{label}: tree {tree:6.1f}  flat {flat:6.1f}  ratio {tree / flat:5.2f}"


def main() -> None:
    programs = Programs(Variant(sys.argv[1]) if len(sys.argv) > 1 else Variant.NFT)
    with tempfile.TemporaryDirectory() as folder, own_space():
        world = World(Path(folder))
        print(f"iptables-{programs.variant}, {os.uname().release}, thousands of new connections a second")
        for ports in (1, 100, 1000, 5000):
            print(_measure(programs, ports, 1, world.inward), flush=True)
        for bridges in (1, 100, 500):
            print(_measure(programs, 1, bridges, world.inward), flush=True)
        for bridges in (1, 100, 500):
            print(_measure(programs, 1, bridges, world.outward), flush=True)
        for name in ("client", "server"):
            subprocess.run(["umount", f"{folder}/{name}"], check=True, timeout=10)


if __name__ == "__main__":
    main()
