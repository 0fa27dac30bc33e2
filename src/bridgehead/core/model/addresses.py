"""Address types used everywhere inside; text exists only in `api` and `host`.

Address is one host, Prefix a block, Interface an address with its prefix length.
"""

import ipaddress
import re
from functools import lru_cache

from bridgehead.core.model.errors import InvalidParameter

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface

_LINK_LOCAL = {4: ipaddress.ip_network("169.254.0.0/16"), 6: ipaddress.ip_network("fe80::/64")}
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")

# For objects there are thousands of: a thousand ports have a handful of addresses among them.
spelled = lru_cache(256)(str)


def interface(address: Address, prefix: Prefix) -> Interface:
    return ipaddress.ip_interface(f"{address}/{prefix.prefixlen}")


def link_local(address: Address) -> Interface:
    """With the length of the block that every link has."""
    return interface(address, _LINK_LOCAL[address.version])


def parse_mac(text: str) -> str:
    """A unicast MAC address as lower-case, colon-separated text.

    Raises:
        InvalidParameter: the text is no MAC address, or names a group of hosts.
    """
    mac = text.lower().replace("-", ":")
    if not _MAC.fullmatch(mac):
        raise InvalidParameter(f"invalid MAC address: {text}")
    if int(mac[:2], 16) & 1:
        raise InvalidParameter(f"invalid MAC address: {text} is a multicast address")
    return mac
