"""The HTTP server of a plugin: a thread a connection, and a count of the calls under way."""

import logging
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any

from bridgehead.plugin.dispatch import Dispatch
from bridgehead.plugin.door import Door

_log = logging.getLogger("bridgehead.plugin")

_LARGEST_REQUEST = 16 << 20


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A thread a connection; engines keep a few."""

    daemon_threads = True

    def __init__(self, door: Door, dispatch: Dispatch) -> None:
        socketserver.BaseServer.__init__(self, ("", 0), _Connection)
        self.socket = door.listener
        self._dispatch = dispatch
        self._calls = 0
        self._changed = threading.Condition()

    def answer(self, method: str, body: bytes) -> tuple[int, bytes]:
        with self._changed:
            self._calls += 1
        return self._dispatch(method, body)

    def answered(self) -> None:
        with self._changed:
            self._calls -= 1
            self._changed.notify_all()

    def wait_for_calls(self, limit_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._calls, limit_s)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.debug("a connection broke", exc_info=True)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LARGEST_REQUEST:
            self.close_connection = True
            self._send(411, b"Content-Length: needed, at most 16 MiB\n")
            return
        body = self.rfile.read(int(length))
        status, answer = self.server.answer(self.path.removeprefix("/"), body)
        try:
            self._send(status, answer)
        finally:
            self.server.answered()

    def _send(self, status: int, body: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", "application/vnd.docker.plugins.v1.2+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        _log.debug(format, *args)
