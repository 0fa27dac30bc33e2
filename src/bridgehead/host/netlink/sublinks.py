"""Messages for macvlan and ipvlan links and for the parents made for them; pure."""

import struct

from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.host.netlink.codec import (
    NLM_F_CREATE,
    NLM_F_ECHO,
    NLM_F_EXCL,
    Attributes,
    Request,
    as_u32,
    attribute,
    attributes,
    text,
    u32,
)
from bridgehead.host.netlink.links import (
    IFLA_ADDRESS,
    IFLA_GROUP,
    IFLA_IFNAME,
    IFLA_INFO_DATA,
    IFLA_INFO_KIND,
    IFLA_LINK,
    IFLA_LINKINFO,
    IFLA_MTU,
    IFLA_NET_NS_FD,
    RTM_NEWLINK,
    header,
    octets,
)
from bridgehead.host.netlink.marks import LINK_GROUP, LINK_GROUP_WITH_IPV6

SUBLINK_KINDS = frozenset({"macvlan", "ipvlan"})
PARENT_KINDS = frozenset({"vlan", "dummy"})

_IFLA_NUM_TX_QUEUES, _TOO_MANY_QUEUES = 31, 5000
_IFLA_MACVLAN_MODE, _IFLA_IPVLAN_MODE, _IFLA_IPVLAN_FLAGS, _IFLA_VLAN_ID = 1, 1, 2, 1
_MACVLAN_MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}
_IPVLAN_MODES = {"l2": 0, "l3": 1, "l3s": 2}
_IPVLAN_FLAGS = {"bridge": 0, "private": 1, "vepa": 2}
_U16 = struct.Struct("=H")


def create_sublink(link: SubLink, lower: int, namespace: int) -> Request:
    """Born down, inside, under its last name. `lower`: an index out here; `namespace`: an open descriptor.

    Not echoed: the answer would go to whoever has our port number inside.
    """
    body = header() + text(IFLA_IFNAME, link.name)
    if link.mac:
        body += attribute(IFLA_ADDRESS, octets(link.mac))
    if link.mtu:
        body += u32(IFLA_MTU, link.mtu)
    body += (
        u32(IFLA_GROUP, LINK_GROUP_WITH_IPV6 if link.ipv6 else LINK_GROUP)
        + u32(IFLA_LINK, lower)
        + u32(IFLA_NET_NS_FD, namespace)
        + _kind(link)
    )
    return Request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)


def change_sublink(index: int, link: SubLink) -> Request:
    """How it shares its lower link, in place."""
    return Request(RTM_NEWLINK, 0, header(index=index) + _kind(link))


def create_parent(parent: ParentLink, base: int) -> Request:
    """Born down, so that it hears no router before it is told not to.

    `base` is the index of what a vlan is on, 0 for a dummy.
    """
    kind = text(IFLA_INFO_KIND, parent.kind)
    body = header() + text(IFLA_IFNAME, parent.name) + u32(IFLA_GROUP, LINK_GROUP)
    if parent.kind == "vlan":
        body += u32(IFLA_LINK, base)
        kind += attribute(IFLA_INFO_DATA, attribute(_IFLA_VLAN_ID, _U16.pack(parent.vlan)))
    body += attribute(IFLA_LINKINFO, kind)
    return Request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO, body)


def ask_for_kind(kind: str) -> Request:
    """Never makes anything: a kernel that knows the kind refuses so many queues, another the kind itself."""
    body = header() + u32(_IFLA_NUM_TX_QUEUES, _TOO_MANY_QUEUES)
    body += attribute(IFLA_LINKINFO, text(IFLA_INFO_KIND, kind))
    return Request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)


def read_mode(kind: str, details: bytes) -> tuple[str, str]:
    """(mode, flag) of a sub-link from the details of its kind; '' for what has no name."""
    found = attributes(details)
    if kind == "macvlan":
        return _name(_MACVLAN_MODES, as_u32(found.get(_IFLA_MACVLAN_MODE))), ""
    mode = _name(_IPVLAN_MODES, _as_u16(found, _IFLA_IPVLAN_MODE))
    return mode, _name(_IPVLAN_FLAGS, _as_u16(found, _IFLA_IPVLAN_FLAGS))


def read_vlan(details: bytes) -> int:
    return _as_u16(attributes(details), _IFLA_VLAN_ID)


def _kind(link: SubLink) -> bytes:
    if link.kind == "macvlan":
        details = u32(_IFLA_MACVLAN_MODE, _MACVLAN_MODES[link.mode])
    else:
        details = attribute(_IFLA_IPVLAN_MODE, _U16.pack(_IPVLAN_MODES[link.mode]))
        details += attribute(_IFLA_IPVLAN_FLAGS, _U16.pack(_IPVLAN_FLAGS[link.flag]))
    return attribute(IFLA_LINKINFO, text(IFLA_INFO_KIND, link.kind) + attribute(IFLA_INFO_DATA, details))


def _as_u16(found: Attributes, kind: int) -> int:
    value = found.get(kind)
    return int(_U16.unpack_from(value)[0]) if value else 0


def _name(names: dict[str, int], number: int) -> str:
    return next((name for name, own in names.items() if own == number), "")
