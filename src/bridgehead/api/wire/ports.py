"""Ports in Docker's spelling, "80/tcp": exposed by a container, published on the host."""

import re
from collections.abc import Iterable, Mapping, Sequence

from bridgehead.api.wire.container_body import PortBinding
from bridgehead.core.model.errors import InvalidParameter

_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(\w+))?")
_HOST_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_HIGHEST = 65535
_PROTOCOLS = ("tcp", "udp", "sctp")


def exposed(keys: Iterable[str]) -> tuple[str, ...]:
    """Every port of every key, in order and once."""
    found = {f"{port}/{protocol}": None for key in keys for port, protocol in ports(key)}
    return tuple(found)


def ports(key: str) -> list[tuple[int, str]]:
    """The ports of "80", "80/udp" or "8000-8010/tcp".

    Raises:
        InvalidParameter: it is none of these.
    """
    found = _PORT.fullmatch(key)
    if found is None:
        raise InvalidParameter(f'invalid port specification: "{key}"')
    first, last, protocol = int(found[1]), int(found[2] or found[1]), (found[3] or "tcp").lower()
    if last < first or last > _HIGHEST or protocol not in _PROTOCOLS:
        raise InvalidParameter(f'invalid port specification: "{key}"')
    return [(port, protocol) for port in range(first, last + 1)]


def published(bindings: Mapping[str, Sequence[PortBinding]]) -> tuple[str, ...]:
    """Each as "address:host port:80/tcp"; a part the client left open is empty, IPv6 stands in brackets.

    A port without any binding is bound to a port of the daemon's choice.
    """
    return tuple(
        f"{_bracketed(binding.host_ip)}:{_host_port(binding.host_port)}:{port}/{protocol}"
        for key, wanted in bindings.items()
        for port, protocol in ports(key)
        for binding in wanted or [PortBinding()]
    )


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _host_port(text: str) -> str:
    found = _HOST_PORT.fullmatch(text)
    if text and (found is None or int(found[2] or found[1]) > _HIGHEST):
        raise InvalidParameter(f'invalid port specification: "{text}"')
    return text
