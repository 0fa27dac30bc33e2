"""Macvlan and ipvlan links: made from outside straight into their namespace, woken there."""

import errno
import socket
from collections.abc import Iterable
from functools import partial

from bridgehead.core.drivers.lan_options import lacking
from bridgehead.core.model.errors import Conflict, HostRefused
from bridgehead.core.plan.explain import describe
from bridgehead.core.plan.lan import SubLink
from bridgehead.host.namespaces.entering import descriptor_of, socket_in
from bridgehead.host.netlink.doors import Doors
from bridgehead.host.netlink.inner_ends import wake
from bridgehead.host.netlink.lan_sight import remembered, sub_link
from bridgehead.host.netlink.links import (
    Link,
    change_link,
    dump_links,
    get_link_at,
    read_link,
    remember,
)
from bridgehead.host.netlink.marks import LINK_GROUPS
from bridgehead.host.netlink.parents import raised
from bridgehead.host.netlink.reaper import Reaper
from bridgehead.host.netlink.refusals import taken
from bridgehead.host.netlink.sublinks import SUBLINK_KINDS, change_sublink, create_sublink

_MACVLANS = ("macvlan", "macvtap")


class SubLinks:
    """All methods raise OSError for the kernel's refusals."""

    def __init__(self, doors: Doors, reaper: Reaper) -> None:
        self._doors = doors
        self._reaper = reaper

    def create(self, link: SubLink) -> None:
        """What cannot be made whole is not left behind.

        Raises:
            Conflict: the name belongs to an interface that is not ours.
        """
        try:
            self._make(link)
        except FileExistsError:
            present = self._doors.into(link.namespace).find(link.name)
            if present is not None and present.group not in LINK_GROUPS:
                raise taken(link, f"an interface named {link.name} in {link.namespace}") from None
            if present is not None and self._seen(link, present).can_become(link):
                self._adjust(link, present)
            else:
                self.delete(link)
                self._make(link)

    def update(self, link: SubLink) -> None:
        """Change how the lower link is shared, and the size; bring up what is down. Connections live on."""
        self._adjust(link, self._doors.into(link.namespace).must_find(link.name))

    def delete(self, link: SubLink) -> None:
        try:
            present = self._doors.into(link.namespace).find(link.name)
        except FileNotFoundError:
            return  # it went with its namespace
        refusals = self._reap(link.namespace, [present] if present else [])
        if link.name in refusals:
            raise refusals[link.name]

    def delete_all_into(self, namespaces: Iterable[str]) -> None:
        """Every one in these: a namespace lets go of its links late, and a parent may be needed at once.

        One that stays in spite of this is a leftover to the next look.
        """
        for namespace in namespaces:
            try:
                links = map(read_link, self._doors.into(namespace).dump(dump_links()))
                self._reap(namespace, [link for link in links if link.kind in SUBLINK_KINDS])
            except (OSError, HostRefused):
                continue

    def _reap(self, namespace: str, links: Iterable[Link]) -> dict[str, OSError]:
        opened = partial(socket_in, namespace, socket.AF_NETLINK, socket.SOCK_RAW)
        return self._reaper.delete_found(links, opened)

    def _make(self, link: SubLink) -> None:
        self._bear(link)
        door = self._doors.into(link.namespace)
        try:
            born = door.must_find(link.name)
            if born.mac != link.mac and link.mac:
                door.must(change_link(born.index, mac=link.mac))  # passed through, it had the lower link's
            if words := remembered(link):
                door.must(remember(born.index, words))
            wake(self._doors, link, link.name, born.index)
        except (OSError, HostRefused) as error:
            self.delete(link)
            if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
                raise Conflict(
                    f"MAC address {link.mac} is in use upon {link.lower}, by itself or another link"
                ) from error
            raise

    def _bear(self, link: SubLink) -> None:
        try:
            lower = raised(self._doors.host, link.lower)
        except OSError as error:
            if error.errno != errno.ENODEV:
                raise
            raise HostRefused(
                f"parent interface {link.lower} is not there, and {link.name} needs it"
            ) from None
        try:
            with descriptor_of(link.namespace) as namespace:
                self._doors.host.must(create_sublink(link, lower.index, namespace))
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP:
                raise HostRefused(lacking(link.kind)) from error
            if error.errno == errno.EINVAL and (standing := self._standing_on(lower)):
                raise Conflict(
                    f"cannot create {describe(link)}: mode passthru shares a parent interface with nobody, "
                    f"and {', '.join(standing)} stands on {link.lower}"
                ) from error
            raise

    def _standing_on(self, lower: Link) -> list[str]:
        """Those of the host's own interfaces: it does not see into other namespaces."""
        found = map(read_link, self._doors.host.dump(dump_links()))
        return [
            link.name
            for link in found
            if link.kind in _MACVLANS and link.peer == lower.index and not link.peer_elsewhere
        ]

    def _adjust(self, link: SubLink, present: Link) -> None:
        seen = self._seen(link, present)
        door = self._doors.into(link.namespace)
        if (seen.mode, seen.flag) != (link.mode, link.flag):
            door.must(change_sublink(present.index, link))
        if not present.up:
            raised(self._doors.host, link.lower)
            wake(self._doors, link, link.name, present.index)
        elif link.mtu and present.mtu != link.mtu:
            door.must(change_link(present.index, mtu=link.mtu))

    def _seen(self, link: SubLink, present: Link) -> SubLink:
        (reply,) = self._doors.host.exchange([get_link_at(present.peer)])
        lower = read_link(reply.message) if reply.message else None
        return sub_link(lower, present, link.namespace)
