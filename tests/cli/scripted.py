"""A daemon that says what the test wrote down: real HTTP on a real unix socket, and hijacked streams."""

import json
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes
    headers: dict[str, str]

    @property
    def json(self):
        return json.loads(self.body)


@dataclass(frozen=True)
class Says:
    """`stream`, when given, takes over the connection after a 101."""

    status: int = 200
    body: bytes = b""
    chunks: tuple[bytes, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    stream: Callable[["Wire"], None] | None = None


class Wire:
    """The daemon's end of a hijacked connection."""

    def __init__(self, request: BaseHTTPRequestHandler) -> None:
        self._in, self._out = request.rfile, request.wfile

    def read(self, count: int = 65536) -> bytes:
        return self._in.read1(count)

    def read_until(self, ending: bytes) -> bytes:
        seen = b""
        while not seen.endswith(ending) and (piece := self.read()):
            seen += piece
        return seen

    def write(self, data: bytes) -> None:
        self._out.write(data)

    def frame(self, stream: int, data: bytes) -> None:
        self.write(struct.pack(">BxxxL", stream, len(data)) + data)


def says(value: object, status: int = 200) -> Says:
    return Says(status, json.dumps(value).encode())


@dataclass
class ScriptedDaemon:
    path: Path
    asked: list[Asked] = field(default_factory=list)
    _script: dict[tuple[str, str], Says] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def host(self) -> str:
        return f"unix://{self.path}"

    def on(self, method: str, path: str, answer: Says) -> None:
        self._script[method, path] = answer

    def answer(self, asked: Asked) -> Says:
        with self.changed:
            self.asked.append(asked)
            self.changed.notify_all()
        return self._script.get((asked.method, asked.path)) or says(
            {"message": f"nothing is scripted for {asked.method} {asked.path}"}, 404
        )

    def wait_for(self, method: str, path: str, timeout_s: float = 5) -> Asked:
        def found() -> Asked | None:
            return next((seen for seen in self.asked if (seen.method, seen.path) == (method, path)), None)

        with self.changed:
            self.changed.wait_for(found, timeout_s)
            request = found()
        assert request, f"{method} {path} was never asked; seen: {self.calls}"
        return request

    @property
    def calls(self) -> list[str]:
        return [f"{seen.method} {seen.path}" for seen in self.asked]


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    script: ScriptedDaemon


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _answer(self) -> None:
        target = urlsplit(self.path)
        path = target.path.removeprefix("/v1.48")
        body = self._chunked() if "chunked" in self.headers.get("Transfer-Encoding", "") else self._plain()
        answer = self.server.script.answer(
            Asked(self.command, path, parse_qs(target.query), body, dict(self.headers))
        )
        if answer.stream:
            self.wfile.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
            answer.stream(Wire(self))
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.chunks:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in (*answer.chunks, b""):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            return
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - http.server looks for these names

    def _plain(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _chunked(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *words: object) -> None:
        """Quiet."""


@contextmanager
def scripted_daemon(path: Path) -> Iterator[ScriptedDaemon]:
    script = ScriptedDaemon(path)
    with _Server(str(path), _Request) as server:
        server.script = script
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield script
        server.shutdown()
        thread.join()
