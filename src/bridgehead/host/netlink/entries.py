"""Addresses and routes: all that concern one namespace go there in one send."""

import errno
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby

from bridgehead.core.plan.diff import Create, Delete, Op, Update
from bridgehead.core.plan.objects import LinkAddress, Route
from bridgehead.host.netlink.codec import Request
from bridgehead.host.netlink.doors import Door, Doors
from bridgehead.host.netlink.inet import (
    create_address,
    create_route,
    delete_address,
    delete_route,
    dump_addresses,
    dump_routes,
    has_subnet,
    read_address,
    read_route,
    replace_route,
    restore_subnet,
)
from bridgehead.host.netlink.links import Link, change_link
from bridgehead.host.netlink.marks import PROTOCOL
from bridgehead.host.netlink.refusals import Failures, attempt, refused, taken

Entry = LinkAddress | Route

_GONE = {errno.ENODEV, errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL}


class Entries:
    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def apply(self, ops: Sequence[Op], failures: Failures) -> None:
        """In the given order within each namespace; every operation is tried."""
        for namespace, group in groupby(sorted(ops, key=_namespace), key=_namespace):
            run = list(group)
            try:
                _apply_inside(self._doors.into(namespace), run, failures)
            except OSError as error:
                _refuse(run, error, failures)


def _apply_inside(door: Door, ops: Sequence[Op], failures: Failures) -> None:
    links = door.find_all(_entry(op).link for op in ops)
    homeless = [op for op in ops if _entry(op).link not in links]
    _refuse(homeless, OSError(errno.ENODEV, "there is no such link"), failures)
    sent = [op for op in ops if _entry(op).link in links]
    requests = [_request(op, links[_entry(op).link].index) for op in sent]
    replies = door.exchange([*requests, *_announcements(sent, links)])
    for op, reply in zip(sent, replies, strict=False):
        if reply.error is None:
            continue
        if isinstance(op, Create) and reply.error.errno == errno.EEXIST:
            attempt(op, failures, partial(_settle, door, links))
        else:
            _refuse([op], reply.error, failures)


def _announcements(ops: Sequence[Op], links: Mapping[str, Link]) -> list[Request]:
    """An address may have been another container's a moment ago, and the neighbours remember its MAC address.
    Setting a MAC address, even to what it is, makes a link that `announces` tell them its addresses.
    """
    born = {
        op.object.link
        for op in ops
        if isinstance(op, Create) and isinstance(op.object, LinkAddress) and op.object.namespace
    }
    return [change_link(links[name].index, mac=links[name].mac) for name in born]


def _refuse(ops: Sequence[Op], error: OSError, failures: Failures) -> None:
    """Note that `ops` failed; a deletion of what is gone did not."""
    for op in ops:
        if not (isinstance(op, Delete) and error.errno in _GONE):
            failures.setdefault(op.object.key, refused(op, error))


def _settle(door: Door, links: Mapping[str, Link], op: Op) -> None:
    """Something of the same name is there: ours is made as wanted, anybody else's stays."""
    entry = _entry(op)
    link = links[entry.link].index
    if isinstance(entry, Route):
        _settle_route(door, entry, link)
    else:
        _settle_address(door, entry, link)


def _settle_address(door: Door, entry: LinkAddress, link: int) -> None:
    for found in map(read_address, door.dump(dump_addresses())):
        if found is None or found.link != link or found.address.ip != entry.address.ip:
            continue
        if found.protocol != PROTOCOL:
            raise taken(entry, f"address {found.address}")
        if found.address == entry.address:
            if has_subnet(entry.address):
                _settle_subnet(door, entry, link)
            return
        door.must(delete_address(link, found.address), create_address(link, entry.address))
        return


def _settle_subnet(door: Door, entry: LinkAddress, link: int) -> None:
    """The address is there, but perhaps somebody took its route away."""
    (reply,) = door.exchange([restore_subnet(link, entry.address)])
    if reply.error is not None and reply.error.errno != errno.EEXIST:
        raise reply.error


def _settle_route(door: Door, entry: Route, link: int) -> None:
    for found in map(read_route, door.dump(dump_routes())):
        if found is not None and found.protocol == PROTOCOL and found.destination == entry.destination:
            door.must(replace_route(link, entry.destination, entry.gateway))
            return
    raise taken(entry, f"a route to {entry.destination}")


def _request(op: Op, link: int) -> Request:
    entry = _entry(op)
    if isinstance(entry, LinkAddress):
        change = delete_address if isinstance(op, Delete) else create_address
        return change(link, entry.address)
    match op:
        case Create():
            return create_route(link, entry.destination, entry.gateway)
        case Update():
            return replace_route(link, entry.destination, entry.gateway)
        case Delete():
            return delete_route(link, entry.destination, entry.gateway)


def _entry(op: Op) -> Entry:
    if not isinstance(op.object, LinkAddress | Route):
        raise TypeError(f"neither an address nor a route: {op.object}")
    return op.object


def _namespace(op: Op) -> str:
    return _entry(op).namespace
