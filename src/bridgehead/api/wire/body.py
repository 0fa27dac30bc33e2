"""Request bodies: read whole, judged strictly, and refused in a sentence that names the field."""

import asyncio
import re
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from bridgehead.api.errors import TooLarge
from bridgehead.core.folding import folding
from bridgehead.core.model.errors import InvalidParameter

T = TypeVar("T")

_COMPLAINT = re.compile(r"(?P<what>.*?) - at `\$\.?(?P<where>.*)`", re.DOTALL)
_PATIENCE_S = 60.0
_DECODER = msgspec.json.Decoder()


async def read(request: web.Request, kind: type[T]) -> T:
    """The request's JSON as `kind`; where the body is empty, as `kind` without any field said."""
    return convert(await read_document(request), kind)


async def read_document(request: web.Request) -> Any:
    """The request's JSON, judged only as JSON."""
    if not request.can_read_body:
        return {}
    if request.content_type != "application/json":
        raise InvalidParameter(
            f"unsupported Content-Type header ({request.content_type}): must be 'application/json'"
        )
    return document(await whole(request) or b"{}")


async def whole(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await request.read()
    except TimeoutError as error:
        raise InvalidParameter(f"the request body did not arrive within {_PATIENCE_S:.0f} s") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge("the request body is too large") from error
    except web.RequestPayloadError as error:
        raise InvalidParameter(f"cannot read the request body: {error}") from error


def document(body: bytes) -> Any:
    """Decoded JSON.

    Raises:
        InvalidParameter: it is cut short, followed by more, nested too deeply, or no JSON at all.
    """
    try:
        return _DECODER.decode(body)
    except RecursionError:
        raise InvalidParameter("invalid JSON: nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if "truncated" in str(error):
            raise InvalidParameter("invalid JSON: unexpected end of the document") from error
        if "trailing" in str(error):
            raise InvalidParameter("unexpected content after JSON") from error
        raise InvalidParameter(f"invalid JSON: {error}") from error


def convert(decoded: Any, kind: type[T]) -> T:
    return convert_keeping(decoded, kind)[0]


def convert_keeping(decoded: Any, kind: type[T]) -> tuple[T, Any]:
    """`kind`, and the whole document in its spelling, with what `kind` does not know."""
    try:
        folded = folding(kind)(decoded)
        return msgspec.convert(folded, kind), folded
    except msgspec.ValidationError as error:
        raise InvalidParameter(f"invalid JSON: {_reworded(str(error))}") from error
    except RecursionError:
        raise InvalidParameter("invalid JSON: nested too deeply") from None


def _reworded(complaint: str) -> str:
    text = complaint.replace("`", "")
    if found := _COMPLAINT.fullmatch(complaint):
        where = found["where"] or "the document"
        text = f"{where}: {found['what'].replace('`', '')}"
    return (
        text[0].lower() + text[1:]
        if text.startswith("Expected")
        else text.replace(": Expected", ": expected")
    )
