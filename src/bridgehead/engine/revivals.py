"""Containers whose restart policy brings them back: when, and after how long."""

import asyncio
import logging
from dataclasses import replace
from typing import Protocol

from bridgehead.core import links, shared
from bridgehead.core.model.container import Container, Status
from bridgehead.core.model.errors import BridgeheadError, Conflict
from bridgehead.core.model.ids import ContainerID
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.restart import delay
from bridgehead.engine.intent import Intent
from bridgehead.engine.plugged.absence import ABSENT
from bridgehead.engine.tasks import Tasks

_LONGEST_WAIT_S = 5.0  # for a source to come back, before it is looked for again
_SETTLED_NS = 10_000_000_000  # one that ran this long is not failing in a row
_log = logging.getLogger("bridgehead.revivals")


class Launcher(Protocol):
    def changing(self, container: ContainerID) -> asyncio.Lock: ...

    async def launch(self, identifier: ContainerID) -> None: ...


class Revivals:
    def __init__(self, intent: Intent, tasks: Tasks, launcher: Launcher) -> None:
        self._intent = intent
        self._tasks = tasks
        self._launcher = launcher
        self._began: dict[ContainerID, int] = {}
        self._in_a_row: dict[ContainerID, int] = {}
        self._coming: dict[ContainerID, asyncio.Task[None]] = {}

    def began(self, container: ContainerID) -> None:
        self._began[container] = self._intent.clock.now()

    def plan(self, container: Container) -> None:
        """Start it again after a pause that doubles while it keeps failing at once."""
        now = self._intent.clock.now()
        quick = now - self._began.get(container.id, now) < _SETTLED_NS
        count = self._in_a_row.get(container.id, 0) if quick else 0
        self._in_a_row[container.id] = count + 1
        self._coming[container.id] = self._tasks.start(self._revive(container.id, delay(count)))

    def cancel(self, container: ContainerID) -> None:
        if task := self._coming.pop(container, None):
            task.cancel()

    def forget(self, container: ContainerID) -> None:
        self._began.pop(container, None)
        self._in_a_row.pop(container, None)
        self._coming.pop(container, None)

    async def _revive(self, identifier: ContainerID, delay_s: float, waited: int = 0) -> None:
        await asyncio.sleep(delay_s)
        async with self._launcher.changing(identifier):
            self._coming.pop(identifier, None)
            snapshot = self._intent.snapshot
            container = snapshot.containers.get(identifier)
            if container is None or container.state.status is not Status.RESTARTING:
                return
            if reason := _obstacle(snapshot, container):
                _log.info("container %s waits to be restarted: %s", container.name, reason)
                again = self._revive(identifier, min(delay(waited), _LONGEST_WAIT_S), waited + 1)
                self._coming[identifier] = self._tasks.start(again)
                return
            state = replace(container.state, restarts=container.state.restarts + 1)
            try:
                self._intent.commit(snapshot.put(replace(container, state=state)))
                await self._launcher.launch(identifier)
            except ABSENT as error:
                self._wait(identifier, container.state.restarts, waited, error.message)
            except BridgeheadError as error:
                _log.warning("container %s could not be restarted: %s", container.name, error)

    def _wait(self, identifier: ContainerID, restarts: int, waited: int, reason: str) -> None:
        """A plugin may come up later than we do, and its containers are not to stay down for that."""
        snapshot = self._intent.snapshot
        container = snapshot.containers.get(identifier)
        if container is None:
            return
        _log.info("container %s waits to be restarted: %s", container.name, reason)
        state = replace(container.state, status=Status.RESTARTING, restarts=restarts)
        self._intent.commit(snapshot.put(replace(container, state=state)))
        again = self._revive(identifier, min(delay(waited), _LONGEST_WAIT_S), waited + 1)
        self._coming[identifier] = self._tasks.start(again)


def _obstacle(snapshot: Snapshot, container: Container) -> str:
    """Why it cannot start yet though nothing is wrong with it: what it is linked to, or whose network it
    has, is not back itself.
    """
    try:
        links.required(snapshot, container)
        if container.spec.joins:
            shared.required(snapshot, container.spec.joins)
    except Conflict as error:
        return error.message
    except BridgeheadError:
        return ""  # nothing that time mends: the start says it
    return ""
