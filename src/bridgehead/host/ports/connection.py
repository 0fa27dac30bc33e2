"""One TCP connection carried to a container: bytes both ways, the end of each way passed on by itself.

Neither side is read faster than the other takes it, so the memory of a connection is what one read gave at
most, and nothing while it is idle.
"""

import errno
import socket
import struct
from collections.abc import Callable

from bridgehead.host.companion.loop import READABLE, WRITABLE, Loop

_PIECE = 256 << 10
_PATIENCE_SYNS = 3  # with the kernel's doubling pauses about 15 s until a silent container is given up
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

# One for all connections: what a read gave is sent, or copied, before the next read.
_buffer = memoryview(bytearray(_PIECE))


class _End:
    """A side of the connection. `unsent` is what it has yet to take; `ended`: it will say no more."""

    __slots__ = ("ended", "mask", "socket", "unsent")

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self.unsent = b""
        self.ended = False
        self.mask = 0


def furnish(door: socket.socket) -> None:
    """What is sent at once is not held back, and a vanished peer is noticed; what is accepted inherits it."""
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


class Connection:
    """Both sockets do not block. `over` is called once, when they are closed; not after `abort`."""

    def __init__(
        self, loop: Loop, client: socket.socket, server: socket.socket, over: Callable[["Connection"], object]
    ) -> None:
        self._loop = loop
        self._over = over
        self._client = _End(client)
        self._server = _End(server)
        self._connected = False

    def begin(self, address: tuple[str, int]) -> None:
        self._server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, _PATIENCE_SYNS)
        outcome = self._server.socket.connect_ex(address)
        if outcome in {0, errno.EINPROGRESS}:
            # Between two namespaces of one machine it often is done by now.
            self._connected = outcome == 0
            self._rewatch()
        else:
            self._break()

    def move(self, loop: Loop, over: Callable[["Connection"], object]) -> None:
        """Go on with another loop; the former one is not told."""
        self._loop = loop
        self._over = over
        for end in (self._client, self._server):
            end.mask = 0
        self._rewatch()

    def descriptors(self) -> tuple[int, int]:
        return self._client.socket.fileno(), self._server.socket.fileno()

    def abort(self) -> None:
        """Close it so that both sides learn that something was cut off."""
        for end in (self._client, self._server):
            end.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._close()

    def _break(self) -> None:
        self.abort()
        self._over(self)

    def _close(self) -> None:
        for end in (self._client, self._server):
            if end.mask:
                self._loop.forget(end.socket.fileno())
            end.socket.close()

    def _client_ready(self, events: int) -> None:
        self._ready(self._client, self._server, events)

    def _server_ready(self, events: int) -> None:
        if self._connected:
            self._ready(self._server, self._client, events)
        elif self._server.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._break()
        else:
            self._connected = True
            self._rewatch()

    def _ready(self, end: _End, other: _End, events: int) -> None:
        eased = bool(end.unsent)
        try:
            if eased:
                _flush(end, other)
            if not end.ended and not other.unsent and events & ~WRITABLE:
                _carry(end, other)
        except BlockingIOError:
            pass
        except OSError:
            self._break()
            return
        # Mostly all was carried at once and nothing else is wanted than before.
        if eased or end.ended or other.unsent:
            self._go_on()

    def _go_on(self) -> None:
        if any(end.unsent or not end.ended for end in (self._client, self._server)):
            self._rewatch()
        else:
            self._close()
            self._over(self)

    def _rewatch(self) -> None:
        if self._connected:
            self._watch(self._client, _mask(self._client, self._server), self._client_ready)
            self._watch(self._server, _mask(self._server, self._client), self._server_ready)
        else:
            self._watch(self._server, WRITABLE, self._server_ready)

    def _watch(self, end: _End, mask: int, ready: Callable[[int], None]) -> None:
        """An end of which nothing is wanted is not watched at all: its breaking would be told for ever."""
        if mask == end.mask:
            return
        descriptor = end.socket.fileno()
        if not mask:
            self._loop.forget(descriptor)
        elif end.mask:
            self._loop.change(descriptor, mask)
        else:
            self._loop.watch(descriptor, ready, mask)
        end.mask = mask


def _mask(end: _End, other: _End) -> int:
    wanted = not end.ended and not other.unsent
    return (READABLE if wanted else 0) | (WRITABLE if end.unsent else 0)


def _carry(end: _End, other: _End) -> None:
    count = end.socket.recv_into(_buffer)
    if not count:
        end.ended = True
        other.socket.shutdown(socket.SHUT_WR)
        return
    try:
        sent = other.socket.send(_buffer[:count])
    except BlockingIOError:
        sent = 0
    if sent < count:
        other.unsent = bytes(_buffer[sent:count])


def _flush(end: _End, other: _End) -> None:
    end.unsent = end.unsent[end.socket.send(end.unsent) :]
    if other.ended and not end.unsent:
        end.socket.shutdown(socket.SHUT_WR)
