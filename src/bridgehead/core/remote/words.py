"""How names are spelled on the wire, and the pieces of text that mean something there.

A plugin's text becomes the model's types here; what does not fit is a ValueError, which msgspec tells with
the place it was found at.
"""

import ipaddress
import re
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

from bridgehead.core.model.addresses import Address, Interface, Prefix, parse_mac
from bridgehead.core.model.errors import InvalidParameter

# Keys of `Options` and `Data`.
GENERIC = "com.docker.network.generic"
ENABLE_IPV4 = "com.docker.network.enable_ipv4"
ENABLE_IPV6 = "com.docker.network.enable_ipv6"
INTERNAL = "com.docker.network.internal"
GATEWAY = "com.docker.network.gateway"
EXPOSED_PORTS = "com.docker.network.endpoint.exposedports"
PORT_MAP = "com.docker.network.portmap"
MAC_ADDRESS = "com.docker.network.endpoint.macaddress"
ENDPOINT_NAME = "com.docker.network.endpoint.name"
REQUEST_ADDRESS_TYPE = "RequestAddressType"

LONGEST_NAME = 15
LONGEST_PREFIX = 13  # a number of two digits follows it

_CAPITALS = {
    "id": "ID",
    "ip": "IP",
    "ipv4": "IPv4",
    "ipv6": "IPv6",
}
_LINK_NAME = re.compile(r"[A-Za-z0-9_.,@+=#~^-]*")
_SHOWN = 80


def wire_name(field: str) -> str:
    return "".join(_CAPITALS.get(word, word.capitalize()) for word in field.split("_"))


def shown(text: str) -> str:
    """Text of unknown length and content, fit for a sentence."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def cidr(text: str) -> Interface:
    if "/" not in text or "%" in text:
        raise ValueError(f"{shown(text)} is no address with a prefix length")
    try:
        return ipaddress.ip_interface(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is no address with a prefix length") from None


def cidr4(text: str) -> IPv4Interface | None:
    """None where the text is empty."""
    found = cidr(text) if text else None
    if isinstance(found, IPv6Interface):
        raise ValueError(f"{text} is not IPv4")  # noqa: TRY004 - msgspec tells the place of a ValueError
    return found


def cidr6(text: str) -> IPv6Interface | None:
    found = cidr(text) if text else None
    if isinstance(found, IPv4Interface):
        raise ValueError(f"{text} is not IPv6")  # noqa: TRY004
    return found


def prefix(text: str) -> Prefix:
    return cidr(text).network


def address(text: str) -> Address:
    try:
        return ipaddress.ip_address(text.replace("%", "/"))  # no zones: they mean something on one host only
    except ValueError:
        raise ValueError(f"{shown(text)} is no address") from None


def address4(text: str) -> IPv4Address | None:
    found = address(text) if text else None
    if isinstance(found, IPv6Address):
        raise ValueError(f"{text} is not IPv4")  # noqa: TRY004
    return found


def address6(text: str) -> IPv6Address | None:
    found = address(text) if text else None
    if isinstance(found, IPv4Address):
        raise ValueError(f"{text} is not IPv6")  # noqa: TRY004
    return found


def mac(text: str) -> str | None:
    """As the model writes it; None where the text is empty."""
    try:
        return parse_mac(text) if text else None
    except InvalidParameter:
        raise ValueError(f"{shown(text)} is no MAC address of one host") from None


def link_name(text: str, longest: int = LONGEST_NAME) -> str:
    """An interface's name, or the beginning of one; may be empty."""
    if len(text) > longest:
        raise ValueError(f"{shown(text)} is longer than {longest} characters")
    if text in {".", ".."} or not _LINK_NAME.fullmatch(text):
        raise ValueError(f"{shown(text)} is no name for an interface")
    return text
