"""A container's log, framed by origin unless it has a terminal."""

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.query import Query, flag
from bridgehead.api.reply import MULTIPLEXED_STREAM, RAW_STREAM, open_stream
from bridgehead.api.stream import frame
from bridgehead.api.wire import log_details, moment
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.engine.world import LogLine

_COUNT = re.compile(r"\d{1,18}")


@dataclass(frozen=True, slots=True)
class Shape:
    """How lines are told, and which."""

    streams: frozenset[int]
    framed: bool
    stamped: bool
    details: bytes

    def of(self, line: LogLine) -> bytes:
        stamp = f"{line.time} ".encode() if self.stamped else b""
        data = stamp + self.details + line.data
        return frame(line.stream, data) if self.framed else data


async def logs(call: Call) -> web.StreamResponse:
    container = call.snapshot.find_container(call.name)
    wanted = {stream for stream, name in ((1, "stdout"), (2, "stderr")) if flag(call.query, name)}
    if not wanted:
        raise InvalidParameter("Bad parameters: you must choose at least one stream")
    lines = call.engine.containers.logs(
        container.id,
        follow=flag(call.query, "follow"),
        tail=_tail(call.query),
        since=_moment(call.query, "since"),
        until=_moment(call.query, "until"),
    )
    framed = not container.spec.process.tty
    shape = Shape(
        streams=frozenset(wanted),
        framed=framed,
        stamped=flag(call.query, "timestamps"),
        details=log_details.details(container) if flag(call.query, "details") else b"",
    )
    response = await open_stream(call.request, MULTIPLEXED_STREAM if framed else RAW_STREAM)
    await _send(response, lines, shape)
    await response.write_eof()
    return response


async def _send(response: web.StreamResponse, lines: AsyncIterator[LogLine], shape: Shape) -> None:
    try:
        async for line in lines:
            if line.stream in shape.streams:
                await response.write(shape.of(line))
    finally:
        if isinstance(lines, AsyncGenerator):
            await lines.aclose()


def _tail(query: Query) -> int | None:
    text = query.get("tail", "")
    return int(text) if _COUNT.fullmatch(text) else None  # "all", and whatever else is no count


def _moment(query: Query, name: str) -> int:
    text = query.get(name, "")
    return moment.parse(text, time.time_ns()) if text else 0


ENTRIES = (Entry("GET", "/containers/{name}/logs", logs),)
