"""The event stream: what was, from `since` on, then what happens, until `until` or the client's end."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.query import Query
from bridgehead.api.reply import json_line, open_stream
from bridgehead.api.wire import event as wire
from bridgehead.api.wire import filters, moment
from bridgehead.core.model.events import Event

_BILLION = 1_000_000_000


async def events(call: Call) -> web.StreamResponse:
    now = time.time_ns()
    since, until = _moment(call.query, "since", now), _moment(call.query, "until", now)
    wanted = wire.wanted(filters.parse(call.query, wire.FILTERS))
    # Listening begins before the past is read, with no await between: nothing is missed, nothing told twice.
    with call.engine.events.listening() as live:
        past = call.engine.events.recent(since) if since is not None else ()
        response = await open_stream(call.request)
        for event in past:
            if wanted(event) and (until is None or event.time <= until):
                await response.write(json_line(wire.show(event)))
        await _follow(response, live, wanted, None if until is None else (until - now) / _BILLION)
    await response.write_eof()
    return response


async def _follow(
    response: web.StreamResponse,
    live: AsyncIterator[Event],
    wanted: Callable[[Event], bool],
    seconds: float | None,
) -> None:
    if seconds is not None and seconds <= 0:
        return
    try:
        async with asyncio.timeout(seconds):
            async for event in live:
                if wanted(event):
                    await response.write(json_line(wire.show(event)))
    except TimeoutError:
        return


def _moment(query: Query, name: str, now: int) -> int | None:
    text = query.get(name, "")
    return moment.parse(text, now) if text else None


ENTRIES = (Entry("GET", "/events", events),)
