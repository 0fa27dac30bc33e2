"""What a flag's text, or its value in daemon.json, must be like, and what it becomes.

A parser takes one text and gives a value, or raises ValueError with the reason as dockerd words it. A flag
that may be given more than once has a list of texts, and in the file a JSON list, or what `from_json` takes.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridgehead.core.ipam.pools import Pool
from bridgehead.core.model.addresses import Address, Interface, Prefix

_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}
_DOMAIN = re.compile(
    r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """`scalar`: the JSON type of one value. `from_json`: for keys that are no plain value or list of them."""

    metavar: str
    parse: Callable[[str], Any]
    many: bool = False
    scalar: type = str
    expected: str = "a text"
    from_json: Callable[[Any], Any] | None = None


def _truth(text: str) -> bool:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _address(text: str) -> Address:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        raise ValueError(f"{text} is not an ip address") from None


def _interface(version: int) -> Callable[[str], Interface]:
    def parse(text: str) -> Interface:
        try:
            found = ipaddress.ip_interface(text)
        except ValueError:
            raise ValueError(f"invalid CIDR address: {text}") from None
        if "/" not in text or found.version != version:
            raise ValueError(f"invalid IPv{version} CIDR address: {text}")
        return found

    return parse


def _prefix(version: int) -> Callable[[str], Prefix]:
    """Host bits may be set: they are how the manual writes a range."""

    def parse(text: str) -> Prefix:
        return _interface(version)(text).network

    return parse


def _own_address(version: int) -> Callable[[str], Address]:
    def parse(text: str) -> Address:
        found = _address(text)
        if found.version != version:
            raise ValueError(f"{text} is not an IPv{version} address")
        return found

    return parse


def _server(text: str) -> str:
    return str(_address(text))


def _domain(text: str) -> str:
    domain = text.strip()
    if domain != "." and not _DOMAIN.fullmatch(domain):
        raise ValueError(f"{text} is not a valid domain")
    return domain


def _label(text: str) -> str:
    if "=" not in text or text.startswith("="):
        raise ValueError(f"bad attribute format: {text}")
    return text


def _pool(text: str) -> Pool:
    fields: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.strip().partition("=")
        if not equals:
            raise ValueError(f"invalid field '{part}' must be a key=value pair")
        if key not in {"base", "size"}:
            raise ValueError(f"unexpected key '{key}' in '{part}'")
        fields[key] = value
    return pool(fields.get("base", ""), _number(fields.get("size", "0")))


def pool(base: str, size: int) -> Pool:
    """
    Raises:
        ValueError: no such blocks.
    """
    try:
        block = ipaddress.ip_network(base, strict=False)
    except ValueError:
        raise ValueError(f"invalid base pool {base!r}: invalid CIDR address: {base}") from None
    if not block.prefixlen <= size <= block.max_prefixlen:
        raise ValueError(f"invalid pools size: {size} (base {block})")
    return Pool(block, size)


def _pool_from_json(entry: Any) -> Pool:
    if not isinstance(entry, dict) or entry.keys() != {"base", "size"} or type(entry["size"]) is not int:
        raise TypeError
    return pool(str(entry["base"]), entry["size"])


def _network_option(text: str) -> tuple[str, str, str]:
    driver, equals, rest = text.partition("=")
    key, second, value = rest.partition("=")
    if not (driver and equals and key and second):
        raise ValueError(f"invalid default network option {text}: it must be driver=key=value")
    return driver, key, value


def _network_options_from_json(value: Any) -> tuple[tuple[str, str, str], ...]:
    if not isinstance(value, dict) or not all(isinstance(options, dict) for options in value.values()):
        raise TypeError
    found = [(driver, key, text) for driver, options in value.items() for key, text in options.items()]
    if not all(isinstance(text, str) for _, _, text in found):
        raise TypeError
    return tuple(found)


def _registry(text: str) -> str:
    host = text.strip().lower()
    if "://" in host:
        raise ValueError(f"insecure registry {text} should not contain '://'")
    if "/" in host:
        try:
            return str(ipaddress.ip_network(host, strict=False))
        except ValueError:
            raise ValueError(f"insecure registry {text} is not valid: invalid CIDR address: {text}") from None
    if not re.fullmatch(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?", host):
        raise ValueError(f"insecure registry {text} is not valid: invalid host {text!r}")
    return host


def _mirror(text: str) -> str:
    match = re.fullmatch(r"(https?)://([^/?#@\s]+)/?", text.strip())
    if not match:
        raise ValueError(
            f'invalid mirror: "{text}" is no URL of the form https://host[:port], without path and password'
        )
    return f"{match[1]}://{match[2]}"


TEXT = Kind("string", str)
TRUTH = Kind("", _truth, scalar=bool, expected="true or false")
NUMBER = Kind("int", _number, scalar=int, expected="a number")
ADDRESS = Kind("ip", _address)
ADDRESS4 = Kind("ip", _own_address(4))
ADDRESS6 = Kind("ip", _own_address(6))
INTERFACE4 = Kind("CIDR", _interface(4))
INTERFACE6 = Kind("CIDR", _interface(6))
PREFIX4 = Kind("CIDR", _prefix(4))
PREFIX6 = Kind("CIDR", _prefix(6))
TEXTS = Kind("list", str, many=True, expected="a list of texts")
SERVERS = Kind("list", _server, many=True, expected="a list of texts")
DOMAINS = Kind("list", _domain, many=True, expected="a list of texts")
REGISTRIES = Kind("list", _registry, many=True, expected="a list of texts")
MIRRORS = Kind("list", _mirror, many=True, expected="a list of texts")
LABELS = Kind("list", _label, many=True, expected="a list of texts")
POOLS = Kind(
    "base=CIDR,size=N",
    _pool,
    many=True,
    expected='a list of {"base": text, "size": number}',
    from_json=lambda value: tuple(_pool_from_json(entry) for entry in value),
)
NETWORK_OPTIONS = Kind(
    "driver=key=value",
    _network_option,
    many=True,
    expected='{"driver": {"key": "value"}}',
    from_json=_network_options_from_json,
)
