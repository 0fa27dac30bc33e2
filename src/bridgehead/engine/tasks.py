"""Work that outlives the request that began it: referenced, its failure logged, ended at shutdown."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from bridgehead.core.model.errors import BridgeheadError

_log = logging.getLogger("bridgehead.tasks")
_PATIENCE_S = 5.0
P = ParamSpec("P")
T = TypeVar("T")


class Tasks:
    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._unfinished: set[asyncio.Task[object]] = set()

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run in the background until it is done or the engine ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    async def finish(self, work: Coroutine[object, object, T]) -> T:
        """Run to the end, even if whoever waits here is cancelled."""
        task = asyncio.get_running_loop().create_task(work)
        self._unfinished.add(task)
        task.add_done_callback(self._left)
        return await asyncio.shield(task)

    async def close(self) -> None:
        if self._unfinished:
            await asyncio.wait(self._unfinished, timeout=_PATIENCE_S)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("background work failed", exc_info=error)

    def _left(self, task: asyncio.Task[object]) -> None:
        self._unfinished.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, BridgeheadError):
            _log.error("a use case failed", exc_info=error)


async def quietly(work: Awaitable[None]) -> None:
    """Clean up as far as possible; a failure is logged, and the reconciler tries again."""
    try:
        await work
    except BridgeheadError as error:
        _log.warning("clean-up: %s", error)


class Enduring(Protocol):
    tasks: Tasks


UseCases = TypeVar("UseCases", bound=Enduring)


def to_the_end(
    use_case: Callable[Concatenate[UseCases, P], Coroutine[object, object, T]],
) -> Callable[Concatenate[UseCases, P], Coroutine[object, object, T]]:
    """A use case goes on when its client goes away: half of one would leave something nobody asked for."""

    @functools.wraps(use_case)
    async def whole(self: UseCases, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.tasks.finish(use_case(self, *args, **kwargs))

    return whole
