"""Link messages: building requests for bridges and veth pairs, reading what a dump or an echo says."""

import struct
from dataclasses import dataclass

from bridgehead.core.model.network import SMALLEST_IPV6_MTU
from bridgehead.core.plan.objects import Bridge, Veth
from bridgehead.host.netlink.codec import (
    NLM_F_CREATE,
    NLM_F_ECHO,
    NLM_F_EXCL,
    Attributes,
    Message,
    Request,
    as_text,
    as_u32,
    attribute,
    attributes,
    text,
    u32,
)
from bridgehead.host.netlink.marks import LINK_GROUP, LINK_GROUP_WITH_IPV6

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
LOOPBACK = 1  # the index it has in every namespace

_AF_INET, _AF_INET6 = 2, 10
_IFF_UP = 0x1

IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, _IFLA_MASTER = 1, 3, 4, 5, 10
IFLA_LINKINFO, _IFLA_IFALIAS, _IFLA_AF_SPEC, IFLA_GROUP, IFLA_NET_NS_FD = 18, 20, 26, 27, 28
_IFLA_EXT_MASK, _IFLA_LINK_NETNSID = 29, 37
IFLA_INFO_KIND, IFLA_INFO_DATA, _IFLA_INFO_SLAVE_KIND, _IFLA_INFO_SLAVE_DATA = 1, 2, 4, 5
_VETH_INFO_PEER, _BRPORT_MODE = 1, 4
_IFLA_INET_CONF, _CONF_ARP_NOTIFY, _CONF_ROUTE_LOCALNET = 1, 22, 26
_IFLA_INET6_CONF, _CONF_ACCEPT_RA = 2, 3
_IFLA_INET6_ADDR_GEN_MODE, _ADDR_GEN_NONE = 8, 1
_WITHOUT_STATISTICS = 1 << 3
_LARGEST_MTU = 65535

_HEADER = struct.Struct("=BxHiII")  # family, type, index, flags, the flags to change


@dataclass(frozen=True, slots=True)
class Link:
    """A link as the kernel shows it. `peer` is the index of the other end of a veth, or of what the link
    stands on (0: neither); `peer_elsewhere`: that index counts in another namespace. `details`: what is known
    of its `kind` alone, as bytes. `hairpin` is a bridge port's. `hears_routers`: whoever announces itself
    there as an IPv6 router may become the way out.
    """

    index: int
    family: int
    name: str
    kind: str
    group: int
    mac: str
    mtu: int
    up: bool
    master: int
    peer: int
    peer_elsewhere: bool
    route_localnet: bool
    hears_routers: bool
    hairpin: bool
    alias: str
    details: bytes


def read_link(message: Message) -> Link:
    family, _, index, flags, _ = _HEADER.unpack_from(message.body)
    found = attributes(message.body, _HEADER.size)
    kind = attributes(found.get(IFLA_LINKINFO, b""))
    return Link(
        index=index,
        family=family,
        name=as_text(found.get(IFLA_IFNAME)),
        kind=as_text(kind.get(IFLA_INFO_KIND)),
        group=as_u32(found.get(IFLA_GROUP)),
        mac=found.get(IFLA_ADDRESS, b"").hex(":"),
        mtu=as_u32(found.get(IFLA_MTU)),
        up=bool(flags & _IFF_UP),
        master=as_u32(found.get(_IFLA_MASTER)),
        peer=as_u32(found.get(IFLA_LINK)),
        peer_elsewhere=_IFLA_LINK_NETNSID in found,
        route_localnet=_route_localnet(found.get(_IFLA_AF_SPEC, b"")),
        hears_routers=_hears_routers(found.get(_IFLA_AF_SPEC, b"")),
        hairpin=_hairpin(kind),
        alias=as_text(found.get(_IFLA_IFALIAS)),
        details=kind.get(IFLA_INFO_DATA, b""),
    )


def _route_localnet(families: bytes) -> bool:
    """The kernel shows a link's IPv4 settings as one array of numbers, in the order of their own numbers."""
    settings = attributes(attributes(families).get(_AF_INET, b"")).get(_IFLA_INET_CONF, b"")
    return as_u32(settings[(_CONF_ROUTE_LOCALNET - 1) * 4 : _CONF_ROUTE_LOCALNET * 4]) != 0


def _hears_routers(families: bytes) -> bool:
    """The same for IPv6, where numbers begin at 0."""
    settings = attributes(attributes(families).get(_AF_INET6, b"")).get(_IFLA_INET6_CONF, b"")
    return as_u32(settings[_CONF_ACCEPT_RA * 4 : (_CONF_ACCEPT_RA + 1) * 4]) != 0


def _hairpin(kind: Attributes) -> bool:
    """Ports of other masters number their properties in other ways."""
    if as_text(kind.get(_IFLA_INFO_SLAVE_KIND)) != "bridge":
        return False
    return attributes(kind.get(_IFLA_INFO_SLAVE_DATA, b"")).get(_BRPORT_MODE) == b"\1"


def get_link(name: str) -> Request:
    return Request(RTM_GETLINK, 0, header() + text(IFLA_IFNAME, name) + _LEAN)


