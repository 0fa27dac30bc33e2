"""The API as one aiohttp application, and the unix sockets it listens on."""

from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakSet

from aiohttp import web

from bridgehead.api import errors, listener, version
from bridgehead.api.call import Call, Face, Table
from bridgehead.api.identity import Who
from bridgehead.api.reply import STREAMS, Spent, begun, cut, end_streams, json
from bridgehead.api.routes import ENTRIES
from bridgehead.core.layout import Layout
from bridgehead.core.model.errors import BridgeheadError
from bridgehead.engine.faces import Engine

MAXIMUM_JSON_BODY = 4 << 20  # bytes; archives are streamed and have no bound
_KEEP_ALIVE_S = 300
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


async def serve(app: web.Application, paths: Sequence[str], group: str = "docker") -> web.AppRunner:
    """Listen on unix sockets at `paths`, which are removed again by the runner's `cleanup()`.

    Raises:
        HostRefused: a path is taken by a living daemon, or cannot be bound.
    """
    bound: list[str] = []
    app.on_cleanup.append(_remover(bound))
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,  # else an idle event stream notices its client's end only on writing
        keepalive_timeout=_KEEP_ALIVE_S,
        shutdown_timeout=_SHUTDOWN_S,
    )
    await runner.setup()
    try:
        for path in paths:
            listening = listener.unix_socket(path, group)
            bound.append(path)
            await web.SockSite(runner, listening).start()
    except BridgeheadError:
        await runner.cleanup()
        raise
    return runner


def _remover(bound: Sequence[str]) -> Callable[[web.Application], Awaitable[None]]:
    async def remove(_: web.Application) -> None:
        listener.forget(bound)

    return remove
