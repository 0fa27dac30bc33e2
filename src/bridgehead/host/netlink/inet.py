"""Address and route messages, for IPv4 and IPv6 alike."""

import ipaddress
import struct
from dataclasses import dataclass

from bridgehead.core.model.addresses import Address, Interface, Prefix
from bridgehead.host.netlink.codec import (
    NLM_F_APPEND,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    Message,
    Request,
    as_u32,
    attribute,
    attributes,
    u32,
)
from bridgehead.host.netlink.marks import PROTOCOL

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26

_AF_INET, _AF_INET6 = 2, 10
_FAMILIES = {4: _AF_INET, 6: _AF_INET6}
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST, _IFA_PROTO = 1, 2, 4, 11
_IFA_F_NODAD = 0x02
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC = 1, 4, 5, 6, 7
_KERNEL_METRIC = 256  # of IPv6
_MAIN_TABLE = 254
KERNEL = 2  # the protocol of routes that come with addresses
_SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_NOWHERE = 0, 253, 255
_UNICAST = 1
_SMALLEST_BROADCAST_DOMAIN = 30  # longer IPv4 prefixes have no broadcast address

_ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
_ROUTE = struct.Struct(
    "=BBBBBBBBI"
)  # family, lengths of both prefixes, tos, table, protocol, scope, type, flags


@dataclass(frozen=True, slots=True)
class FoundAddress:
    link: int
    address: Interface
    protocol: int


@dataclass(frozen=True, slots=True)
class FoundRoute:
    link: int
    destination: Prefix
    gateway: Address | None
    protocol: int


def create_address(link: int, address: Interface) -> Request:
    return Request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, _address(link, address))


def delete_address(link: int, address: Interface) -> Request:
    return Request(RTM_DELADDR, 0, _address(link, address))


def dump_addresses() -> Request:
    return Request(RTM_GETADDR, 0, _ADDRESS.pack(0, 0, 0, 0, 0))


def read_address(message: Message) -> FoundAddress | None:
    """None for a family that is neither IPv4 nor IPv6."""
    family, length, _, _, link = _ADDRESS.unpack_from(message.body)
    found = attributes(message.body, _ADDRESS.size)
    packed = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS)
    if family not in _FAMILIES.values() or packed is None:
        return None
    address = ipaddress.ip_interface((packed, length))
    return FoundAddress(link, address, found.get(_IFA_PROTO, b"\0")[0])


def create_route(link: int, destination: Prefix, gateway: Address | None) -> Request:
    return Request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, _route(link, destination, gateway))


def replace_route(link: int, destination: Prefix, gateway: Address | None) -> Request:
    return Request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, _route(link, destination, gateway))


def delete_route(link: int, destination: Prefix, gateway: Address | None) -> Request:
    """Only a route with our protocol number can match."""
    body = _route(link, destination, gateway, scope=_SCOPE_NOWHERE)
    return Request(RTM_DELROUTE, 0, body)


def dump_routes(protocol: int = PROTOCOL) -> Request:
    """Ours alone, or those the kernel made for addresses: the kernel sorts out the others."""
    return Request(RTM_GETROUTE, 0, _ROUTE.pack(0, 0, 0, 0, _MAIN_TABLE, protocol, 0, 0, 0))


def restore_subnet(link: int, address: Interface) -> Request:
    """The route to an address's own block, as the kernel makes it with the address."""
    family, length = _FAMILIES[address.version], address.network.prefixlen
    scope = _SCOPE_LINK if address.version == 4 else _SCOPE_UNIVERSE
    body = _ROUTE.pack(family, length, 0, 0, _MAIN_TABLE, KERNEL, scope, _UNICAST, 0)
    body += attribute(_RTA_DST, address.network.network_address.packed)
    if address.version == 4:
        body += attribute(_RTA_PREFSRC, address.packed)
    else:
        body += u32(_RTA_PRIORITY, _KERNEL_METRIC)
    # Another link may lead to the same block: ours comes beside it, as it would with a new address.
    return Request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, body + u32(_RTA_OIF, link))


def has_subnet(address: Interface) -> bool:
    return address.network.prefixlen < address.max_prefixlen


def read_route(message: Message) -> FoundRoute | None:
    """None for a family that is neither IPv4 nor IPv6, and for what is no plain route over one link."""
    family, length, _, _, _, protocol, _, kind, _ = _ROUTE.unpack_from(message.body)
    found = attributes(message.body, _ROUTE.size)
    if family not in _FAMILIES.values() or kind != _UNICAST or _RTA_OIF not in found:
        return None
    any_address = bytes(4 if family == _AF_INET else 16)
    destination = ipaddress.ip_network((found.get(_RTA_DST, any_address), length))
    gateway = found.get(_RTA_GATEWAY)
    return FoundRoute(
        link=as_u32(found[_RTA_OIF]),
        destination=destination,
        gateway=ipaddress.ip_address(gateway) if gateway else None,
        protocol=protocol,
    )


def _address(link: int, address: Interface) -> bytes:
    prefix = address.network
    flags = _IFA_F_NODAD if address.version == 6 else 0
    body = _ADDRESS.pack(_FAMILIES[address.version], prefix.prefixlen, flags, _SCOPE_UNIVERSE, link)
    body += attribute(_IFA_LOCAL, address.packed) + attribute(_IFA_ADDRESS, address.packed)
    if isinstance(prefix, ipaddress.IPv4Network) and prefix.prefixlen <= _SMALLEST_BROADCAST_DOMAIN:
        body += attribute(_IFA_BROADCAST, prefix.broadcast_address.packed)
    return body + attribute(_IFA_PROTO, bytes([PROTOCOL]))


def _route(link: int, destination: Prefix, gateway: Address | None, scope: int | None = None) -> bytes:
    if scope is None:
        scope = _SCOPE_UNIVERSE if gateway or destination.version == 6 else _SCOPE_LINK
    family, length = _FAMILIES[destination.version], destination.prefixlen
    body = _ROUTE.pack(family, length, 0, 0, _MAIN_TABLE, PROTOCOL, scope, _UNICAST, 0)
    if length:
        body += attribute(_RTA_DST, destination.network_address.packed)
    if gateway is not None:
        body += attribute(_RTA_GATEWAY, gateway.packed)
    return body + u32(_RTA_OIF, link)
