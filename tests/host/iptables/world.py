"""A host with a bridge for each meaningful network, and places to talk from and to, in both address families.

web, other on docker0; two on br-two; apart1, apart2 on br-apart (icc off, apart1 linked to apart2); inner1,
inner2 on br-inner (internal); routed, open, direct, trusting, snat on a network of that kind each; adopted on
a bridge somebody else made; guest on a bridge that is none of ours; outside on the uplink.
"""

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

from bridgehead.core.firewall.iptables import IptablesSpelling
from bridgehead.core.firewall.iptables_chains import BRIDGE_GROUP
from bridgehead.core.firewall.rules import FamilyPolicy, LinkAccept, NetworkPolicy, Published
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.network import GatewayMode
from bridgehead.core.plan.objects import KernelObject, State, state
from bridgehead.host.namespaces.entering import socket_in
from tests.host.space import make_namespace

FOREIGN = frozenset({"br-adopted", "br-guest", "br-uplink"})
ADOPTED = frozenset({"br-adopted"})
NUMBERS = {
    "docker0": 0,
    "br-two": 2,
    "br-apart": 3,
    "br-inner": 4,
    "br-routed": 5,
    "br-open": 6,
    "br-direct": 7,
    "br-trust": 8,
    "br-snat": 9,
    "br-adopted": 10,
    "br-guest": 11,
    "br-uplink": 12,
}
PLACES = {
    "web": ("docker0", 4),
    "other": ("docker0", 5),
    "two": ("br-two", 4),
    "apart1": ("br-apart", 4),
    "apart2": ("br-apart", 5),
    "inner1": ("br-inner", 4),
    "inner2": ("br-inner", 5),
    "routed": ("br-routed", 4),
    "open": ("br-open", 4),
    "direct": ("br-direct", 4),
    "trusting": ("br-trust", 4),
    "snat": ("br-snat", 4),
    "adopted": ("br-adopted", 4),
    "guest": ("br-guest", 4),
    "outside": ("br-uplink", 4),
}
# What each place publishes: the host's port. It listens on INSIDE.
PORTS = {"web": 5000, "two": 5002, "apart2": 5003, "direct": 5007, "trusting": 5008, "adopted": 5010}
LOCAL_PORT = 5100  # of web too, on 127.0.0.1 alone
INSIDE, ELSEWHERE = 9000, 9001
SECOND_SOURCE = 99  # the host's other address on the uplink
SILENCE_S = 0.12


def address(place: str, version: int = 4) -> str:
    """Of a place, or of the host on a bridge."""
    bridge, number = PLACES.get(place) or (place, 1)
    if version == 6:
        return str(ip_address(f"fd00:77:{NUMBERS[bridge]:x}::{number:x}"))
    return f"172.17.0.{number}" if bridge == "docker0" else f"10.77.{NUMBERS[bridge]}.{number}"


def policy(bridge: str) -> NetworkPolicy:
    mode = {"br-routed": GatewayMode.ROUTED, "br-open": GatewayMode.UNPROTECTED}.get(bridge, GatewayMode.NAT)
    sources = {4: f"10.77.{NUMBERS['br-uplink']}.{SECOND_SOURCE}", 6: f"fd00:77:c::{SECOND_SOURCE:x}"}
    return NetworkPolicy(
        bridge,
        tuple(
            FamilyPolicy(
                ip_network(
                    (address(bridge, version), 64 if version == 6 else 16 if bridge == "docker0" else 24),
                    False,
                ),
                mode,
                mode is not GatewayMode.ROUTED,
                ip_address(sources[version]) if bridge == "br-snat" else None,
            )
            for version in (4, 6)
        ),
        icc=bridge != "br-apart",
        internal=bridge == "br-inner",
        direct_routing=bridge == "br-direct",
        trusted=("br-uplink",) if bridge == "br-trust" else (),
    )


def wanted(spelling: IptablesSpelling) -> State:
    return state(*_objects(spelling))


def wanted_of_two(spelling: IptablesSpelling, ports: int = 1) -> State:
    """br-two alone, with so many ports, the first of them as in PORTS."""
    numbers = range(PORTS["two"], PORTS["two"] + ports)
    return state(
        *spelling.base(),
        *spelling.network(policy("br-two")),
        *(rule for port in numbers for rule in spelling.published(published("two", port, "0.0.0.0", 4))),
    )


