"""Files of containers: `docker cp` both ways, `docker export`, `docker diff`."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from aiohttp import ClientError, web

from bridgehead.api.call import Call, Entry
from bridgehead.api.query import flag
from bridgehead.api.reply import STANDARD, begin, endless, json, status_only
from bridgehead.api.wire import file_facts
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.files import Placement

_TAR = "application/x-tar"
_OCTETS = "application/octet-stream"
_PATIENCE_S = 300.0  # with a client that neither takes nor sends anything


async def stat(call: Call) -> web.StreamResponse:
    facts = await call.engine.files.stat(call.name, _path(call))
    return web.Response(headers={**STANDARD, file_facts.HEADER: file_facts.header(facts)})


async def read(call: Call) -> web.StreamResponse:
    async with call.engine.files.read(call.name, _path(call)) as (facts, pieces):
        return await _sent(call, pieces, {"Content-Type": _TAR, file_facts.HEADER: file_facts.header(facts)})


async def write(call: Call) -> web.StreamResponse:
    where = Placement(
        path=_path(call),
        as_user=flag(call.query, "copyUIDGID"),
        keep_kinds=flag(call.query, "noOverwriteDirNonDir"),
    )
    await call.engine.files.write(call.name, where, _received(call.request))
    return status_only(200)


async def export(call: Call) -> web.StreamResponse:
    async with call.engine.files.export(call.name) as pieces:
        return await _sent(call, pieces, {"Content-Type": _OCTETS})


async def changes(call: Call) -> web.StreamResponse:
    found = await call.engine.files.changes(call.name)
    return json([{"Path": change.path, "Kind": int(change.kind)} for change in found] or None)


def _path(call: Call) -> str:
    path = call.query.get("path", "")
    if not path:
        raise InvalidParameter("bad parameter: path cannot be empty")
    return path


async def _sent(call: Call, pieces: AsyncIterator[bytes], headers: Mapping[str, str]) -> web.StreamResponse:
    """Nothing is sent before there is a first piece: until then a failure can be told."""
    first = await anext(pieces, b"")
    response = web.StreamResponse(headers={**STANDARD, **headers})
    endless(call.request, response)
    begin(call.request)
    await response.prepare(call.request)
    await _taken(response, first)
    async for piece in pieces:
        await _taken(response, piece)
    await response.write_eof()
    return response


async def _taken(response: web.StreamResponse, piece: bytes) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await response.write(piece)
    except TimeoutError:
        raise ConnectionResetError("the client takes nothing") from None


async def _received(request: web.Request) -> AsyncIterator[bytes]:
    """
    Raises:
        InvalidParameter: it ended early; a part must not pass for the whole.
    """
    while True:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                piece = await request.content.readany()
        except TimeoutError:
            raise InvalidParameter("the archive ended early: the client sent nothing for too long") from None
        except (ConnectionError, ClientError, web.RequestPayloadError):
            raise InvalidParameter("the archive ended early: the client went away") from None
        if not piece:
            return
        yield piece


ENTRIES = (
    Entry("HEAD", "/containers/{name}/archive", stat),
    Entry("GET", "/containers/{name}/archive", read),
    Entry("PUT", "/containers/{name}/archive", write),
    Entry("GET", "/containers/{name}/export", export),
    Entry("GET", "/containers/{name}/changes", changes),
)
