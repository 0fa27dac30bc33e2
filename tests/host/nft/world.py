"""A host with networks of every kind, and sockets living in each of them, for tests of what passes.

On the host lives `host`. Every other place is on a bridge: pub1 and pub2 (the ordinary kind), multi (on
br-pub, with a second leg on br-loose), bare (not masqueraded), named (leaves under a chosen address), inner1
and inner2 (internal), apart1, apart2 and apart3 (no icc; apart2 is linked to apart1), loose
(nat-unprotected), open (routed), direct (direct routing), shy (trusts what comes by br-friends). Not ours are
guest on br-foreign, friend on br-friends, and outside on br-uplink, which know the way to every container.
"""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

from bridgehead.core.firewall.nft import NftSpelling
from bridgehead.core.firewall.rules import FamilyPolicy, LinkAccept, NetworkPolicy, Published
from bridgehead.core.firewall.spelling import Spelling
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.network import GatewayMode
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.objects import KernelObject, state
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.nft.plane import FirewallPlane
from tests.host.space import make_namespace, own_space

BRIDGES = {
    "br-pub": 1,
    "br-bare": 2,
    "br-int": 3,
    "br-iso": 4,
    "br-foreign": 5,
    "br-loose": 6,
    "br-routed": 7,
    "br-direct": 8,
    "br-uplink": 9,
    "br-shy": 10,
    "br-friends": 11,
    "br-named": 12,
}
FOREIGN = {"br-foreign", "br-uplink", "br-friends"}
PLACES = {
    "pub1": ("br-pub", 11),
    "pub2": ("br-pub", 12),
    "multi": ("br-pub", 13),
    "bare": ("br-bare", 11),
    "inner1": ("br-int", 11),
    "inner2": ("br-int", 12),
    "apart1": ("br-iso", 11),
    "apart2": ("br-iso", 12),
    "apart3": ("br-iso", 13),
    "guest": ("br-foreign", 11),
    "loose": ("br-loose", 11),
    "open": ("br-routed", 11),
    "direct": ("br-direct", 11),
    "outside": ("br-uplink", 11),
    "shy": ("br-shy", 11),
    "friend": ("br-friends", 11),
    "named": ("br-named", 11),
}
PORT, LINKED, CLOSED = 9000, 9100, 9200
# Ports of the host, and the container whose PORT they lead to.
PUBLISHED = {
    8001: "pub1",
    8002: "apart1",
    8003: "multi",
    8004: "bare",
    8005: "direct",
    8006: "shy",
    8007: "loose",
    8008: "inner1",
}
ON_LOOPBACK, ON_UPLINK = 8101, 8102  # published on one address, leading to pub1
SECOND_LEG = {4: "10.77.6.13", 6: "fd77:6::13"}
VERSIONS, PROTOCOLS = (4, 6), ("tcp", "udp")
OWN_LOOPBACK = {4: "127.0.0.1", 6: "::1"}


def address(place: str, version: int = 4) -> str:
    """Of a place, or of the host on a bridge."""
    if place == "loopback":
        return OWN_LOOPBACK[version]
    bridge, number = (place, 1) if place in BRIDGES else PLACES[place]
    return f"10.77.{BRIDGES[bridge]}.{number}" if version == 4 else f"fd77:{BRIDGES[bridge]}::{number}"


def policies() -> list[NetworkPolicy]:
    return [
        _policy("br-pub"),
        _policy("br-bare", masquerade=False),
        _policy("br-int", internal=True),
        _policy("br-iso", icc=False),
        _policy("br-loose", GatewayMode.UNPROTECTED),
        _policy("br-routed", GatewayMode.ROUTED, masquerade=False),
        _policy("br-direct", direct_routing=True),
        _policy("br-shy", trusted=("br-friends",)),
        _policy("br-named", source="br-friends"),
    ]


def _policy(
    bridge: str,
    mode: GatewayMode = GatewayMode.NAT,
    *,
    masquerade: bool = True,
    icc: bool = True,
    internal: bool = False,
    direct_routing: bool = False,
    trusted: tuple[str, ...] = (),
    source: str = "",
) -> NetworkPolicy:
    number = BRIDGES[bridge]
    families = tuple(
        FamilyPolicy(
            ip_network(f"10.77.{number}.0/24" if version == 4 else f"fd77:{number}::/64"),
            mode,
            masquerade,
            ip_address(address(source, version)) if source else None,
        )
        for version in VERSIONS
    )
    return NetworkPolicy(bridge, families, icc, internal, direct_routing, trusted)


def published() -> Iterator[Published]:
    networks = {policy.bridge: policy for policy in policies()}
    for version in VERSIONS:
        everywhere = ip_address("0.0.0.0" if version == 4 else "::")
        for protocol in PROTOCOLS:
            routed = ip_address(address("open", version))
            yield Published(networks["br-routed"], protocol, everywhere, 0, routed, PORT)
            for port, place in PUBLISHED.items():
                container = ip_address(address(place, version))
                network = networks[PLACES[place][0]]
                also = (networks["br-loose"],) if place == "multi" else ()
                yield Published(network, protocol, everywhere, port, container, PORT, also)
            for port, host in ((ON_LOOPBACK, "loopback"), (ON_UPLINK, "br-uplink")):
                where: Address = ip_address(address(host, version))
                container = ip_address(address("pub1", version))
                yield Published(networks["br-pub"], protocol, where, port, container, PORT)


