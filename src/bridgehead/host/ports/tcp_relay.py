"""Connections to one kept TCP port, carried to a container."""

import errno
import socket
from collections.abc import Iterator

from bridgehead.host.companion.loop import READABLE, Loop, Timer
from bridgehead.host.ports.allowance import Allowance
from bridgehead.host.ports.connection import Connection, furnish
from bridgehead.host.ports.sockets import family

_NOTHING_LEFT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_SOCKETS_EACH = 2
_PAUSE_S = 0.1


class TcpRelay:
    """While there is no descriptor left, clients wait in the kernel's queue."""

    def __init__(
        self, loop: Loop, listening: socket.socket, target: tuple[str, int], allowance: Allowance
    ) -> None:
        self._loop = loop
        self._socket = listening
        self._target = target
        self._family = family(target[0])
        self._allowance = allowance
        self._connections: set[Connection] = set()
        self._pause: Timer | None = None
        furnish(listening)
        loop.watch(listening.fileno(), self._ready)

    def connections(self) -> Iterator[Connection]:
        return iter(self._connections)

    def close(self) -> None:
        """Cut every connection off. The port's socket stays open."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.forget(self._socket.fileno())
        for connection in self._connections:
            connection.abort()
            self._allowance.give_back(_SOCKETS_EACH)
        self._connections.clear()

    def over(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._allowance.give_back(_SOCKETS_EACH)

    def _ready(self, _events: int) -> None:
        """One at a time: whoever else waits is announced again, in its turn with what is under way."""
        if not self._allowance.take(_SOCKETS_EACH):
            self._wait()
            return
        try:
            self._accept()
        except OSError as error:
            self._allowance.give_back(_SOCKETS_EACH)
            if error.errno in _NOTHING_LEFT:
                self._wait()

    def _accept(self) -> None:
        client, _ = self._socket.accept()
        try:
            server = socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError:
            client.close()
            raise
        client.setblocking(False)
        furnish(server)
        connection = Connection(self._loop, client, server, self.over)
        self._connections.add(connection)
        connection.begin(self._target)

    def _wait(self) -> None:
        self._loop.change(self._socket.fileno(), 0)
        self._pause = self._loop.later(_PAUSE_S, self._go_on)

    def _go_on(self) -> None:
        self._pause = None
        self._loop.change(self._socket.fileno(), READABLE)
