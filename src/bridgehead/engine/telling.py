"""Work that several may wait for at once, and hear how it goes: two pulls of one image are one.

Each listener hears the latest of every line, however slowly it listens, so that nothing grows; who comes late
hears first how things stand. Work that nobody waits for any more is ended.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Hashable

from bridgehead.core.images.progress import Progress
from bridgehead.core.model.errors import HostRefused, refusal
from bridgehead.engine.tasks import Tasks

Say = Callable[[Progress], None]
Work = Callable[[Say], Coroutine[object, object, None]]


class Telling:
    def __init__(self) -> None:
        self.ended = False
        self.error: Exception | None = None
        self.task: asyncio.Task[None] | None = None
        self._lines: dict[str, Progress] = {}
        self._listeners: set[_Listener] = set()

    def say(self, progress: Progress) -> None:
        key = progress.id or f"\0{progress.status}{progress.aux}"
        self._lines[key] = progress
        for listener in self._listeners:
            listener.news[key] = progress
            listener.arrived.set()

    def end(self, error: Exception | None) -> None:
        self.ended, self.error = True, error
        for listener in self._listeners:
            listener.arrived.set()

    def join(self) -> "_Listener":
        listener = _Listener(dict(self._lines))
        self._listeners.add(listener)
        return listener

    def leave(self, listener: "_Listener") -> bool:
        """Whether nobody listens any more."""
        self._listeners.discard(listener)
        return not self._listeners


class _Listener:
    def __init__(self, news: dict[str, Progress]) -> None:
        self.news = news
        self.arrived = asyncio.Event()
        self.arrived.set()


class Shared:
    """Pieces of work by what they are for."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._running: dict[Hashable, Telling] = {}

    async def follow(self, key: Hashable, work: Work) -> AsyncGenerator[Progress]:
        """Join the work called `key`, or begin it. To close this is to leave.

        Raises:
            BridgeheadError: it failed.
        """
        telling = self._running.get(key) or self._begin(key, work)
        listener = telling.join()
        try:
            while True:
                await listener.arrived.wait()
                listener.arrived.clear()
                ended = telling.ended
                news, listener.news = listener.news, {}
                for progress in news.values():
                    yield progress
                if ended:
                    break
            if telling.error is not None:
                raise telling.error
        finally:
            if telling.leave(listener) and not telling.ended:
                self._forget(key, telling)
                if telling.task is not None:
                    telling.task.cancel()

    def _begin(self, key: Hashable, work: Work) -> Telling:
        telling = self._running[key] = Telling()
        telling.task = self._tasks.start(self._done(key, telling, work))
        return telling

    async def _done(self, key: Hashable, telling: Telling, work: Work) -> None:
        error: Exception | None = HostRefused("it was given up")
        try:
            await work(telling.say)
            error = None
        except Exception as failure:  # noqa: BLE001 - it belongs to those who wait
            error = refusal(failure)
        finally:
            self._forget(key, telling)
            telling.end(error)

    def _forget(self, key: Hashable, telling: Telling) -> None:
        if self._running.get(key) is telling:
            del self._running[key]