def links() -> Iterator[LinkAccept]:
    (network,) = (policy for policy in policies() if policy.bridge == "br-iso")
    for version in VERSIONS:
        recipient, source = (ip_address(address(place, version)) for place in ("apart2", "apart1"))
        for protocol in PROTOCOLS:
            yield LinkAccept(network, recipient, source, protocol, LINKED)


def rules(spelling: Spelling) -> Iterator[KernelObject]:
    yield from spelling.base()
    for policy in policies():
        yield from spelling.network(policy)
    for item in published():
        yield from spelling.published(item)
    for link in links():
        yield from spelling.link(link)


@dataclass(frozen=True)
class World:
    """`silence_s`: how long nothing may come before it counts as lost."""

    namespaces: Path
    silence_s: float

    def seen(
        self, source: str, target: str, destination: str, port: int, *, protocol: str, version: int
    ) -> str | None:
        """The address under which PORT at `target` sees `source`, which sends to `port` at `destination`
        and hears back; None if either is lost.
        """
        inner = port if port in {LINKED, CLOSED} else PORT
        with ExitStack() as opened:
            server, client = (
                opened.enter_context(self.socket(place, protocol, version)) for place in (target, source)
            )
            server.bind(("::" if version == 6 else "0.0.0.0", inner))
            try:
                return (_tcp if protocol == "tcp" else _udp)(server, client, destination, port)
            except OSError:
                return None

    def socket(self, place: str, protocol: str, version: int) -> socket.socket:
        path = str(self.namespaces / place) if place in PLACES else ""
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
        channel = socket_in(path, family, kind, 0)
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        channel.settimeout(self.silence_s)
        return channel


def _tcp(server: socket.socket, client: socket.socket, destination: str, port: int) -> str:
    server.listen()
    client.connect((destination, port))
    connection, seen = server.accept()
    with connection:
        connection.settimeout(client.gettimeout())
        client.send(b"hello")
        connection.send(connection.recv(10))
        assert client.recv(10) == b"hello"
    return str(seen[0])


def _udp(server: socket.socket, client: socket.socket, destination: str, port: int) -> str:
    client.connect((destination, port))
    client.send(b"hello")
    seen = server.recvfrom(10)[1]
    server.sendto(b"well", seen)
    assert client.recv(10) == b"well"
    return str(seen[0])


@contextmanager
def furnished(folder: Path, *, bridged: bool, silence_s: float = 0.15) -> Iterator[World]:
    """The calling thread is in that world till the end. `bridged`: frames in one bridge meet the rules."""
    with own_space(), ExitStack() as opened:
        plane = FirewallPlane(str(folder), socket_in)
        opened.callback(plane.close)
        assert plane.apply(diff(plane.observe(), state(*rules(NftSpelling())))) == {}
        # Or for a second the host, which has no sure address there yet, asks for no neighbour on a bridge.
        set_kernel("net/ipv6/conf/default/accept_dad", 0)
        _ip("".join(_bridge(name) for name in BRIDGES))
        set_kernel("net/ipv4/ip_forward", 1)
        set_kernel("net/ipv6/conf/all/forwarding", 1)
        for name in ("iptables", "ip6tables"):
            set_kernel(f"net/bridge/bridge-nf-call-{name}", int(bridged))
        for name in BRIDGES.keys() - FOREIGN:
            set_kernel(f"net/ipv4/conf/{name}/route_localnet", 1)
        for place in PLACES:
            _attach(place, make_namespace(folder / place))
        _second_leg(folder / "multi")
        yield World(folder, silence_s)


def set_kernel(name: str, value: int) -> None:
    Path("/proc/sys", name).write_text(str(value))


def _bridge(name: str) -> str:
    return f"""link add {name} type bridge
address add {address(name)}/24 dev {name}
address add {address(name, 6)}/64 dev {name} nodad
link set {name} up
"""


def _attach(place: str, namespace: str) -> None:
    bridge, _ = PLACES[place]
    _ip(f"""link add v{place} type veth peer name eth0 netns {namespace}
link set v{place} master {bridge} up
link set v{place} type bridge_slave hairpin on
""")
    inside(
        namespace,
        f"""address add {address(place)}/24 dev eth0
address add {address(place, 6)}/64 dev eth0 nodad
link set eth0 up
route add default via {address(bridge)}
route add default via {address(bridge, 6)}
""",
    )


def _second_leg(namespace: Path) -> None:
    _ip(f"link add vmulti2 type veth peer name eth1 netns {namespace}\nlink set vmulti2 master br-loose up\n")
    inside(
        str(namespace),
        f"""address add {SECOND_LEG[4]}/24 dev eth1
address add {SECOND_LEG[6]}/64 dev eth1 nodad
link set eth1 up
""",
    )


def inside(namespace: str, batch: str) -> None:
    _ip(batch, "nsenter", f"--net={namespace}")


def _ip(batch: str, *prefix: str) -> None:
    subprocess.run([*prefix, "ip", "-batch", "-"], input=batch, text=True, check=True, timeout=10)
