"""Events as the engine keeps and tells them."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

from bridgehead.core.model.events import Event


class FakeEvents:
    def __init__(self) -> None:
        self.kept: list[Event] = []
        self.listeners: set[asyncio.Queue[Event]] = set()

    def publish(self, kind: str, action: str, actor: str, **attributes: str) -> None:
        event = Event(kind, action, actor, time.time_ns(), attributes)
        self.kept.append(event)
        for queue in self.listeners:
            queue.put_nowait(event)

    def pruned(self, kind: str, freed: int) -> None:
        self.publish(kind, "prune", "", reclaimed=str(freed))

    def recent(self, since: int) -> Sequence[Event]:
        return [event for event in self.kept if event.time >= since]

    @contextmanager
    def listening(self) -> Iterator[AsyncIterator[Event]]:
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self.listeners.add(queue)
        try:
            yield self._drain(queue)
        finally:
            self.listeners.discard(queue)

    async def _drain(self, queue: asyncio.Queue[Event]) -> AsyncIterator[Event]:
        while True:
            yield await queue.get()
