"""Veth pairs: made from outside, woken inside once their settings are in place."""

import errno
from collections.abc import Iterable
from dataclasses import replace

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.objects import Veth
from bridgehead.host.namespaces.entering import descriptor_of
from bridgehead.host.netlink.doors import Doors
from bridgehead.host.netlink.inner_ends import wake
from bridgehead.host.netlink.links import (
    Link,
    change_link,
    change_port,
    create_veth,
    delete_link,
    dump_links,
    get_link_at,
    read_link,
    remember,
)
from bridgehead.host.netlink.marks import LINK_GROUPS
from bridgehead.host.netlink.reaper import Reaper
from bridgehead.host.netlink.refusals import taken
from bridgehead.host.netlink.sight import are_ends, veth_between

_Pair = tuple[Link, Link]  # the outer end and the inner one


class Veths:
    """All methods raise OSError for the kernel's refusals."""

    def __init__(self, doors: Doors, reaper: Reaper) -> None:
        self._doors = doors
        self._reaper = reaper

    def create(self, veth: Veth) -> None:
        """What cannot be made whole is not left behind.

        Raises:
            Conflict: one of the names belongs to an interface that is not ours.
        """
        try:
            self._make(veth)
        except FileExistsError:
            pair = self._find(veth)
            if pair is not None:
                self._adjust(veth, *pair)
            else:
                self._clear_the_way(veth)
                self._make(veth)

    def update(self, veth: Veth) -> None:
        """Change bridge, size and hairpin, and bring up what is down; connections inside live on."""
        pair = self._find(veth)
        if pair is None:
            raise OSError(errno.ENODEV, "the pair is no longer there")
        self._adjust(veth, *pair)

    def delete_inner(self, veth: Veth) -> None:
        """Delete a pair by its inner end: where the outer one is, nobody knows."""
        door = self._doors.into(veth.namespace)
        inner = door.find(veth.peer)
        if inner is not None and inner.group in LINK_GROUPS:
            door.must(delete_link(inner.index))

    def delete_all_into(self, namespaces: Iterable[str]) -> None:
        """Every pair with its inner end in one of these.

        Whoever is inside besides us keeps a namespace alive, and its links would go on answering for
        addresses that are free. A pair that stays in spite of this is a leftover to the next look.
        """
        inner = [link for path in namespaces for link in self._inner_ends(path)]
        replies = self._doors.host.exchange([get_link_at(link.peer) for link in inner])
        outer = [read_link(reply.message) if reply.message else None for reply in replies]
        pairs = [
            (one, other) for one, other in zip(outer, inner, strict=True) if one and are_ends(one, other)
        ]
        self._reaper.delete_found(one for one, _ in pairs)

    def _inner_ends(self, namespace: str) -> list[Link]:
        try:
            links = map(read_link, self._doors.into(namespace).dump(dump_links()))
            return [link for link in links if link.kind == "veth" and link.group in LINK_GROUPS]
        except FileNotFoundError:
            return []

    def _make(self, veth: Veth) -> None:
        bridge = self._doors.host.must_find(veth.bridge)
        with descriptor_of(veth.namespace) as namespace:
            outer = read_link(self._doors.host.ask(create_veth(veth, bridge.index, namespace)))
        try:
            memory = [remember(outer.index, ",".join(veth.sysctls))] if veth.sysctls else []
            self._doors.host.must(change_port(outer.index, hairpin=veth.hairpin, mtu=veth.mtu), *memory)
            wake(self._doors, veth, veth.peer, outer.peer)
        except (OSError, HostRefused):
            self._reaper.delete([veth.name])
            raise

    def _adjust(self, veth: Veth, outer: Link, inner: Link) -> None:
        bridge = self._doors.host.must_find(veth.bridge)
        self._doors.host.must(
            change_link(outer.index, mtu=veth.mtu, master=bridge.index, up=True),
            change_port(outer.index, hairpin=veth.hairpin, mtu=veth.mtu),
        )
        if not inner.up:
            wake(self._doors, veth, veth.peer, inner.index)
        elif inner.mtu != veth.mtu:
            self._doors.into(veth.namespace).must(change_link(inner.index, mtu=veth.mtu))

    def _ends(self, veth: Veth) -> tuple[Link | None, Link | None]:
        return self._doors.host.find(veth.name), self._doors.into(veth.namespace).find(veth.peer)

    def _find(self, veth: Veth) -> _Pair | None:
        """The pair that `veth` describes, wherever it is plugged in and whatever its size."""
        outer, inner = self._ends(veth)
        if outer is None or inner is None or outer.group not in LINK_GROUPS or not are_ends(outer, inner):
            return None
        present = veth_between(outer, inner, bridge=veth.bridge, namespace=veth.namespace)
        return (outer, inner) if replace(present, mtu=veth.mtu, hairpin=veth.hairpin) == veth else None

    def _clear_the_way(self, veth: Veth) -> None:
        """Delete what holds the names, if it is ours."""
        outer, inner = self._ends(veth)
        if outer is not None and outer.group not in LINK_GROUPS:
            raise taken(veth, f"an interface named {veth.name}")
        if inner is not None and inner.group not in LINK_GROUPS:
            raise taken(veth, f"an interface named {veth.peer} in {veth.namespace}")
        self._reaper.delete([veth.name])
        self.delete_inner(veth)
