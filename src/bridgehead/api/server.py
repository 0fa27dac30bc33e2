"""The API as one aiohttp application, and the sockets it listens on."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from weakref import WeakSet

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bridgehead.api import errors, listener, tls, version
from bridgehead.api.admission import bounded
from bridgehead.api.call import Call, Face, Table
from bridgehead.api.identity import Who
from bridgehead.api.reply import STREAMS, Spent, begun, cut, end_streams, json
from bridgehead.api.routes import ENTRIES
from bridgehead.api.tls import TlsFiles
from bridgehead.core.layout import Layout
from bridgehead.core.model.errors import BridgeheadError
from bridgehead.engine.faces import Engine

MAXIMUM_JSON_BODY = 4 << 20  # bytes; archives are streamed and have no bound
_MAXIMUM_LINE = 64 << 10  # bytes: filters and credentials may be long
_KEEP_ALIVE_S = 300  # also for a request whose head never ends
_SHUTDOWN_S = 2.0


def build(engine: Engine, layout: Layout, who: Who) -> web.Application:
    app = web.Application(client_max_size=MAXIMUM_JSON_BODY)
    app[STREAMS] = WeakSet()
    app.on_shutdown.append(end_streams)
    # aiohttp routes one pattern to us: its own table would try every versioned path in turn.
    app.router.add_route("*", "/{path:.*}", _entry(Table(ENTRIES), Face(engine, layout, who)))
    return app


def _entry(table: Table, face: Face) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        reply: web.StreamResponse
        try:
            spoken, path = version.split(request.path)
            route, name = table.find(request.method, path)
            return await route(Call(request, spoken, name, face))
        except BridgeheadError as error:
            reply = errors.refusal(error)
        except ConnectionError:
            reply = Spent()
        except web.HTTPException as error:
            reply = json({"message": error.reason}, error.status)
        except Exception as error:  # noqa: BLE001 - a bug in one request must not take the others down
            reply = errors.bug(error)
        return cut(request) if begun(request) else reply

    return answer


@dataclass(frozen=True, slots=True)
class Tcp:
    """Addresses and ports to listen on; with `files`, in TLS."""

    addresses: Sequence[tuple[str, int]] = ()
    files: TlsFiles | None = None


class Served:
    """The running API. `paths` and `ports`: where it listens."""

    def __init__(self, runner: web.AppRunner, admit: Callable[[], asyncio.BaseProtocol]) -> None:
        self._runner = runner
        self._admit = admit
        self.paths: list[str] = []
        self.ports: list[int] = []
        self._plain: list[asyncio.Server] = []
        self._fronts: list[tls.Front] = []

    async def open_plain(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._plain.append(await loop.create_server(self._admit, sock=listening))

    def open_secure(self, listening: socket.socket, secure: ssl.SSLContext) -> None:
        self._fronts.append(tls.Front(listening, secure, self._admit))

    def renew(self, files: TlsFiles) -> None:
        """Read certificates anew, for the clients to come.

        Raises:
            InvalidParameter: they make no sense; those in force stay.
        """
        if self._fronts:
            secure = tls.context(files)
            for front in self._fronts:
                front.context = secure

    async def cleanup(self) -> None:
        for plain in self._plain:
            plain.close()
        for front in self._fronts:
            front.stop_accepting()
        await self._runner.cleanup()
        for front in self._fronts:
            await front.close()
        listener.forget(self.paths)


def _quiet() -> logging.Logger:
    """aiohttp's log without what clients got wrong: it would tell the offending header, maybe a secret."""
    quiet = logging.getLogger(f"{__name__}.http")
    quiet.addFilter(lambda record: not _clients_fault(record))
    return quiet


def _clients_fault(record: logging.LogRecord) -> bool:
    return record.exc_info is not None and isinstance(record.exc_info[1], HttpProcessingError)


async def serve(
    app: web.Application, paths: Sequence[str], group: str = "docker", tcp: Tcp = Tcp()
) -> Served:
    """Listen on unix sockets at `paths`, which `cleanup()` removes again, and on TCP.

    Raises:
        HostRefused: an address is taken by a living daemon, or cannot be bound.
        InvalidParameter: certificates that make no sense.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_quiet(),
        handler_cancellation=True,  # else an idle event stream notices its client's end only on writing
        keepalive_timeout=_KEEP_ALIVE_S,
        shutdown_timeout=_SHUTDOWN_S,
        max_line_size=_MAXIMUM_LINE,
        max_field_size=_MAXIMUM_LINE,
    )
    await runner.setup()
    if runner.server is None:
        raise RuntimeError("aiohttp made no server")
    served = Served(runner, bounded(runner.server))
    try:
        secure = tls.context(tcp.files) if tcp.files and tcp.addresses else None
        for path in paths:
            await served.open_plain(listener.unix_socket(path, group))
            served.paths.append(path)
        for address, port in tcp.addresses:
            listening = listener.tcp_socket(address, port)
            served.ports.append(listening.getsockname()[1])
            if secure is None:
                await served.open_plain(listening)
            else:
                served.open_secure(listening, secure)
    except BridgeheadError:
        await served.cleanup()
        raise
    return served
