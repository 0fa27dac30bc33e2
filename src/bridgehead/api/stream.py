"""Hijacking: an HTTP connection becomes the two-way stream of an attach or an exec.

The connection is taken from aiohttp by giving its transport another protocol, in the same step that writes
the answer's head: no byte can fall between the two. aiohttp's own protocol closes the connection when the
client half-closes it; ours keeps the way to the client open, which is what `echo x | docker run -i` needs.
A slow client holds back the container's output, and a slow container the client's input; both only hold
their own side, and a client that goes away releases everything.
"""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from bridgehead.api.detach import DetachKeys
from bridgehead.api.hangup import Hangup
from bridgehead.api.reply import MULTIPLEXED_STREAM, RAW_STREAM, begin
from bridgehead.api.version import Version
from bridgehead.engine.world import Stream

_HEADER = struct.Struct(">BxxxI")
_MOST_BUFFERED = 256 * 1024  # bytes of input not yet taken by the container
_MULTIPLEXED_SINCE = Version(1, 42)


class Connection(asyncio.Protocol):
    """One hijacked connection, as its own asyncio protocol."""

    def __init__(self, transport: asyncio.Transport, lost: Callable[[BaseException | None], None]) -> None:
        self._transport = transport
        self._lost = lost
        self._received = bytearray()
        self._ended = False
        self._arrival = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._hangup: Hangup | None = None
        self.gone = False
        self.heard = True  # False: nobody takes the input yet, so a client that leaves has said nothing

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > _MOST_BUFFERED:
            self._transport.pause_reading()
        self._arrival.set()

    def eof_received(self) -> bool:
        self._ended = True
        self._arrival.set()
        self._hangup = Hangup(self._transport.get_extra_info("socket"), self._leave)
        return True  # keep the other direction open

    def _leave(self) -> None:
        """The client is gone: so are we, but what it said is passed on first."""
        if not self._received or not self.heard:
            self._transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.gone = self._ended = True
        if self._hangup is not None:
            self._hangup.close()
        self._arrival.set()
        self._writable.set()
        self._lost(exc)  # aiohttp forgets the connection, and cancels what still serves it

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def read(self) -> bytes:
        """What has arrived; b'' once the client will send no more."""
        while not self._received and not self._ended:
            self._arrival.clear()
            await self._arrival.wait()
        if self._hangup is not None and self._hangup.happened:
            self._leave()
        taken = bytes(self._received)
        self._received.clear()
        if not self.gone and not self._transport.is_reading():
            self._transport.resume_reading()
        return taken

    async def write(self, data: bytes) -> None:
        if not self.gone:
            self._transport.write(data)
        await self._writable.wait()

    def close(self) -> None:
        """What was written still reaches the client."""
        self._transport.close()


def take_over(request: web.Request, *, framed: bool, version: Version) -> Connection:
    """Answer the request's head and hand the connection over; nothing may be read from the request after."""
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("the client is gone")
    begin(request)
    connection = Connection(transport, request.protocol.connection_lost)
    transport.set_protocol(connection)
    if not transport.is_reading():
        transport.resume_reading()
    transport.write(_head(request, framed=framed, version=version))
    return connection


def _head(request: web.Request, *, framed: bool, version: Version) -> bytes:
    kind = MULTIPLEXED_STREAM if framed and version >= _MULTIPLEXED_SINCE else RAW_STREAM
    if "upgrade" in request.headers.get("Connection", "").lower():
        head = f"HTTP/1.1 101 UPGRADED\r\nContent-Type: {kind}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    else:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n"
    return head.encode()


def frame(stream: int, data: bytes) -> bytes:
    """Length and origin before each piece: how output and errors share one connection without a terminal."""
    return _HEADER.pack(stream, len(data)) + data


class Client(Protocol):
    """The side of whoever asked."""

    @property
    def gone(self) -> bool: ...

    async def read(self) -> bytes:
        """What has arrived; b'' once there will be no more."""
        ...

    async def write(self, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Joint:
    """How a client and a stream are joined.

    `shown` are the streams the client sees (1 stdout, 2 stderr). `ends_input`: the end of the client's input
    is the end of the process's; otherwise it ends the attachment. `detach` is None without a terminal.
    """

    framed: bool
    shown: frozenset[int] = frozenset({1, 2})
    input: bool = True
    ends_input: bool = True
    detach: DetachKeys | None = None


async def join(client: Client, stream: Stream, joint: Joint) -> bool:
    """Carry both directions until the process's output ends, the client detaches, or it goes away.

    False where it was the process that ended.
    """
    outward = asyncio.ensure_future(_outward(client, stream, joint))
    inward = asyncio.ensure_future(_inward(client, stream, joint))
    try:
        await asyncio.wait({inward, outward}, return_when=asyncio.FIRST_COMPLETED)
        if not outward.done() and inward.result():
            return True
        await outward
        return client.gone
    finally:
        outward.cancel()
        inward.cancel()
        if client.gone and joint.input and joint.ends_input:
            stream.close_input()
        stream.close()


async def _outward(client: Client, stream: Stream, joint: Joint) -> None:
    while not client.gone and (piece := await stream.read()) is not None:
        origin, data = piece
        if origin in joint.shown:
            await client.write(frame(origin, data) if joint.framed else data)


async def _inward(client: Client, stream: Stream, joint: Joint) -> bool:
    """Whether the client left; False where it merely has nothing more to say."""
    taken = joint.input
    while received := await client.read():
        passed, left = joint.detach.feed(received) if joint.detach else (received, False)
        if passed and taken:
            # What a process no longer takes is read and dropped, or the client's end would go unnoticed.
            taken = await _written(stream, passed)
        if left:
            return True
    if client.gone or not joint.input:
        return client.gone
    if joint.ends_input:
        stream.close_input()
    return not joint.ends_input


async def _written(stream: Stream, data: bytes) -> bool:
    """Whether the process still takes input; one that does not may yet have much to say."""
    try:
        await stream.write(data)
    except OSError:
        return False
    return True
