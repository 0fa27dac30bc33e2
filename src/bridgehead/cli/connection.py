"""HTTP/1.1 on one socket: one request, one answer, or an answer that turns into a two-way stream.

Written by hand because importing `http.client` adds 14 ms to a start-up of 37, and because a hijacked
connection must hand over the bytes that came in behind its headers.
"""

import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

PIECE = 65536


class BrokenAnswer(Exception):
    """The other side closed, or did not speak HTTP."""


@dataclass(frozen=True, slots=True)
class Head:
    """Header names are in lower case."""

    status: int
    headers: Mapping[str, str]

    @property
    def chunked(self) -> bool:
        return self.headers.get("transfer-encoding", "").lower() == "chunked"

    @property
    def length(self) -> int | None:
        text = self.headers.get("content-length")
        return None if text is None else int(text)


class Connection:
    """Owns its socket; the answer is read in order: `head`, then `body` or `receive`."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._buffer = bytearray()
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise

    def close(self) -> None:
        self.socket.close()

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | Iterable[bytes]
    ) -> None:
        """Iterables are sent chunked. A server that answers before it has read everything is no error."""
        framing = (
            {"Content-Length": str(len(body))}
            if isinstance(body, bytes)
            else {"Transfer-Encoding": "chunked"}
        )
        lines = [f"{method} {target} HTTP/1.1", "Host: bridgehead"]
        lines += [f"{name}: {value}" for name, value in {**headers, **framing}.items()]
        start = "\r\n".join([*lines, "", ""]).encode()
        with suppress(BrokenPipeError, ConnectionResetError):
            if isinstance(body, bytes):
                self.socket.sendall(start + body)
            else:
                self._send_chunked(start, body)

    def _send_chunked(self, start: bytes, pieces: Iterable[bytes]) -> None:
        self.socket.sendall(start)
        for piece in pieces:
            if piece:
                self.socket.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.socket.sendall(b"0\r\n\r\n")

    def head(self) -> Head:
        version, _, rest = self._line().partition(b" ")
        if not version.startswith(b"HTTP/1."):
            raise BrokenAnswer(f"the daemon does not speak HTTP: {version[:40]!r}")
        headers: dict[str, str] = {}
        while line := self._line().decode("latin-1"):
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return Head(int(rest[:3]), headers)

    def body(self, head: Head) -> Iterator[bytes]:
        """The pieces as they arrive; the last one closes the connection."""
        try:
            if head.chunked:
                yield from self._chunks()
            elif head.length is not None:
                yield from self._exactly(head.length)
            else:
                while piece := self.receive():
                    yield piece
        finally:
            self.close()

    def receive(self) -> bytes:
        """What came in already, else the next piece from the socket; empty at its end."""
        if self._buffer:
            piece = bytes(self._buffer)
            self._buffer.clear()
            return piece
        try:
            return self.socket.recv(PIECE)
        except ConnectionResetError:
            return b""

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line().partition(b";")[0], 16):
            yield from self._exactly(size)
            self._line()
        self._line()

    def _exactly(self, count: int) -> Iterator[bytes]:
        while count:
            piece = self.receive()
            if not piece:
                raise BrokenAnswer("the daemon closed the connection in the middle of its answer")
            self._buffer += piece[count:]
            yield piece[:count]
            count -= min(count, len(piece))

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            piece = self.socket.recv(PIECE)
            if not piece:
                raise BrokenAnswer("the daemon closed the connection without an answer")
            self._buffer += piece
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        return line
