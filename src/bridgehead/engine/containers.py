"""Containers as users speak of them; their life itself stands in `lifecycle`."""

import asyncio
import signal as signals
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import replace

from bridgehead.core.model.container import Container, Status
from bridgehead.core.model.errors import Conflict, InvalidParameter, NotFound, NotModified
from bridgehead.core.model.requests import ContainerRequest, ExecRequest
from bridgehead.core.signals import number
from bridgehead.engine import creation
from bridgehead.engine.events import EventBus
from bridgehead.engine.executions import Executions
from bridgehead.engine.faces import Exec
from bridgehead.engine.intent import Intent
from bridgehead.engine.lifecycle import Lifecycle
from bridgehead.engine.tasks import Tasks, to_the_end
from bridgehead.engine.waiters import ALIVE
from bridgehead.engine.world import Execution, LogLine, Logs, Runtime, Stream

_KILL_PATIENCE_S = 10.0
_RUNNING = {Status.RUNNING, Status.PAUSED}


class ContainerUseCases:
    def __init__(
        self,
        intent: Intent,
        runtime: Runtime,
        logs: Logs,
        lifecycle: Lifecycle,
        executions: Executions,
        events: EventBus,
        tasks: Tasks,
    ) -> None:
        self.tasks = tasks
        self._intent = intent
        self._runtime = runtime
        self._logs = logs
        self._life = lifecycle
        self._executions = executions
        self._events = events

    @to_the_end
    async def create(self, request: ContainerRequest) -> tuple[Container, list[str]]:
        container = creation.decide(self._intent, request)
        await self._intent.attempt(self._intent.snapshot.put(container), container)
        self._events.container(container, "create")
        return container, []

    @to_the_end
    async def start(self, reference: str) -> None:
        container = self._find(reference)
        async with self._life.changing(container.id):
            container = self._find(container.id)
            if container.state.status is Status.PAUSED:
                raise Conflict("cannot start a paused container, try unpause instead")
            if container.state.status is Status.RUNNING:
                raise NotModified("container is already running")
            self._life.cancel_restart(container.id)
            container = self._mark_stopped(container, stopped=False)
            await self._life.launch(container)

    @to_the_end
    async def stop(self, reference: str, *, timeout_s: int | None = None, signal: str = "") -> None:
        container = self._find(reference)
        async with self._life.changing(container.id):
            if container.state.status not in ALIVE:
                raise NotModified("container is already stopped")
            await self._stop(container, timeout_s, signal)

    @to_the_end
    async def restart(self, reference: str, *, timeout_s: int | None = None, signal: str = "") -> None:
        container = self._find(reference)
        async with self._life.changing(container.id):
            if container.state.status in ALIVE:
                await self._stop(container, timeout_s, signal)
            container = self._mark_stopped(self._find(container.id), stopped=False)
            await self._life.launch(container)
            self._events.container(container, "restart")

    @to_the_end
    async def kill(self, reference: str, signal: str) -> None:
        try:
            container = self._find(reference)
        except NotFound as error:
            raise NotFound(f"Cannot kill container: {reference}: {error.message}") from None
        wanted = number(signal or "SIGKILL")
        self._require_running(container, "kill container: ")
        self._events.container(container, "kill", signal=str(wanted))
        if wanted != signals.SIGKILL:
            await self._runtime.signal(container.id, wanted)
        else:
            self._mark_stopped(container, stopped=True)
            await self._signal_and_wait(container, wanted, _KILL_PATIENCE_S)

    @to_the_end
    async def pause(self, reference: str, *, frozen: bool) -> None:
        container = self._find(reference)
        self._require_running(container, "")
        status = Status.PAUSED if frozen else Status.RUNNING
        if container.state.status is status:
            raise Conflict(f"container {container.id} is {'already' if frozen else 'not'} paused")
        await self._runtime.pause(container.id, frozen)
        container = self._find(container.id)
        state = replace(container.state, status=status)
        self._intent.commit(self._intent.snapshot.put(replace(container, state=state)))
        self._events.container(container, "pause" if frozen else "unpause")

    @to_the_end
    async def remove(self, reference: str, *, force: bool) -> None:
        container = self._find(reference)
        if container.state.status in ALIVE and not force:
            raise Conflict(
                f'cannot remove container "/{container.name}": container is {container.state.status}: '
                "stop the container before removing or force remove"
            )
        async with self._life.changing(container.id):
            self._life.cancel_restart(container.id)
            container = self._find(container.id)
            if container.state.status in _RUNNING:
                self._mark_stopped(container, stopped=True)
                await self._signal_and_wait(container, signals.SIGKILL, _KILL_PATIENCE_S)
            await self._life.cleaned(container.id)
            await self._life.destroy(container.id, container.state.exit_code)

    @to_the_end
    async def rename(self, reference: str, name: str) -> None:
        container = self._find(reference)
        if not name:
            raise InvalidParameter("Neither old nor new names may be empty")
        if name.removeprefix("/") == container.name:
            raise InvalidParameter("Renaming a container with the same name as its current name")
        renamed = replace(container, name=creation.free_name(self._intent.snapshot, name))
        await self._intent.realise(self._intent.snapshot.put(renamed))
        self._events.container(renamed, "rename", oldName=f"/{container.name}")

    def wait(self, reference: str, condition: str) -> Awaitable[int]:
        return self._life.waiters.wait(self._find(reference), condition)

    async def attach(self, reference: str) -> Stream:
        container = self._find(reference)
        self._events.container(container, "attach")
        if container.state.status in _RUNNING:
            return await self._runtime.attach(container.id)
        return await self._life.launches.attach(container.id)

    def resize(self, reference: str, height: int, width: int) -> None:
        container = self._find(reference)
        if container.state.status in _RUNNING:
            self._runtime.resize(container.id, height, width)
        else:
            self._life.launches.remember_size(container.id, height, width)

    def processes(self, reference: str) -> Sequence[int]:
        container = self._find(reference)
        self._require_running(container, "")
        return self._runtime.processes(container.id)

    def logs(
        self, reference: str, *, follow: bool, tail: int | None, since: float, until: float
    ) -> AsyncIterator[LogLine]:
        container = self._find(reference)
        living = container.state.status in ALIVE
        return self._logs.read(container.id, follow=follow and living, tail=tail, since=since, until=until)

    def create_exec(self, reference: str, request: ExecRequest) -> Exec:
        return self._executions.create(reference, request)

    def exec(self, identifier: str) -> Exec:
        return self._executions.find(identifier)

    async def start_exec(self, identifier: str, *, detach: bool) -> Execution:
        return await self._executions.start(identifier, detach=detach)

    def _find(self, reference: str) -> Container:
        return self._intent.snapshot.find_container(reference)

    def _require_running(self, container: Container, prefix: str) -> None:
        if container.state.status not in _RUNNING:
            raise Conflict(f"{prefix}container {container.id} is not running")

    def _mark_stopped(self, container: Container, *, stopped: bool) -> Container:
        state = replace(container.state, stopped_by_user=stopped)
        if not stopped:
            state = replace(state, restarts=0)
        container = replace(container, state=state)
        self._intent.commit(self._intent.snapshot.put(container))
        return container

    async def _stop(self, container: Container, timeout_s: int | None, signal: str) -> None:
        container = self._mark_stopped(container, stopped=True)
        self._life.cancel_restart(container.id)
        if container.state.status is Status.RESTARTING:
            state = replace(container.state, status=Status.EXITED)
            self._intent.commit(self._intent.snapshot.put(replace(container, state=state)))
            self._life.waiters.ended(container.id, state.exit_code)
            return
        patience = container.spec.stop_timeout_s if timeout_s is None else timeout_s
        first = number(signal or container.spec.stop_signal)
        if not await self._signal_and_wait(container, first, patience):
            await self._signal_and_wait(container, signals.SIGKILL, _KILL_PATIENCE_S)
        self._events.container(container, "stop")

    async def _signal_and_wait(self, container: Container, signal: int, patience_s: float) -> bool:
        """Whether it ended in time; a negative patience waits for ever."""
        ended = asyncio.ensure_future(self._life.waiters.wait(container, "next-exit"))
        await self._runtime.signal(container.id, signal)
        done, _ = await asyncio.wait([ended], timeout=patience_s if patience_s >= 0 else None)
        return bool(done)
