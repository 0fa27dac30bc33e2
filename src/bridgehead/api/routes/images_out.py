"""Images that go out: `docker save`, `docker push`."""

from collections.abc import Sequence
from contextlib import aclosing

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.progress import told
from bridgehead.api.reply import open_stream
from bridgehead.api.wire.progress import credentials
from bridgehead.core.images import reference as references
from bridgehead.core.images.distribution import Push
from bridgehead.core.model.errors import InvalidParameter


async def save_one(call: Call) -> web.StreamResponse:
    return await _saved(call, [call.name])


async def save(call: Call) -> web.StreamResponse:
    return await _saved(call, call.request.query.getall("names", []))


async def _saved(call: Call, names: Sequence[str]) -> web.StreamResponse:
    """What fails after the beginning closes the connection, so that nobody takes a part for the whole."""
    async with aclosing(call.engine.saves.save(names)) as pieces:
        first = await anext(pieces)
        response = await open_stream(call.request, "application/x-tar")
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
    await response.write_eof()
    return response


async def push(call: Call) -> web.StreamResponse:
    tag = call.query.get("tag", "")
    name = references.parse(f"{call.name}:{tag}" if tag else call.name)
    if name.digest:
        raise InvalidParameter("cannot push a digest reference")
    who = credentials(call.request.headers.get("X-Registry-Auth", ""))
    return await told(call, call.engine.pushes.push(Push(name, who)))


ENTRIES = (
    Entry("POST", "/images/{name}/push", push),
    Entry("GET", "/images/get", save),
    Entry("GET", "/images/{name}/get", save_one),
)
