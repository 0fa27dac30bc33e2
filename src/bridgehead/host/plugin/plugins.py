"""`HostPlugins`: the engine's `Plugins`. Finds, activates, asks, and asks again where that can do no harm."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

import msgspec

from bridgehead.core.model.errors import NotFound, PluginMissing, PluginUnreachable
from bridgehead.core.remote import answers
from bridgehead.core.remote.protocol import ACTIVATE, Implements
from bridgehead.host.plugin import discovery
from bridgehead.host.plugin.discovery import Folders
from bridgehead.host.plugin.limits import Limits
from bridgehead.host.plugin.location import Location
from bridgehead.host.plugin.transport import Garbled, Line, Lost, Unsent

_log = logging.getLogger("bridgehead.plugin")

T = TypeVar("T")
Answer = TypeVar("Answer", bound=msgspec.Struct)

_REPEATABLE = frozenset(
    {
        "NetworkDriver.GetCapabilities",
        "NetworkDriver.GwAllocCheck",
        "NetworkDriver.EndpointOperInfo",
        "NetworkDriver.DiscoverNew",
        "NetworkDriver.DiscoverDelete",
        "IpamDriver.GetCapabilities",
        "IpamDriver.GetDefaultAddressSpaces",
    }
)
"""Calls that change nothing, or nothing the second time."""

_Socket = tuple[int, int, int] | None


@dataclass(slots=True)
class _Life:
    """A plugin from one start of it to the next, as far as `socket` shows."""

    number: int

    location: Location
    socket: _Socket
    line: Line
    implements: frozenset[str]


class HostPlugins:
    """A plugin is activated when it is first needed, and anew when its socket is another or fails."""

    def __init__(self, folders: Folders | None = None, limits: Limits | None = None) -> None:
        self._folders = folders or Folders()
        self._limits = limits or Limits()
        self._lives: dict[str, _Life] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._numbers = count(1)

    def known(self) -> Sequence[str]:
        return discovery.known(self._folders)

    async def activate(self, name: str, interface: str) -> int:
        return (await self._insist(name, ACTIVATE, lambda: self._listening(name, interface))).number

    async def call(
        self, name: str, method: str, request: msgspec.Struct | None, kind: type[Answer]
    ) -> Answer:
        body = answers.encode(request)

        async def attempt() -> tuple[int, bytes]:
            life = await self._implementing(name, method.partition(".")[0])
            return await self._ask(life, method, body)

        status, answered = await self._insist(name, method, attempt)
        return answers.answer(method, status, answered, kind, plugin=name, request=request)

    async def close(self) -> None:
        lives, self._lives = self._lives, {}
        for life in lives.values():
            await life.line.close()

    async def _insist(self, name: str, method: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """The outcome of `attempt`, tried again after each pause while nothing can have come of it."""
        was_known = name in self._lives
        pauses = iter(self._limits.pauses_s)
        try:
            async with asyncio.timeout(self._limits.call_s):
                while True:
                    try:
                        return await attempt()
                    except Garbled as error:
                        raise answers.senseless(name, method, str(error)) from error
                    except PluginMissing:
                        # One that is being started again may be without a socket for a moment.
                        pause = next(pauses, None) if was_known else None
                        if pause is None:
                            raise
                    except (Unsent, Lost) as error:
                        pause = next(pauses, None) if _may_repeat(method, error) else None
                        if pause is None:
                            raise self._unreachable(name, method, error) from error
                    _log.debug("%s: %s again in %s s", name, method, pause)
                    await asyncio.sleep(pause)
        except TimeoutError:
            within = f"within {self._limits.call_s:g} s"
            raise PluginUnreachable(f"{self._named(name)} did not answer {method} {within}") from None

    async def _listening(self, name: str, interface: str) -> _Life:
        """One that was killed leaves its socket behind, and with it looks as if it went on."""
        known = self._lives.get(name)
        life = await self._implementing(name, interface)
        if life is known:
            try:
                await life.line.reach()
            except Unsent:
                await self._forget(life)
                raise
        return life

    async def _implementing(self, name: str, interface: str) -> _Life:
        life = await self._life(name)
        if interface not in life.implements:
            await self._forget(life)  # it may answer otherwise once it is mended
            raise NotFound(
                f'Plugin does not implement the requested driver: plugin="{name}", '
                f'requested implementation="{interface}"'
            )
        return life

    async def _life(self, name: str) -> _Life:
        """The one that goes on, or a new one, activated.

        Raises:
            PluginMissing, PluginUnreachable, PluginRefused, PluginAnswer, Unsent, Garbled
        """
        try:
            location = discovery.find(name, self._folders)
        except PluginMissing:
            await self._forget(self._lives.get(name))
            raise
        life = self._lives.get(name)
        if life is not None and _goes_on(life, location):
            return life
        async with self._locks.setdefault(name, asyncio.Lock()):
            life = self._lives.get(name)
            if life is None or not _goes_on(life, location):
                await self._forget(life)
                life = self._lives[name] = await self._begin(location)
            return life

    async def _begin(self, location: Location) -> _Life:
        line = await Line.open(location, self._limits)
        socket, found = _socket(location), None
        try:
            status, body = await line.post(ACTIVATE, b"")
            found = answers.answer(ACTIVATE, status, body, Implements, plugin=location.name).implements
        except Lost as error:
            raise Unsent(str(error)) from error  # of what it was activated for
        except Garbled as error:
            raise answers.senseless(location.name, ACTIVATE, str(error)) from error
        finally:
            if found is None:
                await line.close()
        _log.info("plugin %s at %s: %s", location.name, location.address, ", ".join(found))
        return _Life(next(self._numbers), location, socket, line, frozenset(found))

    async def _ask(self, life: _Life, method: str, body: bytes) -> tuple[int, bytes]:
        try:
            return await life.line.post(method, body)
        except (Unsent, Lost, Garbled):
            await self._forget(life)
            raise

    async def _forget(self, life: _Life | None) -> None:
        if life is not None and self._lives.get(life.location.name) is life:
            del self._lives[life.location.name]
            await life.line.retire()

    def _unreachable(self, name: str, method: str, error: Unsent | Lost) -> PluginUnreachable:
        failed = "cannot be reached" if isinstance(error, Unsent) else f"did not answer {method}"
        return PluginUnreachable(f"{self._named(name)} {failed}: {error}")

    def _named(self, name: str) -> str:
        try:
            return f'plugin "{name}" at {discovery.find(name, self._folders).address}'
        except (PluginMissing, PluginUnreachable):
            return f'plugin "{name}"'


def _may_repeat(method: str, error: Unsent | Lost) -> bool:
    return not error.lasting if isinstance(error, Unsent) else method in _REPEATABLE


def _goes_on(life: _Life, location: Location) -> bool:
    return life.location == location and life.socket == _socket(location)


def _socket(location: Location) -> _Socket:
    """Which socket stands there now; None where it cannot be seen."""
    if location.socket is None:
        return None
    try:
        found = Path(location.socket).stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns
