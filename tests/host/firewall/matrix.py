"""A host with a network for every meaningful combination of options, and whoever may want to get in.

Every network has a server and a peer, which has a link to the server. `twice` is a server on the plainest
network with legs in others; `nomad` a client with two legs. Not ours are outside, on br-uplink, and friend,
on br-friends, an interface that some networks trust; both know the way to every container.
"""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network
from itertools import product
from pathlib import Path

from bridgehead.core.firewall.rules import FamilyPolicy, LinkAccept, NetworkPolicy, Published
from bridgehead.core.firewall.spelling import Spelling
from bridgehead.core.firewall.trace import Rulebook
from bridgehead.core.model.addresses import Address, Interface, Prefix
from bridgehead.core.model.network import GatewayMode
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.objects import Bridge, KernelObject, LinkAddress, Namespace, Route, Veth, state
from bridgehead.host.netlink.plane import LinkPlane
from tests.host.space import own_space

VERSIONS, PROTOCOLS = (4, 6), ("tcp", "udp")
OPEN, CLOSED, LINKED = 9000, 9001, 9002  # of containers; OPEN is what is published
FRIENDS, UPLINK = "br-friends", "br-uplink"
EVERYWHERE = {4: ip_address("0.0.0.0"), 6: ip_address("::")}
LOOPBACK = {4: ip_address("127.0.0.1"), 6: ip_address("::1")}


@dataclass(frozen=True)
class Kind:
    """The options of a network. `reach`: who else may come to its containers' own published ports."""

    mode: GatewayMode = GatewayMode.NAT
    icc: bool = True
    internal: bool = False
    reach: str = ""  # direct | trusted
    masquerade: bool = True
    source: bool = False  # leaves under an address of the host that was chosen


def _kinds() -> Iterator[Kind]:
    yield Kind()
    yield Kind(source=True)
    for mode, icc, reach, masquerade in product(
        (GatewayMode.NAT, GatewayMode.UNPROTECTED, GatewayMode.ROUTED),
        (True, False),
        ("", "direct", "trusted"),
        (True, False),
    ):
        kind = Kind(mode, icc, reach=reach, masquerade=masquerade)
        if kind != Kind() and not (mode is GatewayMode.ROUTED and masquerade):
            yield kind
    for mode, icc in product(GatewayMode, (True, False)):
        yield Kind(mode, icc, internal=True, reach="direct")


KINDS = {f"br-{number:02}": kind for number, kind in enumerate(_kinds())}
PLAIN = "br-00"


def bridge_of(kind: Kind) -> str:
    return next(name for name, other in KINDS.items() if other == kind)


# Where `twice` has legs besides: networks that go out under the host's address and others.
LEGS = (
    bridge_of(Kind(masquerade=False)),
    bridge_of(Kind(icc=False)),
    bridge_of(Kind(GatewayMode.ROUTED, masquerade=False)),
    bridge_of(Kind(internal=True, reach="direct")),
)
NUMBERS = {name: number for number, name in enumerate((*KINDS, FRIENDS, UPLINK))}


def host(bridge: str, version: int) -> Address:
    return _at(bridge, version, 1)


def _at(bridge: str, version: int, number: int) -> Address:
    return _prefix(bridge, version)[number]


def _prefix(bridge: str, version: int) -> Prefix:
    number = NUMBERS[bridge]
    return ip_network(f"10.80.{number}.0/24" if version == 4 else f"fd80:{number}::/64")


@dataclass(frozen=True)
class Place:
    """A namespace: its number on each bridge it has a leg on, the first of which is its way out."""

    legs: Mapping[str, int]

    @property
    def bridge(self) -> str:
        return next(iter(self.legs))

    def address(self, version: int) -> Address:
        return _at(self.bridge, version, self.legs[self.bridge])

    def addresses(self) -> Iterator[tuple[Address, str]]:
        for (bridge, number), version in product(self.legs.items(), VERSIONS):
            yield _at(bridge, version, number), bridge


PLACES = {
    **{f"server-{bridge}": Place({bridge: 2}) for bridge in KINDS},
    **{f"peer-{bridge}": Place({bridge: 3}) for bridge in KINDS},
    "twice": Place(dict.fromkeys((PLAIN, *LEGS), 4)),
    "nomad": Place(dict.fromkeys((bridge_of(Kind(icc=False)), PLAIN), 5)),
    "friend": Place({FRIENDS: 2}),
    "outside": Place({UPLINK: 2}),
}
SERVERS = {f"server-{bridge}": bridge for bridge in KINDS} | {"twice": PLAIN}
OWNERS = {address: (name, bridge) for name, place in PLACES.items() for address, bridge in place.addresses()}


