"""An HTTP client with next to no cost of its own, so that what is measured is the daemon."""

import json
import socket
from pathlib import Path
from typing import Any

_HEADERS_END = b"\r\n\r\n"


class Wire:
    """One kept-alive connection. Understands what daemons answer: Content-Length, chunks, or no body."""

    def __init__(self, path: Path, timeout_s: float = 300) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_s)
        self._socket.connect(str(path))
        self._pending = b""

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        payload = b"" if body is None else json.dumps(body).encode()
        kind = b"Content-Type: application/json\r\n" if payload else b""
        head = f"{method} {path} HTTP/1.1\r\nHost: d\r\nContent-Length: {len(payload)}\r\n".encode()
        self._socket.sendall(head + kind + b"\r\n" + payload)
        headers = self._until(_HEADERS_END).lower()
        status = int(headers[9:12])
        if b"transfer-encoding: chunked" in headers:
            return status, self._chunks()
        _, found, rest = headers.partition(b"content-length:")
        return status, self._exactly(int(rest.split(b"\r\n", 1)[0])) if found else b""

    def close(self) -> None:
        self._socket.close()

    def _chunks(self) -> bytes:
        pieces = []
        while size := int(self._until(b"\r\n"), 16):
            pieces.append(self._exactly(size))
            self._exactly(2)
        self._exactly(2)
        return b"".join(pieces)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._pending:
            self._receive()
        found, _, self._pending = self._pending.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._pending) < size:
            self._receive()
        found, self._pending = self._pending[:size], self._pending[size:]
        return found

    def _receive(self) -> None:
        piece = self._socket.recv(1 << 20)
        if not piece:
            raise ConnectionResetError("the daemon closed the connection")
        self._pending += piece
