"""A container's log, framed by origin unless it has a terminal."""

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.query import Query, flag
from bridgehead.api.reply import MULTIPLEXED_STREAM, RAW_STREAM, open_stream
from bridgehead.api.stream import frame
from bridgehead.api.wire import moment
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.engine.world import LogLine

_BILLION = 1_000_000_000
_COUNT = re.compile(r"\d{1,18}")


async def logs(call: Call) -> web.StreamResponse:
    container = call.snapshot.find_container(call.name)
    wanted = {stream for stream, name in ((1, "stdout"), (2, "stderr")) if flag(call.query, name)}
    if not wanted:
        raise InvalidParameter("Bad parameters: you must choose at least one stream")
    lines = call.engine.containers.logs(
        container.id,
        follow=flag(call.query, "follow"),
        tail=_tail(call.query),
        since=_seconds(call.query, "since"),
        until=_seconds(call.query, "until"),
    )
    framed, stamped = not container.spec.process.tty, flag(call.query, "timestamps")
    response = await open_stream(call.request, MULTIPLEXED_STREAM if framed else RAW_STREAM)
    await _send(response, lines, wanted, framed=framed, stamped=stamped)
    await response.write_eof()
    return response


async def _send(
    response: web.StreamResponse,
    lines: AsyncIterator[LogLine],
    wanted: set[int],
    *,
    framed: bool,
    stamped: bool,
) -> None:
    try:
        async for line in lines:
            if line.stream not in wanted:
                continue
            data = f"{line.time} ".encode() + line.data if stamped else line.data
            await response.write(frame(line.stream, data) if framed else data)
    finally:
        if isinstance(lines, AsyncGenerator):
            await lines.aclose()


def _tail(query: Query) -> int | None:
    text = query.get("tail", "")
    return int(text) if _COUNT.fullmatch(text) else None  # "all", and whatever else is no count


def _seconds(query: Query, name: str) -> float:
    text = query.get(name, "")
    return moment.parse(text, time.time_ns()) / _BILLION if text else 0.0


ENTRIES = (Entry("GET", "/containers/{name}/logs", logs),)
