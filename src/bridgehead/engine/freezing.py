"""Pausing a container and letting it go on, for a user or for as long as its files are read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bridgehead.core.model.container import Container, Status
from bridgehead.core.model.errors import Conflict, HostRefused
from bridgehead.core.model.ids import ContainerID
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.tasks import quietly
from bridgehead.engine.world import Runtime


class Freezer:
    """The caller has the container's turn (`Lifecycle.changing`)."""

    def __init__(self, intent: Intent, runtime: Runtime, events: EventBus) -> None:
        self._intent = intent
        self._runtime = runtime
        self._events = events

    async def set(self, identifier: ContainerID, *, frozen: bool) -> None:
        """
        Raises:
            Conflict: it does not run, or is so already.
        """
        container = self._running(identifier)
        status = Status.PAUSED if frozen else Status.RUNNING
        if container.state.status is status:
            raise Conflict(f"container {identifier} is {'already' if frozen else 'not'} paused")
        try:
            await self._runtime.pause(identifier, frozen=frozen)
        except HostRefused:
            if await self._runtime.alive(identifier) is None:
                raise Conflict(f"container {identifier} is not running") from None
            raise
        container = self._running(identifier)
        state = replace(container.state, status=status)
        self._intent.commit(self._intent.snapshot.put(replace(container, state=state)))
        self._events.container(container, "pause" if frozen else "unpause")

    @asynccontextmanager
    async def held(self, identifier: ContainerID) -> AsyncIterator[None]:
        """Paused meanwhile, if it runs."""
        container = self._intent.snapshot.find_container(identifier)
        if container.state.status is not Status.RUNNING:
            yield
            return
        try:
            await self.set(identifier, frozen=True)
            yield
        finally:
            await quietly(self._thaw(identifier))

    async def _thaw(self, identifier: ContainerID) -> None:
        container = self._intent.snapshot.containers.get(identifier)
        if container and container.state.status is Status.PAUSED:
            await self.set(identifier, frozen=False)

    def _running(self, identifier: ContainerID) -> Container:
        container = self._intent.snapshot.find_container(identifier)
        if not container.state.status.has_process:
            raise Conflict(f"container {identifier} is not running")
        return container
