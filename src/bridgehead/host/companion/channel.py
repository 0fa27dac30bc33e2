"""A stream socket on the loop: bytes in as they come, bytes out as the peer takes them."""

import socket
from collections.abc import Callable

from bridgehead.host.companion.loop import READABLE, WRITABLE, Loop

_PIECE = 65536


class Channel:
    """`received` gets each piece; `ended` is called once, when the peer will say no more or is gone.

    Nothing is called after `close`. A peer that lets more than `backlog` bytes pile up is gone.
    """

    def __init__(
        self,
        loop: Loop,
        connection: socket.socket,
        *,
        received: Callable[[bytes], None],
        ended: Callable[[], None],
        backlog: int,
    ) -> None:
        self._loop = loop
        self._socket = connection
        self._received = received
        self._ended = ended
        self._backlog = backlog
        self._unsent = bytearray()
        self._reading = True
        self._mask = READABLE
        self.open = True
        connection.setblocking(False)
        loop.watch(connection.fileno(), self._ready)

    @property
    def drained(self) -> bool:
        return not self._unsent

    def send(self, data: bytes) -> None:
        if self.open:
            self._unsent += data
            self._flush()

    def close(self) -> None:
        if self.open:
            self.open = False
            self._loop.forget(self._socket.fileno())
            self._socket.close()

    def _ready(self, events: int) -> None:
        if events & WRITABLE:
            self._flush()
        if self.open and events & ~WRITABLE:
            self._read()

    def _read(self) -> None:
        try:
            data = self._socket.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
            self._unsent.clear()
        if data:
            self._received(data)
        elif self._reading:
            self._reading = False
            self._watch()
            self._ended()
        else:
            # Watched for writing alone, only a broken connection is reported as readable.
            self.close()

    def _flush(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._broken()
            return
        del self._unsent[:sent]
        if len(self._unsent) > self._backlog:
            self._broken()
            return
        self._watch()

    def _broken(self) -> None:
        reading, self._reading = self._reading, False
        self._unsent.clear()
        if reading:
            self._ended()
        self.close()

    def _watch(self) -> None:
        if self.open:
            mask = (READABLE if self._reading else 0) | (WRITABLE if self._unsent else 0)
            if mask != self._mask:
                self._mask = mask
                self._loop.change(self._socket.fileno(), mask)
