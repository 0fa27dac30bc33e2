"""An interface that is not ours, by its name: one look at it before anything is decided, and waking it."""

from bridgehead.core.standing import Standing
from bridgehead.host.netlink.doors import Doors
from bridgehead.host.netlink.inet import dump_addresses, read_address
from bridgehead.host.netlink.links import change_link, dump_links, read_link
from bridgehead.host.netlink.marks import LINK_GROUPS, PROTOCOL


def standing(name: str) -> Standing | None:
    """What is there under this name in the network namespace of the caller."""
    doors = Doors()
    try:
        links = [read_link(message) for message in doors.host.dump(dump_links())]
        link = next((item for item in links if item.name == name), None)
        if link is None:
            return None
        read = map(read_address, doors.host.dump(dump_addresses()))
        found = [item for item in read if item and item.link == link.index and not item.address.is_link_local]
        return Standing(
            name,
            is_bridge=link.kind == "bridge",
            ours=link.group in LINK_GROUPS,
            up=link.up,
            own=tuple(item.address for item in found if item.protocol == PROTOCOL),
            foreign=tuple(item.address for item in found if item.protocol != PROTOCOL),
            ports=tuple(
                item.name for item in links if item.master == link.index and item.group not in LINK_GROUPS
            ),
        )
    finally:
        doors.close_all()


def wake(name: str) -> None:
    """Bring up a bridge that its owner lends us. Once: when they take it down again, that is their wish.

    Raises:
        OSError: the kernel's refusal.
    """
    doors = Doors()
    try:
        doors.host.must(change_link(doors.host.must_find(name).index, up=True))
    finally:
        doors.close_all()
