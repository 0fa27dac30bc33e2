"""Whether what the kernel announces contradicts what we believe, or gets in the way of a network of ours.

This is why ordinary life costs nothing: a notice about anybody else's link, or about ours as we left it, is
no reason to look at the whole host.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter

from bridgehead.core import lowers
from bridgehead.core.firewall import nft_skeleton as nft
from bridgehead.core.firewall.iptables_chains import OTHER
from bridgehead.core.model.addresses import Interface, Prefix
from bridgehead.core.model.network import Network
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.filtering import FirewallElement, FirewallRule, FirewallTable
from bridgehead.core.plan.notice import (
    AddressGone,
    FirewallChanged,
    ForwardingChanged,
    LinkChanged,
    LinkGone,
    Notice,
    Overrun,
    RouteAppeared,
    RouteGone,
    Table,
)
from bridgehead.core.plan.objects import (
    EVERY_KIND,
    FORWARDING,
    Bridge,
    KernelObject,
    Kinds,
    LinkAddress,
    Route,
    Sysctl,
    Veth,
)

_FAMILIES = {4: "ip", 6: "ip6"}
# A VPN that takes everything says so by routes to both halves of it; they are ways out, not places.
_SHORTEST_PLACE = 8


@dataclass(frozen=True, slots=True)
class Believed:
    """Our objects in the daemon's own namespace, by the names that notices use."""

    bridges: dict[str, Bridge]
    ports: dict[str, Veth]
    addresses: frozenset[tuple[str, Interface]]
    routes: frozenset[tuple[str, Prefix]]
    tables: frozenset[Table]
    forwarding: frozenset[int]
    lan: lowers.Believed = lowers.NOTHING


def believed(
    objects: Iterable[KernelObject],
    before: lowers.Believed = lowers.NOTHING,
    snapshot: Snapshot | None = None,
) -> Believed:
    """`before`: what was believed at the last judgement. `snapshot`: what there should be."""
    objects = tuple(objects)
    bridges: dict[str, Bridge] = {}
    ports: dict[str, Veth] = {}
    addresses: set[tuple[str, Interface]] = set()
    routes: set[tuple[str, Prefix]] = set()
    tables: set[Table] = set()
    forwarding: set[int] = set()
    for item in objects:
        match item:
            case Veth():
                ports[item.name] = item
            case Bridge():
                bridges[item.name] = item
            case LinkAddress(namespace=""):
                addresses.add((item.link, item.address))
                routes.add((item.link, item.address.network))
            case Route(namespace=""):
                routes.add((item.link, item.destination))
            case Sysctl():
                forwarding |= {family for family, name in FORWARDING.items() if name == item.name}
            case FirewallTable() | FirewallElement():
                tables.add((nft.FAMILY, nft.TABLE))
            case FirewallRule():
                tables.add((_FAMILIES[item.family], item.table.removeprefix(OTHER)))
            case _:
                pass
    return Believed(
        bridges,
        ports,
        frozenset(addresses),
        frozenset(routes),
        frozenset(tables),
        frozenset(forwarding),
        lowers.believed(objects, before, snapshot),
    )


def concerns(notice: Notice, ours: Believed) -> bool:
    match notice:
        case Overrun():
            return True
        case FirewallChanged():
            return not notice.tables.isdisjoint(ours.tables)
        case ForwardingChanged():
            return not notice.on and notice.family in ours.forwarding
        case LinkGone():
            return notice.name in ours.bridges or notice.name in ours.ports or ours.lan.is_missed(notice.name)
        case LinkChanged():
            return _differs(notice, ours) or ours.lan.is_moved(notice)
        case AddressGone():
            return (notice.link, notice.address) in ours.addresses
        case RouteGone():
            return (notice.link, notice.destination) in ours.routes
        case _:
            return False


def suspects(notices: Iterable[Notice]) -> Kinds:
    """The kinds of objects that such damage may have been done to."""
    found: Kinds = frozenset()
    for notice in notices:
        match notice:
            case Overrun():
                found |= EVERY_KIND
            case FirewallChanged():
                found |= {FirewallTable, FirewallElement, FirewallRule}
            case ForwardingChanged():
                found |= {Sysctl}
            case _:
                found |= {Bridge, Veth, LinkAddress, Route}
    return found


def _differs(now: LinkChanged, ours: Believed) -> bool:
    bridge, port = ours.bridges.get(now.name), ours.ports.get(now.name)
    if bridge is not None:
        return (now.up, now.mtu, now.mac) != (True, bridge.mtu, bridge.mac)
    if port is not None:
        return (now.up, now.mtu, now.master) != (True, port.mtu, port.bridge)
    return False


class Places:
    """Where networks of ours are, to be asked about many routes: their subnets never overlap each other."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._bridges: set[str] = set()
        self._subnets: dict[int, list[tuple[int, int, Network, Prefix]]] = {4: [], 6: []}
        for network in networks:
            if network.bridge is not None:
                self._bridges.add(network.bridge.name)
                for prefix in (subnet.prefix for subnet in network.subnets):
                    self._subnets[prefix.version].append((*_ends(prefix), network, prefix))
        for found in self._subnets.values():
            found.sort(key=itemgetter(0))

    def overlapped(self, route: RouteAppeared) -> Iterator[tuple[Network, Prefix]]:
        """The networks, each with its subnet, that this route of somebody else leads to as well."""
        if route.destination.prefixlen < _SHORTEST_PLACE or route.link in self._bridges:
            return
        subnets = self._subnets[route.destination.version]
        first, last = _ends(route.destination)
        # The one that begins before the route may reach into it.
        at = max(bisect_right(subnets, first, key=itemgetter(0)) - 1, 0)
        for begin, end, network, prefix in islice(subnets, at, None):
            if begin > last:
                return
            if end >= first:
                yield network, prefix


def _ends(prefix: Prefix) -> tuple[int, int]:
    return int(prefix.network_address), int(prefix.broadcast_address)
