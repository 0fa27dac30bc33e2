"""What is ours on the machine, read from the kernel alone.

A link that is ours but not whole (down, its ends of different sizes, open to false routers) is shown with
size 0: wanted, it is updated in place; unwanted, it is deleted. Half a pair is shown in a form nobody can
want.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bridgehead.core.model.addresses import Prefix
from bridgehead.core.plan.borrowed import BorrowedLink
from bridgehead.core.plan.objects import (
    Bridge,
    KernelObject,
    LinkAddress,
    Namespace,
    Route,
    State,
    Veth,
    state,
)
from bridgehead.host.namespaces.files import kept_in
from bridgehead.host.netlink import borrowed
from bridgehead.host.netlink.doors import Door, Doors
from bridgehead.host.netlink.inet import (
    KERNEL,
    dump_addresses,
    dump_routes,
    has_subnet,
    read_address,
    read_route,
)
from bridgehead.host.netlink.lan_sight import parent_links, sub_links
from bridgehead.host.netlink.links import Link, dump_links, read_link
from bridgehead.host.netlink.marks import LINK_GROUP_WITH_IPV6, LINK_GROUPS, PROTOCOL

_BROKEN = 0


@dataclass(frozen=True, slots=True)
class _View:
    """One namespace: all its links by index, and our addresses and routes."""

    namespace: str
    links: Mapping[int, Link]
    entries: tuple[KernelObject, ...]

    @property
    def ours(self) -> Iterator[Link]:
        return (link for link in self.links.values() if link.group in LINK_GROUPS)


def observe(folder: str, doors: Doors) -> State:
    """`folder` holds one file a namespace."""
    found = dict(kept_in(folder))
    live = [path for path, is_live in found.items() if is_live]
    doors.close_others(live)
    host = _view("", doors.host)
    inner = [view for path in live if (view := _view_into(path, doors)) is not None]
    return state(
        *(_namespace(path, is_live=is_live) for path, is_live in found.items()),
        *_bridges(host),
        *parent_links(host.links, host.ours),
        *_veths(host, inner),
        *_borrowed(inner),
        *(link for view in inner for link in sub_links(host.links, view.ours, view.namespace)),
        *(entry for view in (host, *inner) for entry in view.entries),
    )


def are_ends(outer: Link, inner: Link) -> bool:
    """Whether the two, seen from different namespaces, are one pair."""
    return (
        outer.peer_elsewhere
        and inner.peer_elsewhere
        and (outer.index, inner.index) == (inner.peer, outer.peer)
    )


def veth_between(outer: Link, inner: Link, *, bridge: str, namespace: str) -> Veth:
    whole = outer.up and inner.up and outer.mtu == inner.mtu
    return Veth(
        name=outer.name,
        bridge=bridge,
        namespace=namespace,
        peer=inner.name,
        mac=inner.mac,
        mtu=inner.mtu if whole else _BROKEN,
        ipv6=inner.group == LINK_GROUP_WITH_IPV6,
        hairpin=outer.hairpin,
        sysctls=tuple(filter(None, outer.alias.split(","))),
    )


def _namespace(path: str, *, is_live: bool) -> Namespace:
    """A file that keeps nothing alive must go even if a namespace is wanted there: it gets another key."""
    folder, _, name = path.rpartition("/")
    return Namespace(path if is_live else f"{folder}/./{name}")


def _view_into(path: str, doors: Doors) -> _View | None:
    """None when the namespace went away meanwhile."""
    try:
        return _view(path, doors.into(path))
    except FileNotFoundError:
        return None


def _view(namespace: str, door: Door) -> _View:
    links = {link.index: link for link in map(read_link, door.dump(dump_links()))}
    return _View(namespace, links, (*_addresses(namespace, door, links), *_routes(namespace, door, links)))


def _addresses(namespace: str, door: Door, links: Mapping[int, Link]) -> Iterator[LinkAddress]:
    """Out here, an address that has lost the route to its block is not shown, and so is settled anew."""
    subnets = None if namespace else _subnets(door)
    for message in door.dump(dump_addresses()):
        found = read_address(message)
        if found is None or found.protocol != PROTOCOL or found.link not in links:
            continue
        if subnets is None or not has_subnet(found.address) or (found.link, found.address.network) in subnets:
            yield LinkAddress(namespace, links[found.link].name, found.address)


def _subnets(door: Door) -> set[tuple[int, Prefix]]:
    routes = map(read_route, door.dump(dump_routes(KERNEL)))
    return {(route.link, route.destination) for route in routes if route is not None}


def _routes(namespace: str, door: Door, links: Mapping[int, Link]) -> Iterator[Route]:
    for message in door.dump(dump_routes()):
        found = read_route(message)
        if found is not None and found.protocol == PROTOCOL and found.link in links:
            yield Route(namespace, found.destination, links[found.link].name, found.gateway)


def _bridges(host: _View) -> Iterator[Bridge]:
    for link in host.ours:
        if link.kind == "bridge":
            whole = link.up and not link.hears_routers
            yield Bridge(link.name, link.mac, link.mtu if whole else _BROKEN, link.route_localnet)


def _borrowed(inner_views: Iterable[_View]) -> Iterator[BorrowedLink]:
    for view in inner_views:
        for link in view.links.values():
            if (found := borrowed.seen(link, view.namespace)) is not None:
                yield found


def _veths(host: _View, inner_views: Iterable[_View]) -> Iterator[Veth]:
    paired: set[int] = set()
    for view in inner_views:
        for inner in view.ours:
            if inner.kind != "veth":
                continue
            outer = host.links.get(inner.peer)
            if outer is not None and are_ends(outer, inner):
                paired.add(outer.index)
                bridge = host.links.get(outer.master)
                name = bridge.name if bridge else ""
                yield veth_between(outer, inner, bridge=name, namespace=view.namespace)
            else:
                yield Veth("", "", view.namespace, inner.name, inner.mac, _BROKEN)
    for link in host.ours:
        if link.kind == "veth" and link.index not in paired:
            yield Veth(link.name, "", "", link.name, link.mac, _BROKEN)