def get_link_at(index: int) -> Request:
    return Request(RTM_GETLINK, 0, header(index=index) + _LEAN)


def dump_links() -> Request:
    return Request(RTM_GETLINK, 0, header() + _LEAN)


def create_bridge(bridge: Bridge) -> Request:
    """Up at birth, and one byte off its size: a bridge whose size was never changed takes on its ports'."""
    mtu = bridge.mtu + 1 if bridge.mtu < _LARGEST_MTU else bridge.mtu - 1
    body = (
        header(up=True)
        + text(IFLA_IFNAME, bridge.name)
        + attribute(IFLA_ADDRESS, octets(bridge.mac))
        + u32(IFLA_MTU, mtu)
        + u32(IFLA_GROUP, LINK_GROUP)
        + attribute(IFLA_LINKINFO, text(IFLA_INFO_KIND, "bridge"))
    )
    return Request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO, body)


def create_veth(veth: Veth, bridge: int, namespace: int) -> Request:
    """The outer end is born up and in its bridge; the inner one inside, under its last name, and down.

    `bridge` is an interface index, `namespace` an open descriptor. The echo names the indexes of both ends.
    """
    inner = (
        header()
        + text(IFLA_IFNAME, veth.peer)
        + attribute(IFLA_ADDRESS, octets(veth.mac))
        + u32(IFLA_GROUP, LINK_GROUP_WITH_IPV6 if veth.ipv6 else LINK_GROUP)
        + u32(IFLA_MTU, veth.mtu)
        + u32(IFLA_NET_NS_FD, namespace)
    )
    kind = text(IFLA_INFO_KIND, "veth")
    pair = attribute(IFLA_INFO_DATA, attribute(_VETH_INFO_PEER, inner))
    body = (
        header(up=True)
        + text(IFLA_IFNAME, veth.name)
        + u32(IFLA_GROUP, LINK_GROUP)
        + u32(IFLA_MTU, veth.mtu)
        + u32(_IFLA_MASTER, bridge)
        + attribute(IFLA_LINKINFO, kind + pair)
    )
    return Request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO, body)


def change_link(
    index: int,
    *,
    mac: str | None = None,
    mtu: int | None = None,
    master: int | None = None,
    route_localnet: bool | None = None,
    announces: bool = False,
    up: bool = False,
) -> Request:
    """Change what is given, in place; `up` False leaves the link as it is.

    `announces`: from here on, it tells its neighbours when its MAC address is set.
    """
    body = header(index=index, up=up)
    if mac is not None:
        body += attribute(IFLA_ADDRESS, octets(mac))
    if mtu is not None:
        body += u32(IFLA_MTU, mtu)
    if master is not None:
        body += u32(_IFLA_MASTER, master)
    if route_localnet is not None:
        body += _ipv4_setting(_CONF_ROUTE_LOCALNET, route_localnet)
    if announces:
        body += _ipv4_setting(_CONF_ARP_NOTIFY, 1)
    return Request(RTM_NEWLINK, 0, body)


def _ipv4_setting(number: int, value: int) -> bytes:
    return attribute(_IFLA_AF_SPEC, attribute(_AF_INET, attribute(_IFLA_INET_CONF, u32(number, value))))


def change_port(index: int, *, hairpin: bool, mtu: int) -> Request:
    """For a link that is in its bridge already.

    It gets no link-local address, and so there is no IPv6 chatter from it: a bridge port needs none. A link
    too small for IPv6 has none of it in the kernel, and nothing that could be switched off.
    """
    port = attribute(_IFLA_INFO_SLAVE_DATA, attribute(_BRPORT_MODE, bytes([hairpin])))
    body = header(index=index) + attribute(IFLA_LINKINFO, text(_IFLA_INFO_SLAVE_KIND, "bridge") + port)
    if mtu >= SMALLEST_IPV6_MTU:
        mode = attribute(_IFLA_INET6_ADDR_GEN_MODE, bytes([_ADDR_GEN_NONE]))
        body += attribute(_IFLA_AF_SPEC, attribute(_AF_INET6, mode))
    return Request(RTM_NEWLINK, 0, body)


def remember(index: int, words: str) -> Request:
    """Text that the link keeps: its alias."""
    return Request(RTM_NEWLINK, 0, header(index=index) + text(_IFLA_IFALIAS, words))


def move_link(index: int, namespace: int, name: str, group: int, words: str) -> Request:
    """Into the namespace of an open descriptor, under another name, with a group and words to remember. It is
    down then.
    """
    body = (
        header(index=index)
        + u32(IFLA_NET_NS_FD, namespace)
        + text(IFLA_IFNAME, name)
        + u32(IFLA_GROUP, group)
        + text(_IFLA_IFALIAS, words)
    )
    return Request(RTM_NEWLINK, 0, body)


def delete_link(index: int) -> Request:
    return Request(RTM_DELLINK, 0, header(index=index))


def header(*, index: int = 0, up: bool = False) -> bytes:
    flags = _IFF_UP if up else 0
    return _HEADER.pack(0, 0, index, flags, flags)


def octets(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


_LEAN = u32(_IFLA_EXT_MASK, _WITHOUT_STATISTICS)
