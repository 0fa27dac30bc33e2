"""How many clients at once: files are finite, and containers need some too. One too many is told so."""

import asyncio
import resource
from collections.abc import Callable

from aiohttp import web

from bridgehead.api.reply import json_line

_MOST_CONNECTIONS = 4096
_LINGER_S = 1.0


def most_connections() -> int:
    """A share of the files this process may open, which are also what containers are started with."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(_MOST_CONNECTIONS, files // 4) if files > 0 else _MOST_CONNECTIONS


def bounded(server: web.Server) -> Callable[[], asyncio.BaseProtocol]:
    def admit() -> asyncio.BaseProtocol:
        return server() if len(server.connections) < most_connections() else _Full()

    return admit


class _Full(asyncio.Protocol):
    """Tells, and stays a moment: a socket closed on an unread request would take the answer back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.WriteTransport):
            raise TypeError("a connection that cannot be answered")
        body = json_line({"message": "too many connections: try again when others have ended"})
        head = (
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        transport.write(head.encode() + body)
        transport.write_eof()
        self._end = asyncio.get_running_loop().call_later(_LINGER_S, transport.abort)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._end.cancel()
