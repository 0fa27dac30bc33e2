"""Answers: JSON documents, bare statuses, and streams whose headers leave before there is anything to say."""

import asyncio
from collections.abc import Mapping
from weakref import WeakSet

import msgspec
from aiohttp import web
from aiohttp.http import HttpVersion11
from aiohttp.web_request import BaseRequest

import bridgehead
from bridgehead.api.version import NEWEST

STANDARD: Mapping[str, str] = {
    "Server": f"Bridgehead/{bridgehead.__version__} (linux)",
    "Api-Version": str(NEWEST),
    "Ostype": "linux",
}
_JSON = {**STANDARD, "Content-Type": "application/json"}
_encode = msgspec.json.Encoder().encode

RAW_STREAM = "application/vnd.docker.raw-stream"
MULTIPLEXED_STREAM = "application/vnd.docker.multiplexed-stream"


def json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=_encode(value) + b"\n", status=status, headers=_JSON)


def json_line(value: object) -> bytes:
    return _encode(value) + b"\n"


def status_only(status: int = 204) -> web.Response:
    return web.Response(status=status, headers=STANDARD)


_BEGUN = web.RequestKey("begun", bool)
STREAMS = web.AppKey("streams", WeakSet[asyncio.Task[None]])


async def open_stream(request: web.Request, content_type: str = "application/json") -> web.StreamResponse:
    """A chunked response whose headers are on their way when this returns: clients wait for them."""
    response = web.StreamResponse(headers={**STANDARD, "Content-Type": content_type})
    endless(request, response)
    begin(request)
    await response.prepare(request)
    return response


def endless(request: web.Request, response: web.StreamResponse) -> None:
    """An answer whose length is not known: in chunks, or, before HTTP/1.1, until the connection ends."""
    if request.version >= HttpVersion11:
        response.enable_chunked_encoding()
    else:
        response.force_close()


def begin(request: web.Request) -> None:
    """From here on a failure can no longer be told in a response of its own, and the end may be far away."""
    request[_BEGUN] = True
    request.app[STREAMS].add(request.task)


def begun(request: web.Request) -> bool:
    return _BEGUN in request


class Spent(web.StreamResponse):
    """What is given back to aiohttp when there is nothing more to write: it writes nothing."""

    async def prepare(self, request: BaseRequest) -> None:
        self.force_close()

    async def write_eof(self, data: bytes = b"") -> None:
        pass


async def end_streams(app: web.Application) -> None:
    """At the daemon's end nobody waits for streams: they end when their clients do."""
    for task in app[STREAMS]:
        task.cancel()


def cut(request: web.Request) -> Spent:
    """Close the connection in the middle of an answer, so that the client knows it is not whole."""
    if request.transport is not None:
        request.transport.close()
    return Spent()
