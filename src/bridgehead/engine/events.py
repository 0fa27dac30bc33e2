"""What happened, kept for late askers and pushed to whoever listens."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager

from bridgehead.core.model.container import Container
from bridgehead.core.model.events import Event
from bridgehead.core.model.network import Network
from bridgehead.core.model.volume import Volume
from bridgehead.engine.world import Clock

_KEPT = 1024
_BACKLOG = 4096  # a listener this far behind is cut off rather than let grow


class EventBus:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: deque[Event] = deque(maxlen=_KEPT)
        self._listeners: set[asyncio.Queue[Event]] = set()

    def container(self, container: Container, action: str, **attributes: str) -> None:
        words = {"image": container.image_reference, "name": container.name, **container.spec.labels}
        self._publish("container", action, container.id, words | attributes)

    def network(self, network: Network, action: str, **attributes: str) -> None:
        self._publish(
            "network", action, network.id, {"name": network.name, "type": network.driver, **attributes}
        )

    def image(self, identifier: str, action: str, name: str) -> None:
        self._publish("image", action, identifier, {"name": name})

    def volume(self, volume: Volume, action: str, **attributes: str) -> None:
        self._publish("volume", action, volume.id, {"driver": "local", **attributes})

    def plain(self, kind: str, action: str, attributes: Mapping[str, str], *, actor: str = "") -> None:
        self._publish(kind, action, actor, attributes)

    def pruned(self, kind: str, freed: int) -> None:
        self.plain(kind, "prune", {"reclaimed": str(freed)})

    def recent(self, since: int) -> Sequence[Event]:
        return [event for event in self._kept if event.time >= since]

    @property
    def listeners(self) -> Sized:
        return self._listeners

    @contextmanager
    def listening(self) -> Iterator[AsyncIterator[Event]]:
        """Begins at once; the events end when the listener has fallen too far behind."""
        queue: asyncio.Queue[Event] = asyncio.Queue(_BACKLOG)
        self._listeners.add(queue)
        try:
            yield self._drain(queue)
        finally:
            self._listeners.discard(queue)

    async def _drain(self, queue: asyncio.Queue[Event]) -> AsyncIterator[Event]:
        while queue in self._listeners:
            yield await queue.get()

    def _publish(self, kind: str, action: str, actor: str, attributes: Mapping[str, str]) -> None:
        event = Event(kind, action, actor, self._clock.now(), attributes)
        self._kept.append(event)
        for queue in list(self._listeners):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._listeners.discard(queue)
