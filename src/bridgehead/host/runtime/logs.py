"""Reading what containers said, from the start or the end, and as they say it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from bridgehead.core.model.ids import ContainerID
from bridgehead.core.model.process import LogLine
from bridgehead.host.runtime.execution import conmon_of
from bridgehead.host.runtime.folder import LOG, Folders
from bridgehead.host.runtime.processes import Held
from bridgehead.host.runtime.records import Joiner, parse, seek_tail
from bridgehead.host.runtime.watch import Watch

_BATCH = 1000


class ConmonLogs:
    """`containers` is the folder of the containers' own folders, where the logs lie."""

    def __init__(self, containers: str, bundles: str) -> None:
        self._containers = containers
        self._folders = Folders(bundles)

    async def read(
        self, container: ContainerID, *, follow: bool, tail: int | None, since: int, until: int
    ) -> AsyncIterator[LogLine]:
        path = Path(self._containers, container, LOG)
        source = self._follow(container, path, tail) if follow else _written(path, tail)
        async for line in source:
            if not since and not until:
                yield line
                continue
            moment = _nanoseconds(line.time)
            if until and moment > until:
                return
            if moment >= since:
                yield line

    async def _follow(self, container: ContainerID, path: Path, tail: int | None) -> AsyncIterator[LogLine]:
        conmon = conmon_of(self._folders.of(container))
        if conmon is None:
            async for line in _written(path, tail):
                yield line
            return
        with conmon, closing(Watch(str(path.parent))) as watch, closing(_Growing(path, tail)) as log:
            over = False
            while not over:
                # Asked before reading: all that conmon wrote is then read after its end was known.
                over = conmon.dead
                async for line in _paced(log.lines()):
                    yield line
                if not over:
                    await _either(watch, conmon)
            for line in log.rest():
                yield line


class _Growing:
    """An open log. conmon starts a new file under the same name when one is full."""

    def __init__(self, path: Path, tail: int | None) -> None:
        self._path = path
        self._file = path.open("rb")
        self._joiner = Joiner()
        self._cut = b""
        if tail is not None:
            seek_tail(self._file, tail)

    def lines(self) -> Iterator[LogLine]:
        yield from self._here()
        if self._replaced():
            yield from self._here()  # what was written to the old file after we last looked
            self._file.close()
            self._file = self._path.open("rb")
            yield from self._here()

    def rest(self) -> Iterator[LogLine]:
        return self._joiner.rest()

    def close(self) -> None:
        self._file.close()

    def _here(self) -> Iterator[LogLine]:
        for raw in self._file:
            line = self._cut + raw
            self._cut = b""
            if not line.endswith(b"\n"):
                self._cut = line
                return
            record = parse(line[:-1])
            if record and (joined := self._joiner.add(record)):
                yield joined

    def _replaced(self) -> bool:
        with suppress(FileNotFoundError):
            return self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino
        return False


async def _written(path: Path, tail: int | None) -> AsyncIterator[LogLine]:
    try:
        log = _Growing(path, tail)
    except FileNotFoundError:
        return
    with closing(log):
        async for line in _paced(log.lines()):
            yield line
        for line in log.rest():
            yield line


def _nanoseconds(stamp: str) -> int:
    """A line's own stamp, in UTC with nine digits of a fraction; 0 for what is none."""
    whole, _, fraction = stamp.removesuffix("Z").partition(".")
    try:
        seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
        return seconds * 10**9 + int(fraction[:9].ljust(9, "0"))
    except ValueError:
        return 0


async def _paced(lines: Iterator[LogLine]) -> AsyncIterator[LogLine]:
    """A long log must not keep the daemon from its other work."""
    for number, line in enumerate(lines, start=1):
        yield line
        if number % _BATCH == 0:
            await asyncio.sleep(0)


async def _either(watch: Watch, conmon: Held) -> None:
    waits = [asyncio.ensure_future(watch.changed()), asyncio.ensure_future(conmon.ended())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
