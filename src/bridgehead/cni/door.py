"""The daemon's socket: one request, one answer.

HTTP/1.0, whose answers end with the connection and are never chunked, so that a dozen lines can read them.
"""

import json
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

from bridgehead.cni.failures import Refused, Unreachable

ERRORS = 400
FORBIDDEN = 403
NOT_FOUND = 404
CONFLICT = 409
_PIECE = 65536
_LIMIT_S = 60.0
_LONGEST = 64 << 20  # bytes


class Door(NamedTuple):
    path: str

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        return self.call("GET", path, query)

    def post(self, path: str, body: Mapping[str, object], query: Mapping[str, str] | None = None) -> Any:
        return self.call("POST", path, query, body)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Any:
        """The decoded answer; None when there is none.

        Raises:
            Refused: the daemon said no.
            Unreachable: it is not there, or went away before it had answered.
        """
        target = _target(path, query)
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        status, answer = _parsed(self._exchange(_request(method, target, content)))
        if status >= ERRORS:
            raise Refused(status, _sentence(answer), f"{method} {target}")
        return _decoded(answer)

    def _exchange(self, request: bytes) -> bytes:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_LIMIT_S)
                connection.connect(self.path)
                connection.sendall(request)
                return _all(connection)
        except OSError as error:
            raise Unreachable(
                f"Cannot connect to the bridgehead daemon at {self.path} ({error.strerror or error}). "
                "Is it running?"
            ) from error


def _request(method: str, target: str, content: bytes) -> bytes:
    lines = [f"{method} {target} HTTP/1.0", "Host: bridgehead"]
    if content:
        lines.append("Content-Type: application/json")
    lines += [f"Content-Length: {len(content)}", "", ""]
    return "\r\n".join(lines).encode() + content


def _target(path: str, query: Mapping[str, str] | None) -> str:
    return quoted(path, "/") + ("?" + "&".join(f"{k}={quoted(v)}" for k, v in query.items()) if query else "")


def quoted(text: str, also: str = "") -> str:
    """`urllib.parse` would cost as much to import as all of this module."""
    plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" + also
    return "".join(chr(byte) if chr(byte) in plain else f"%{byte:02X}" for byte in text.encode())


def _all(connection: socket.socket) -> bytes:
    answer = bytearray()
    while piece := connection.recv(_PIECE):
        answer += piece
        if len(answer) > _LONGEST:
            raise Unreachable("the daemon's answer has no end")
    return bytes(answer)


def _parsed(answer: bytes) -> tuple[int, bytes]:
    head, separator, body = answer.partition(b"\r\n\r\n")
    first, _, fields = head.partition(b"\r\n")
    version, _, rest = first.partition(b" ")
    if not separator or not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise Unreachable(f"the daemon closed the connection without an answer: {answer[:40]!r}")
    length = _length(fields)
    if length is not None and len(body) < length:
        raise Unreachable("the daemon closed the connection in the middle of its answer")
    return int(rest[:3]), body


def _length(fields: bytes) -> int | None:
    for line in fields.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return None


def _decoded(answer: bytes) -> Any:
    try:
        return json.loads(answer) if answer.strip() else None
    except ValueError as error:
        raise Unreachable(f"the daemon's answer is no JSON: {answer[:40]!r}") from error


def _sentence(answer: bytes) -> str:
    try:
        reply = json.loads(answer)
    except ValueError:
        return answer.decode(errors="replace").strip() or "the daemon gave no reason"
    return str(reply.get("message", reply)) if isinstance(reply, dict) else str(reply)
