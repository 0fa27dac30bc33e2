"""What a registry says when it says no, classed by what the caller may do next."""

import os

import aiohttp
import msgspec

from bridgehead.core.model.errors import (
    BridgeheadError,
    Forbidden,
    HostRefused,
    NotFound,
    Unauthorized,
    Unavailable,
)

MAXIMUM_ANSWER = 64 << 10
"""Bytes of an error or a token that are read at all."""

_CLASSES: dict[int, type[BridgeheadError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    429: Unavailable,
    503: Unavailable,
}


class _Error(msgspec.Struct, frozen=True):
    code: str | None = None
    message: str | None = None


class _Errors(msgspec.Struct, frozen=True):
    errors: list[_Error] | None = None


class RegistryTimedOut(Unavailable): ...


async def beginning(response: aiohttp.ClientResponse, limit: int = MAXIMUM_ANSWER) -> bytes:
    """At most `limit` bytes and one: whoever gets more than `limit` knows that there was too much."""
    found = b""
    while len(found) <= limit and (piece := await response.content.read(limit + 1 - len(found))):
        found += piece
    return found


async def refusal(response: aiohttp.ClientResponse) -> BridgeheadError:
    """The error that stands for this answer, in the registry's words, led by their code as Docker does."""
    kind = _CLASSES.get(response.status, HostRefused)
    body = await beginning(response)
    try:
        errors = msgspec.json.decode(body, type=_Errors).errors or []
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        errors = []
    if not errors:
        where = f"{response.method} {response.url.with_query(None)}"
        return kind(f"unexpected answer of the registry to {where}: {response.status} {response.reason}")
    first = errors[0]
    code = (first.code or "UNKNOWN").lower().replace("_", " ").replace("toomany", "too many ")
    return kind(f"{code}: {(first.message or '')[:1000]}".rstrip(": "))


def unreachable(method: str, url: object, error: Exception) -> BridgeheadError:
    """As Docker words it: the request, then what became of it."""
    if isinstance(error, TimeoutError):
        return RegistryTimedOut(f'{method} "{url}": the registry did not answer in time')
    return HostRefused(f'{method} "{url}": {_reason(error)}')


def _reason(error: Exception) -> str:
    """aiohttp's own words name objects of Python."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return f"cannot connect: {os.strerror(number) if number and number > 0 else error.os_error}"
    return str(error) or type(error).__name__
