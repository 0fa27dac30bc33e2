"""What containers use: once, or every second until the client has enough."""

import asyncio
import time

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.query import flag
from bridgehead.api.reply import json, json_line, open_stream
from bridgehead.api.wire import usage as wire
from bridgehead.core.model.errors import InvalidParameter, NotFound

_PERIOD_S = 1.0


async def stats(call: Call) -> web.StreamResponse:
    streamed = "stream" not in call.query or flag(call.query, "stream")
    once = flag(call.query, "one-shot")
    if streamed and once:
        raise InvalidParameter("cannot have stream=true and one-shot=true")
    if streamed:
        return await _stream(call)
    first = _seen(call, call.name)
    if once or first["read"] == wire.NEVER:
        return json(first)
    await asyncio.sleep(_PERIOD_S)
    return json(wire.after(_seen(call, first["id"]), first))


async def _stream(call: Call) -> web.StreamResponse:
    seen = _seen(call, call.name)
    response = await open_stream(call.request)
    before = None
    try:
        while True:
            await response.write(json_line(wire.after(seen, before)))
            await asyncio.sleep(_PERIOD_S)
            before, seen = seen, _seen(call, seen["id"])
    except NotFound:
        await response.write_eof()  # it was removed
    return response


def _seen(call: Call, reference: str) -> wire.Stats:
    usage = call.engine.containers.usage(reference)
    return wire.show(call.snapshot.find_container(reference), usage, time.time_ns())


ENTRIES = (Entry("GET", "/containers/{name}/stats", stats),)
