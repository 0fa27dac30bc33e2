"""What rtnetlink announces, as notices."""

import ipaddress
import socket
import struct
from collections.abc import Callable, Iterable, Iterator

from bridgehead.core.plan.notice import (
    AddressAppeared,
    AddressGone,
    ForwardingChanged,
    LinkChanged,
    LinkGone,
    Notice,
    RouteAppeared,
    RouteGone,
)
from bridgehead.host.watch.messages import Message, as_number, as_text, attributes

# RTNLGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE, IPV4_NETCONF, IPV6_NETCONF
GROUPS = (1, 5, 7, 9, 11, 24, 25)

_NEWLINK, _DELLINK, _NEWADDR, _DELADDR, _NEWROUTE, _DELROUTE, _NEWNETCONF = 16, 17, 20, 21, 24, 25, 80
_LINK = struct.Struct("=BxHiII")  # family, type, index, flags, changed flags
_ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
_ROUTE = struct.Struct("=BBBBBBBBI")  # family, lengths, tos, table, protocol, scope, type, flags
_SETTINGS = struct.Struct("=Bxxx")  # family
_IFF_UP = 0x1
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER = 1, 3, 4, 10
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF = 1, 4
_NETCONFA_IFINDEX, _NETCONFA_FORWARDING = 1, 2
_EVERY_LINK = 0xFFFFFFFF
_MAIN_TABLE, _UNICAST, _CLONED = 254, 1, 0x200
_FAMILIES = {socket.AF_INET: 4, socket.AF_INET6: 6}
_ANYWHERE = {socket.AF_INET: bytes(4), socket.AF_INET6: bytes(16)}


class RouteReader:
    """Knows links by their index from what it has read, since notices tell names."""

    def __init__(self, names: dict[int, str], named: Callable[[int], str]) -> None:
        self._names = names
        self._named = named

    def learn(self, names: Iterable[tuple[int, str]]) -> None:
        """Start again: announcements were lost."""
        self._names = dict(names)

    def read(self, message: Message) -> Iterator[Notice]:
        if message.kind in (_NEWLINK, _DELLINK):
            yield from self._link(message)
        elif message.kind in (_NEWADDR, _DELADDR):
            yield from self._address(message)
        elif message.kind in (_NEWROUTE, _DELROUTE):
            yield from self._route(message)
        elif message.kind == _NEWNETCONF:
            yield from self._settings(message)

    def _link(self, message: Message) -> Iterator[Notice]:
        family, _, index, flags, _ = _LINK.unpack_from(message.body)
        if family != socket.AF_UNSPEC:
            return  # how a bridge sees its port; the link itself is announced as well
        found = attributes(message.body, _LINK.size)
        name, by = as_text(found.get(_IFLA_IFNAME)), self._named(message.sender)
        before = self._names.pop(index, name)
        if message.kind == _DELLINK:
            yield LinkGone(name, by)
            return
        self._names[index] = name
        if before != name:
            yield LinkGone(before, by)
        yield LinkChanged(
            name,
            mac=found.get(_IFLA_ADDRESS, b"").hex(":"),
            mtu=as_number(found.get(_IFLA_MTU)),
            up=bool(flags & _IFF_UP),
            master=self._names.get(as_number(found.get(_IFLA_MASTER)), ""),
            by=by,
        )

    def _address(self, message: Message) -> Iterator[Notice]:
        family, length, _, _, index = _ADDRESS.unpack_from(message.body)
        found = attributes(message.body, _ADDRESS.size)
        packed = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS)
        if family not in _ANYWHERE or packed is None or index not in self._names:
            return
        kind = AddressGone if message.kind == _DELADDR else AddressAppeared
        address = ipaddress.ip_interface((packed, length))
        yield kind(self._names[index], address, self._named(message.sender))

    def _route(self, message: Message) -> Iterator[Notice]:
        family, length, _, _, table, protocol, _, sort, flags = _ROUTE.unpack_from(message.body)
        if family not in _ANYWHERE or (table, sort) != (_MAIN_TABLE, _UNICAST) or flags & _CLONED:
            return
        found = attributes(message.body, _ROUTE.size)
        destination = ipaddress.ip_network((found.get(_RTA_DST, _ANYWHERE[family]), length), strict=False)
        kind = RouteGone if message.kind == _DELROUTE else RouteAppeared
        link = self._names.get(as_number(found.get(_RTA_OIF)), "")
        yield kind(destination, link, protocol, self._named(message.sender))

    def _settings(self, message: Message) -> Iterator[Notice]:
        """Every new link has settings announced for it; what counts is the host's own."""
        (family,) = _SETTINGS.unpack_from(message.body)
        found = attributes(message.body, _SETTINGS.size)
        forwarding = found.get(_NETCONFA_FORWARDING)
        if as_number(found.get(_NETCONFA_IFINDEX)) == _EVERY_LINK and forwarding and family in _FAMILIES:
            yield ForwardingChanged(
                _FAMILIES[family], on=as_number(forwarding) != 0, by=self._named(message.sender)
            )
