"""Ports of a container in Docker's spelling, "80/tcp", as a request, an image or a Dockerfile has them."""

import re
from collections.abc import Iterable

from bridgehead.core.model.errors import InvalidParameter

HIGHEST = 65535
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(\w+))?")
_PROTOCOLS = ("tcp", "udp", "sctp")


def spelled(keys: Iterable[str]) -> tuple[str, ...]:
    """Every port of every key, in order and once.

    Raises:
        InvalidParameter: see `ports`.
    """
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
    if last < first or last > HIGHEST or protocol not in _PROTOCOLS:
        raise InvalidParameter(f'invalid port specification: "{key}"')
    return [(port, protocol) for port in range(first, last + 1)]
