"""Links that a driver of somebody else's made: moved into a sandbox, and given back.

One message moves, renames, marks and remembers, so there is no moment at which a killed process would leave
one behind that nobody knows. The link's alias holds what was wanted of it.
"""

from contextlib import suppress

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.borrowed import BorrowedLink
from bridgehead.host.namespaces.entering import descriptor_of
from bridgehead.host.netlink.doors import Doors
from bridgehead.host.netlink.inner_ends import wake
from bridgehead.host.netlink.links import Link, change_link, move_link
from bridgehead.host.netlink.marks import LINK_GROUP_BORROWED, LINK_GROUPS
from bridgehead.host.netlink.refusals import taken

_OWN_NAMESPACE = "/proc/self/ns/net"
_NO_GROUP = 0
_IPV6 = "6"
_NOTHING = "-"


class Borrowed:
    """All methods raise OSError for the kernel's refusals."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def settle(self, link: BorrowedLink) -> None:
        """Have it inside as it is wanted; one that is there already is put right where it stands.

        Raises:
            HostRefused: the driver named an interface that is not there.
            Conflict: the name inside belongs to somebody else.
        """
        door = self._doors.into(link.namespace)
        present = door.find(link.name)
        if present is not None and present.group == LINK_GROUP_BORROWED:
            if seen(present, link.namespace, whole=False) == link:
                self._wake(link, present.index)
                return
            self._move_out(link.namespace, present)
        elif present is not None:
            raise taken(link, f"an interface named {link.name} in {link.namespace}")
        self._move_in(link)
        moved = door.must_find(link.name)
        try:
            self._wake(link, moved.index)
        except (OSError, HostRefused):
            with suppress(OSError):
                self._move_out(link.namespace, moved)
            raise

    def delete(self, link: BorrowedLink) -> None:
        """Back to where it came from, under its old name; nothing if it is gone."""
        try:
            present = self._doors.into(link.namespace).find(link.name)
        except FileNotFoundError:
            return
        if present is not None and present.group == LINK_GROUP_BORROWED:
            self._move_out(link.namespace, present)

    def _move_in(self, link: BorrowedLink) -> None:
        source = self._doors.host.find(link.source)
        if source is None:
            raise HostRefused(f"the network's driver gave interface {link.source}, which does not exist")
        if source.group in LINK_GROUPS:
            raise taken(link, f"an interface named {link.source} of another network")
        with descriptor_of(link.namespace) as namespace:
            self._doors.host.must(
                move_link(source.index, namespace, link.name, LINK_GROUP_BORROWED, _remembered(link))
            )

    def _wake(self, link: BorrowedLink, index: int) -> None:
        if link.mac:
            self._doors.into(link.namespace).must(change_link(index, mac=link.mac))
        wake(self._doors, link, link.name, index)

    def _move_out(self, namespace: str, link: Link) -> None:
        source = link.alias.partition(" ")[0] or link.name
        with descriptor_of(_OWN_NAMESPACE) as home:
            self._doors.into(namespace).must(move_link(link.index, home, source, _NO_GROUP, ""))


def seen(link: Link, namespace: str, *, whole: bool = True) -> BorrowedLink | None:
    """What a link inside shows of itself; None if it is not borrowed. One that is down, or has another MAC
    address than was wanted, is shown without a source, as nobody can want it, unless `whole` is False.
    """
    words = link.alias.split(" ", 3)
    if link.group != LINK_GROUP_BORROWED or len(words) < 4:
        return None
    source, mac, ipv6, sysctls = words
    mac = "" if mac == _NOTHING else mac
    broken = whole and (not link.up or mac not in {"", link.mac})
    return BorrowedLink(
        namespace,
        link.name,
        "" if broken else source,
        mac,
        ipv6 == _IPV6,
        tuple(filter(None, sysctls.split(","))),
    )


def _remembered(link: BorrowedLink) -> str:
    return " ".join(
        (link.source, link.mac or _NOTHING, _IPV6 if link.ipv6 else _NOTHING, ",".join(link.sysctls))
    )