def _objects(spelling: IptablesSpelling) -> Iterator[KernelObject]:
    yield from spelling.base()
    for bridge in NUMBERS.keys() - {"br-guest", "br-uplink"}:
        yield from spelling.network(policy(bridge))
    for version, anywhere in ((4, "0.0.0.0"), (6, "::")):
        for place, port in PORTS.items():
            yield from spelling.published(published(place, port, anywhere, version))
        yield from spelling.published(published("routed", 0, anywhere, version))
        for ends in (("apart1", "apart2"),):
            recipient, source = (_at(place, version) for place in ends)
            yield from spelling.link(LinkAccept(policy("br-apart"), recipient, source, "udp", ELSEWHERE))
    yield from spelling.published(published("web", LOCAL_PORT, "127.0.0.1", 4))


def published(place: str, port: int, host: str, version: int) -> Published:
    bridge, _ = PLACES[place]
    return Published(policy(bridge), "udp", ip_address(host), port, _at(place, version), INSIDE)


def _at(place: str, version: int) -> Address:
    return ip_address(address(place, version))


@dataclass(frozen=True)
class World:
    namespaces: Path

    def send(self, source: str, target: tuple[str, int], server: str, port: int = INSIDE) -> str | None:
        """Whom `server` sees when `source` greets `target` and hears back; None if either way is lost."""
        with self.conversation(source, target, server, port) as greet:
            return greet()

    @contextmanager
    def conversation(
        self, source: str, target: tuple[str, int], server: str, port: int = INSIDE
    ) -> Iterator[Callable[[], str | None]]:
        """The same as often as one likes, from one socket to another."""
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        with ExitStack() as opened:
            listener, client = (
                opened.enter_context(self._socket(place, family)) for place in (server, source)
            )
            listener.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))

            def greet() -> str | None:
                try:
                    client.connect(target)
                    client.send(b"hello")
                    seen = listener.recvfrom(10)[1]
                    listener.sendto(b"well", seen)
                    assert client.recv(10) == b"well"
                except OSError:
                    return None
                return str(seen[0])

            yield greet

    def _socket(self, place: str, family: int) -> socket.socket:
        path = str(self.namespaces / place) if (self.namespaces / place).exists() else ""
        channel = socket_in(path, family, socket.SOCK_DGRAM, 0)
        channel.settimeout(SILENCE_S)
        return channel


def build_two(folder: Path) -> World:
    """br-two and its container, and nothing else."""
    ip(_bridge("br-two"))
    _attach("two", make_namespace(folder / "two"))
    return World(folder)


def build(folder: Path) -> World:
    """Links, addresses and routes; no rules."""
    # Or for a second the host, which has no sure address there yet, asks for no neighbour on a bridge.
    Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0")
    ip("".join(_bridge(name) for name in NUMBERS))
    ip(
        f"address add 10.77.12.{SECOND_SOURCE}/24 dev br-uplink\n"
        f"address add fd00:77:c::{SECOND_SOURCE:x}/64 dev br-uplink nodad preferred_lft 0\n"
    )
    for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/conf/all/route_localnet"):
        Path("/proc/sys", name).write_text("1")
    for name in ("iptables", "ip6tables"):
        Path(f"/proc/sys/net/bridge/bridge-nf-call-{name}").write_text("1")
    for place in PLACES:
        _attach(place, make_namespace(folder / place))
    return World(folder)


def _bridge(name: str) -> str:
    group = 0 if name in FOREIGN else BRIDGE_GROUP
    length = 16 if name == "docker0" else 24
    return (
        f"link add {name} group {group} type bridge mcast_snooping 0\n"
        f"address add {address(name)}/{length} dev {name}\n"
        f"address add {address(name, 6)}/64 dev {name} nodad\nlink set {name} up\n"
    )


def _attach(place: str, namespace: str) -> None:
    bridge, _ = PLACES[place]
    length = 16 if bridge == "docker0" else 24
    ip(
        f"link add v{place} type veth peer name eth0 netns {namespace}\n"
        f"link set v{place} master {bridge} up\nlink set v{place} type bridge_slave hairpin on\n"
    )
    ip(
        f"address add {address(place)}/{length} dev eth0\naddress add {address(place, 6)}/64 dev eth0 nodad\n"
        f"link set eth0 up\nroute add default via {address(bridge)}\n"
        f"route add ::/0 via {address(bridge, 6)}\n",
        "nsenter",
        f"--net={namespace}",
    )


def ip(batch: str, *prefix: str) -> None:
    subprocess.run([*prefix, "ip", "-batch", "-"], input=batch, text=True, check=True, timeout=10)
