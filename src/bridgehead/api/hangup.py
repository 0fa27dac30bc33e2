"""Telling a client that is gone from one that only has no more to send: to a read, both look the same.

The kernel knows: it reports a hang-up once the peer has closed both ways. asyncio stops watching a socket at
the end of its input, so the socket is put into an epoll set of its own, and asyncio watches that.
"""

import asyncio
import select
import socket
from collections.abc import Callable


class Hangup:
    """Calls `gone` once the peer of `connection` has closed it altogether."""

    def __init__(self, connection: socket.socket, gone: Callable[[], None]) -> None:
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._set = select.epoll()
        self._set.register(connection.fileno(), 0)  # hang-ups are reported without being asked for
        self._loop.add_reader(self._set.fileno(), self._report)
        self.happened = False

    def close(self) -> None:
        if not self._set.closed:
            self._loop.remove_reader(self._set.fileno())
            self._set.close()

    def _report(self) -> None:
        self.happened = True
        self.close()
        self._gone()
