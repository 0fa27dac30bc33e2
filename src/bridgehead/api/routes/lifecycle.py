"""A container's life: start, stop, restart, kill, pause, wait, resize."""

import asyncio

from aiohttp import web

from bridgehead.api.call import Call, Entry
from bridgehead.api.query import number
from bridgehead.api.reply import json_line, open_stream, status_only
from bridgehead.api.wire import terminal
from bridgehead.core.model.errors import BridgeheadError, InvalidParameter


async def start(call: Call) -> web.StreamResponse:
    await call.engine.containers.start(call.name)
    return status_only()


async def stop(call: Call) -> web.StreamResponse:
    signal = call.query.get("signal", "")
    await call.engine.containers.stop(call.name, timeout_s=number(call.query, "t"), signal=signal)
    return status_only()


async def restart(call: Call) -> web.StreamResponse:
    signal = call.query.get("signal", "")
    await call.engine.containers.restart(call.name, timeout_s=number(call.query, "t"), signal=signal)
    return status_only()


async def kill(call: Call) -> web.StreamResponse:
    await call.engine.containers.kill(call.name, call.query.get("signal", "") or "SIGKILL")
    return status_only()


async def pause(call: Call) -> web.StreamResponse:
    await call.engine.containers.pause(call.name, frozen=True)
    return status_only()


async def unpause(call: Call) -> web.StreamResponse:
    await call.engine.containers.pause(call.name, frozen=False)
    return status_only()


async def wait(call: Call) -> web.StreamResponse:
    end = asyncio.ensure_future(call.engine.containers.wait(call.name, call.query.get("condition", "")))
    try:
        # The client starts the container only once it has seen these headers.
        response = await open_stream(call.request)
        await response.write(json_line(await _outcome(end)))
        await response.write_eof()
    finally:
        end.cancel()
    return response


async def _outcome(end: asyncio.Future[int]) -> dict[str, object]:
    try:
        return {"StatusCode": await end}
    except BridgeheadError as error:
        return {"StatusCode": -1, "Error": {"Message": error.message}}


async def resize(call: Call) -> web.StreamResponse:
    height, width = asked_size(call)
    call.engine.containers.resize(call.name, height, width)
    return status_only(200)


def asked_size(call: Call) -> tuple[int, int]:
    """Rows and columns, as the query's `h` and `w` give them."""
    height, width = number(call.query, "h"), number(call.query, "w")
    if height is None or width is None or not terminal.possible(height, width):
        raise InvalidParameter("invalid terminal size: h and w must be whole numbers below 65536")
    return height, width


ENTRIES = (
    Entry("POST", "/containers/{name}/start", start),
    Entry("POST", "/containers/{name}/stop", stop),
    Entry("POST", "/containers/{name}/restart", restart),
    Entry("POST", "/containers/{name}/kill", kill),
    Entry("POST", "/containers/{name}/pause", pause),
    Entry("POST", "/containers/{name}/unpause", unpause),
    Entry("POST", "/containers/{name}/wait", wait),
    Entry("POST", "/containers/{name}/resize", resize),
)
