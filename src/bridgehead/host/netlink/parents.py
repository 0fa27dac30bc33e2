"""Parents of macvlan and ipvlan networks: those made for them, and a look at those of somebody else."""

import errno
from collections.abc import Collection, Mapping

from bridgehead.core.drivers.api import HostLink
from bridgehead.core.drivers.lan_options import lacking
from bridgehead.core.model.errors import Conflict, HostRefused
from bridgehead.core.plan.lan import ParentLink
from bridgehead.host.netlink.doors import Door
from bridgehead.host.netlink.lan_sight import parent_link
from bridgehead.host.netlink.links import LOOPBACK, Link, change_link, get_link_at, read_link
from bridgehead.host.netlink.marks import LINK_GROUPS
from bridgehead.host.netlink.reaper import Reaper
from bridgehead.host.netlink.refusals import taken
from bridgehead.host.netlink.sublinks import ask_for_kind, create_parent

_LETS_GO = "vrf"  # the one master that leaves a port's frames to whoever else wants them


class Parents:
    """All methods raise OSError for the kernel's refusals."""

    def __init__(self, host: Door, reaper: Reaper) -> None:
        self._host = host
        self._reaper = reaper

    def create(self, parent: ParentLink) -> None:
        """What cannot be made whole is not left behind.

        Raises:
            Conflict: the name, or the VLAN, belongs to an interface that is not ours.
        """
        base = raised(self._host, parent.base).index if parent.base else 0
        try:
            born = read_link(self._host.ask(create_parent(parent, base)))
        except FileExistsError:
            self._settle(parent, base)
            return
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP:
                raise HostRefused(lacking(parent.kind)) from error
            raise
        try:
            self._wake(born)
        except OSError:
            self._reaper.delete([parent.name])
            raise

    def update(self, parent: ParentLink) -> None:
        if parent.base:
            raised(self._host, parent.base)
        self._wake(self._host.must_find(parent.name))

    def _settle(self, parent: ParentLink, base: int) -> None:
        present = self._host.find(parent.name)
        if present is None:
            raise Conflict(
                f"{parent.base} has a VLAN {parent.vlan} already, which is not called {parent.name}"
            )
        on = read_link(self._host.ask(get_link_at(base))) if base else None
        if present.group not in LINK_GROUPS or not parent_link(present, on).can_become(parent):
            raise taken(parent, f"an interface named {parent.name}")
        self._wake(present)

    def _wake(self, link: Link) -> None:
        self._host.ignore_routers(link.name)
        self._host.must(change_link(link.index, up=True))


def raised(host: Door, name: str) -> Link:
    """The interface of this name, brought up if it is down: nothing comes through one that is."""
    link = host.must_find(name)
    if not link.up:
        host.must(change_link(link.index, up=True))
    return link


class HostParents:
    """Fits `engine.world.Parents`. For the network namespace of whoever calls."""

    def links(self, names: Collection[str]) -> Mapping[str, HostLink]:
        door = Door()
        try:
            return {name: _described(door, link) for name, link in door.find_all(names).items()}
        finally:
            door.close()

    def link_kinds(self, asked: Collection[str]) -> frozenset[str]:
        kinds = sorted(asked)
        door = Door()
        try:
            replies = door.exchange([ask_for_kind(kind) for kind in kinds])
        finally:
            door.close()
        return frozenset(
            kind
            for kind, reply in zip(kinds, replies, strict=True)
            if reply.error is None or reply.error.errno != errno.EOPNOTSUPP
        )


def _described(door: Door, link: Link) -> HostLink:
    master = read_link(door.ask(get_link_at(link.master))) if link.master else None
    return HostLink(
        link.name,
        link.mtu,
        loopback=link.index == LOOPBACK,
        port_of=master.name if master and master.kind != _LETS_GO else "",
    )