def ports(server: str) -> dict[str, int]:
    """Of the host, by the address they are published on; all lead to OPEN of the server."""
    first = 8000 + 10 * list(SERVERS).index(server)
    return {"everywhere": first, "loopback": first + 1, "uplink": first + 2}


def policies() -> dict[str, NetworkPolicy]:
    return {bridge: _policy(bridge, kind) for bridge, kind in KINDS.items()}


def _policy(bridge: str, kind: Kind) -> NetworkPolicy:
    families = tuple(
        FamilyPolicy(
            _prefix(bridge, version),
            kind.mode,
            kind.masquerade,
            host(FRIENDS, version) if kind.source else None,
        )
        for version in VERSIONS
    )
    trusted = (FRIENDS,) if kind.reach == "trusted" else ()
    return NetworkPolicy(bridge, families, kind.icc, kind.internal, kind.reach == "direct", trusted)


def rulebook() -> Rulebook:
    networks = policies()
    published = [
        item
        for server, bridge in SERVERS.items()
        for version in VERSIONS
        # The driver publishes nothing on internal networks.
        for item in (_published(networks, server, version) if not KINDS[bridge].internal else ())
    ]
    links = [
        LinkAccept(
            networks[bridge],
            PLACES[f"peer-{bridge}"].address(version),
            PLACES[f"server-{bridge}"].address(version),
            protocol,
            LINKED,
        )
        for bridge, kind in KINDS.items()
        for version, protocol in product(VERSIONS, PROTOCOLS)
        if not kind.icc
    ]
    hosts = frozenset(host(bridge, version) for bridge in NUMBERS for version in VERSIONS)
    return Rulebook(tuple(networks.values()), published, links, hosts)


def _published(networks: Mapping[str, NetworkPolicy], server: str, version: int) -> Iterator[Published]:
    place = PLACES[server]
    network, *also = (networks[bridge] for bridge in place.legs)
    where = {
        "everywhere": EVERYWHERE[version],
        "loopback": LOOPBACK[version],
        "uplink": host(UPLINK, version),
    }
    for (name, port), protocol in product(ports(server).items(), PROTOCOLS):
        number = 0 if KINDS[place.bridge].mode is GatewayMode.ROUTED else port
        yield Published(network, protocol, where[name], number, place.address(version), OPEN, tuple(also))


def rules(spelling: Spelling, book: Rulebook) -> Iterator[KernelObject]:
    yield from spelling.base()
    for policy in book.networks:
        yield from spelling.network(policy)
    for item in book.published:
        yield from spelling.published(item)
    for link in book.links:
        yield from spelling.link(link)


@contextmanager
def built(folder: Path) -> Iterator[None]:
    """Links, addresses and routes, and no rules; the calling thread is there till the end."""
    with own_space():
        for name in (FRIENDS, UPLINK):
            subprocess.run(["ip", "link", "add", name, "up", "type", "bridge"], check=True, timeout=10)
        for name in (
            "net/ipv4/ip_forward",
            "net/ipv6/conf/all/forwarding",
            "net/bridge/bridge-nf-call-iptables",
            "net/bridge/bridge-nf-call-ip6tables",
        ):
            Path("/proc/sys", name).write_text("1")
        plane = LinkPlane(str(folder))
        try:
            assert plane.apply(diff({}, state(*_links(folder)))) == {}
            yield
        finally:
            plane.close()


def _links(folder: Path) -> Iterator[KernelObject]:
    for bridge, number in NUMBERS.items():
        if bridge in KINDS:
            yield Bridge(
                bridge, f"02:42:00:00:00:{number:02x}", 1500, route_localnet=not KINDS[bridge].internal
            )
        for version in VERSIONS:
            yield LinkAddress("", bridge, _with_length(host(bridge, version)))
    for at, (name, place) in enumerate(PLACES.items()):
        namespace = str(folder / name)
        yield Namespace(namespace)
        for leg, (bridge, number) in enumerate(place.legs.items()):
            mac = f"02:43:{at:02x}:{leg:02x}:00:{number:02x}"
            yield Veth(f"v{at}-{leg}", bridge, namespace, f"eth{leg}", mac, 1500, ipv6=True, hairpin=True)
            for version in VERSIONS:
                yield LinkAddress(namespace, f"eth{leg}", _with_length(_at(bridge, version, number)))
        # Also on internal networks, where nobody is told of it: a container may set its own routes.
        for version in VERSIONS:
            everywhere = ip_network(f"{EVERYWHERE[version]}/0")
            yield Route(namespace, everywhere, "eth0", host(place.bridge, version))


def _with_length(address: Address) -> Interface:
    return ip_interface(f"{address}/{24 if address.version == 4 else 64}")
