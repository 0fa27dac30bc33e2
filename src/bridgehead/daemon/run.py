"""The daemon from its first to its last breath.

Start: check, claim, recover, open the API. End (SIGTERM, SIGINT): close the API, stop deciding. Containers,
networks and name resolution go on; the next daemon adopts them.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridgehead.core.model.errors import BridgeheadError, HostRefused
from bridgehead.core.plan.explain import explain
from bridgehead.core.plan.key import Key
from bridgehead.daemon import journal, supervisor
from bridgehead.daemon.flags import Settings
from bridgehead.daemon.reading import parse
from bridgehead.daemon.reloading import reloaded

if TYPE_CHECKING:
    from bridgehead.api.server import Served
    from bridgehead.daemon.wiring import Parts

_log = logging.getLogger("bridgehead.daemon")
_VITAL = {("firewall-table",), ("link", "", "docker0")}


def run(arguments: Sequence[str]) -> int:
    """0 after an orderly end; 1 when it refused to start, with one sentence on standard error."""
    try:
        settings = parse(arguments)
        journal.begin(settings.level)
        return asyncio.run(_plan(settings) if settings.plan else _serve(settings, arguments))
    except BridgeheadError as error:
        print(f"bridgehead daemon: {error.message}", file=sys.stderr)  # noqa: T201 - its one sentence
    except OSError as error:
        print(f"bridgehead daemon: cannot start: {error}", file=sys.stderr)  # noqa: T201
    return 1


async def _plan(settings: Settings) -> int:
    from bridgehead.daemon import wiring
    from bridgehead.host.machine import preflight

    preflight.check()
    ops = await wiring.plan(settings)
    for op in ops:
        print(explain(op))  # noqa: T201 - this is what was asked for
    print(f"{len(ops)} to change" if ops else "nothing to change")  # noqa: T201
    return 0


async def _serve(settings: Settings, arguments: Sequence[str]) -> int:
    with _quick_imports():
        # Here, so that --help and a refused flag need not wait for the whole daemon to load.
        from bridgehead.daemon import keeping, wiring
    from bridgehead.host.machine import preflight

    preflight.check()
    manager = supervisor.taken()
    hung_up = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hung_up.set)
    with ExitStack() as held:
        held.enter_context(preflight.claim_network())
        parts = wiring.build(settings, held)
        _refuse_without_vitals(await parts.engine.begin())
        current = _Current(settings, arguments)
        served = await wiring.open_api(settings, parts, lambda: current.settings)
        held.enter_context(journal.pidfile(settings.pidfile, os.getpid()))
        gc.freeze()  # what start-up made stays; no later collection needs to look at it
        _log.info("ready on %s", ", ".join(settings.hosts))
        manager.tell("READY=1")
        background = [
            asyncio.create_task(keeping.keep_companions(parts.births, parts.engine)),
            asyncio.create_task(parts.vigil.keep()),
            asyncio.create_task(keeping.follow_legacy_rules(parts.programs, parts.vigil)),
            asyncio.create_task(keeping.follow_name_servers(parts.engine)),
            asyncio.create_task(parts.runtime.prepare()),
            asyncio.create_task(_reload_when_told(hung_up, current, parts, served)),
        ]
        await _told_to_end()
        _log.info("ending; containers go on")
        manager.tell("STOPPING=1")
        for task in background:
            task.cancel()
        await served.cleanup()
        await parts.engine.end()
    return 0


@contextmanager
def _quick_imports() -> Iterator[None]:
    """Saves a fifth of the start: what is imported stays, so looking for garbage among it is idle, and
    aiohttp's client would read every certificate of the system, though the daemon asks nobody over TLS.
    """
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, os.devnull))
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _refuse_without_vitals(refused: Mapping[Key, Exception]) -> None:
    for key, error in refused.items():
        if key in _VITAL:
            raise HostRefused(f"cannot start: {error}")


@dataclass(slots=True)
class _Current:
    """The settings in force, and the words they were first read from."""

    settings: Settings
    arguments: Sequence[str]


async def _reload_when_told(told: asyncio.Event, current: _Current, parts: "Parts", served: "Served") -> None:
    from bridgehead.daemon import wiring

    while True:
        await told.wait()
        told.clear()
        found = reloaded(current.settings, current.arguments)
        if found is None:
            continue
        current.settings = found
        journal.begin(current.settings.level)
        wiring.renew_certificates(current.settings, served)
        try:
            await wiring.reload(parts, current.settings)
        except BridgeheadError as error:
            _log.warning("reloaded, but the host does not show it yet: %s", error)


async def _told_to_end() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()
