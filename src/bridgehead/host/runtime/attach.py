"""One client's connection to the standard streams of a container or an exec.

conmon sends packets whose first byte names the stream, and waits for every client to take them: one that
stops reading stalls the container. So the kernel's buffer is the only one, which slows the container down
to its readers as Docker does, but a client that has taken nothing for `_PATIENCE_S` is cut off.
"""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bridgehead.core.model.errors import HostRefused
from bridgehead.host.runtime.folder import Folder

_PACKET = 8192  # conmon's own buffer: it would cut anything longer
_BATCH = 65536
_PATIENCE_S = 300.0
_STREAMS = {2: 1, 3: 2}  # conmon's number -> Docker's


class AttachedStream:
    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._loop = asyncio.get_running_loop()
        self._held_back: tuple[int, bytes] | None = None
        self._reads = 0
        self._waits = 0
        self._closed = False
        self._watchdog = self._loop.call_later(_PATIENCE_S, self._judge, 0)

    async def read(self) -> tuple[int, bytes] | None:
        self._reads += 1
        with self._waiting():
            return await self._next()

    async def write(self, data: bytes) -> None:
        """What a process that has ended, or that has no input, would have read is lost."""
        view = memoryview(data)
        with self._waiting(), suppress(OSError):
            for start in range(0, len(data), _PACKET):
                await self._loop.sock_sendall(self._socket, view[start : start + _PACKET])

    def close_input(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Wakes whoever reads or writes, with the end."""
        self._watchdog.cancel()
        self._closed = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._release()

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        self._waits += 1
        try:
            yield
        finally:
            self._waits -= 1
            self._release()

    def _release(self) -> None:
        # Not while the event loop watches it: the loop would take the next file of this number for this one.
        if self._closed and not self._waits:
            self._socket.close()

    async def _next(self) -> tuple[int, bytes] | None:
        """As many waiting packets of one stream as make a good piece."""
        first = self._held_back or await self._packet()
        self._held_back = None
        if first is None:
            return None
        stream, data = first
        pieces, size = [data], len(data)
        while size < _BATCH and (more := self._waiting_packet()):
            if more[0] != stream:
                self._held_back = more
                break
            pieces.append(more[1])
            size += len(more[1])
        if size >= _BATCH:
            await asyncio.sleep(0)  # a container that never pauses must not starve the rest of the daemon
        return stream, b"".join(pieces)

    async def _packet(self) -> tuple[int, bytes] | None:
        while True:
            try:
                packet = await self._loop.sock_recv(self._socket, _PACKET + 1)
            except ConnectionResetError:
                # conmon left with some of our input unread. That is told once; its last words come after.
                continue
            except OSError:
                return None  # closed on our side
            if not packet:
                return None
            return _STREAMS.get(packet[0], 1), packet[1:]

    def _waiting_packet(self) -> tuple[int, bytes] | None:
        try:
            packet = self._socket.recv(_PACKET + 1)
        except OSError:
            return None
        return (_STREAMS.get(packet[0], 1), packet[1:]) if packet else None

    def _judge(self, reads_before: int) -> None:
        if self._reads == reads_before and not self._waits and self._has_waiting():
            self.close()
            return
        self._watchdog = self._loop.call_later(_PATIENCE_S, self._judge, self._reads)

    def _has_waiting(self) -> bool:
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except OSError:
            return False


def connect(folder: Folder) -> AttachedStream:
    """
    Raises:
        HostRefused: nothing listens: the process has ended, or was never made.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    try:
        directory = os.open(folder.path, os.O_PATH | os.O_CLOEXEC)
        try:
            # An address has room for 107 bytes, too few for our paths.
            connection.connect(f"/proc/self/fd/{directory}/attach")
        finally:
            os.close(directory)
    except OSError as error:
        connection.close()
        raise HostRefused(f"cannot attach to {folder.name}: it is not running ({error.strerror})") from error
    return AttachedStream(connection)
