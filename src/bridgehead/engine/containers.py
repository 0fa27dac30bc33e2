"""Containers as users speak of them; their life itself stands in `lifecycle`."""

import asyncio
import signal as signals
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import replace

from bridgehead.core.guest_rules import refuse
from bridgehead.core.model.container import Container, Status
from bridgehead.core.model.errors import Conflict, HostRefused, InvalidParameter, NotFound, NotModified
from bridgehead.core.model.ids import ContainerID
from bridgehead.core.model.requests import ContainerRequest, ExecRequest
from bridgehead.core.model.usage import Usage
from bridgehead.core.signals import number
from bridgehead.engine import creation, links
from bridgehead.engine.events import EventBus
from bridgehead.engine.executions import Executions
from bridgehead.engine.faces import Exec
from bridgehead.engine.freezing import Freezer
from bridgehead.engine.intent import Intent
from bridgehead.engine.lifecycle import Lifecycle
from bridgehead.engine.tasks import Tasks, to_the_end
from bridgehead.engine.volumes import VolumeUseCases
from bridgehead.engine.world import Execution, LogLine, Logs, Runtime, Stream

_KILL_PATIENCE_S = 10.0


class ContainerUseCases:
    def __init__(
        self,
        intent: Intent,
        runtime: Runtime,
        logs: Logs,
        lifecycle: Lifecycle,
        executions: Executions,
        freezer: Freezer,
        volumes: VolumeUseCases,
        events: EventBus,
        tasks: Tasks,
    ) -> None:
        self.tasks = tasks
        self._intent = intent
        self._runtime = runtime
        self._logs = logs
        self._life = lifecycle
        self._executions = executions
        self._freezer = freezer
        self._volumes = volumes
        self._events = events

    @to_the_end
    async def create(self, request: ContainerRequest) -> tuple[Container, list[str]]:
        await self._volumes.gone()
        container, volumes = creation.decide(self._intent, self._volumes, request)
        await self._intent.attempt(
            self._intent.snapshot.put(container, *volumes),
            container,
            *volumes,
            asking=(lambda: self._volumes.provide(volume.id for volume in volumes)) if volumes else None,
        )
        self._volumes.told(volumes)
        self._events.container(container, "create")
        return container, creation.warnings(container)

    @to_the_end
    async def start(self, reference: str) -> None:
        identifier = self._of_ours(reference, "start").id
        async with self._life.changing(identifier):
            status = self._find(identifier).state.status
            if status is Status.PAUSED:
                raise Conflict("cannot start a paused container, try unpause instead")
            if status is Status.RUNNING:
                raise NotModified("container is already running")
            await self._life.cleaned(identifier)
            await self._launch(identifier)

    @to_the_end
    async def stop(self, reference: str, *, timeout_s: int | None = None, signal: str = "") -> None:
        identifier = self._of_ours(reference, "stop").id
        async with self._life.changing(identifier):
            if not self._find(identifier).state.status.is_alive:
                raise NotModified("container is already stopped")
            await self._stop(identifier, timeout_s, signal)

    @to_the_end
    async def restart(self, reference: str, *, timeout_s: int | None = None, signal: str = "") -> None:
        identifier = self._of_ours(reference, "restart").id
        async with self._life.changing(identifier):
            self._life.kept.add(identifier)
            try:
                if self._find(identifier).state.status.is_alive:
                    await self._stop(identifier, timeout_s, signal)
                    await self._life.cleaned(identifier)
                await self._launch(identifier)
            finally:
                self._life.kept.discard(identifier)
            self._events.container(self._find(identifier), "restart")

    @to_the_end
    async def kill(self, reference: str, signal: str) -> None:
        try:
            container = self._of_ours(reference, "kill")
        except NotFound as error:
            raise NotFound(f"Cannot kill container: {reference}: {error.message}") from None
        wanted = number(signal or "SIGKILL")
        _require_running(container, f"Cannot kill container: {reference}: ")
        self._events.container(container, "kill", signal=str(wanted))
        if wanted in {signals.SIGKILL, number(container.spec.stop_signal)}:
            self._mark(container.id, stopped=True)
        if wanted == signals.SIGKILL:
            await self._kill(container.id)
        else:
            await self._runtime.signal(container.id, wanted)

    @to_the_end
    async def pause(self, reference: str, *, frozen: bool) -> None:
        identifier = self._of_ours(reference, "pause" if frozen else "unpause").id
        async with self._life.changing(identifier):
            await self._freezer.set(identifier, frozen=frozen)

    @to_the_end
    async def remove(self, reference: str, *, force: bool, volumes: bool = False) -> None:
        container = self._find(reference)
        if container.state.status.is_alive and not force:
            refuse(container, "remove", " (to let go of it: bridgehead sandbox rm, or rm -f)")
            raise Conflict(
                f'cannot remove container "/{container.name}": container is {container.state.status}: '
                "stop the container before removing or force remove"
            )
        if container.state.status.has_process:
            # Before anybody's turn: a long stop that has the container would make us wait for its patience.
            self._mark(container.id, stopped=True)
            self._events.container(container, "kill", signal=str(int(signals.SIGKILL)))
            await self._runtime.signal(container.id, signals.SIGKILL)
        async with self._life.changing(container.id):
            self._life.revivals.cancel(container.id)
            if self._has_process(container.id):
                await self._kill(container.id)
            await self._life.cleaned(container.id)
            await self._life.destroy(container.id, volumes=volumes)

    @to_the_end
    async def remove_link(self, reference: str) -> None:
        await self._intent.realise(links.removed(self._intent.snapshot, reference))

    @to_the_end
    async def rename(self, reference: str, name: str) -> None:
        container = self._find(reference)
        if not name:
            raise InvalidParameter("Neither old nor new names may be empty")
        if name.removeprefix("/") == container.name:
            raise InvalidParameter("Renaming a container with the same name as its current name")
        try:
            renamed = replace(container, name=creation.free_name(self._intent.snapshot, name))
        except (Conflict, InvalidParameter) as error:
            raise type(error)(f"Error when allocating new name: {error.message}") from None
        await self._intent.realise(self._intent.snapshot.put(renamed))
        self._events.container(renamed, "rename", oldName=f"/{container.name}")

    def wait(self, reference: str, condition: str) -> Awaitable[int]:
        return self._life.waiters.wait(self._of_ours(reference, "wait for"), condition)

    async def attach(self, reference: str) -> Stream:
        container = self._of_ours(reference, "attach to")
        self._events.container(container, "attach")
        if container.state.status.has_process:
            return await self._runtime.attach(container.id)
        return await self._life.launches.attach(container.id)

    def resize(self, reference: str, height: int, width: int) -> None:
        container = self._of_ours(reference, "resize the terminal of")
        if container.state.status.has_process:
            self._runtime.resize(container.id, height, width)
        else:
            self._life.launches.remember_size(container.id, height, width)

    def processes(self, reference: str) -> Sequence[int]:
        container = self._of_ours(reference, "list the processes of")
        _require_running(container, "")
        self._events.container(container, "top")
        return self._runtime.processes(container.id)

    def usage(self, reference: str) -> Usage | None:
        container = self._of_ours(reference, "show statistics of")
        if not container.state.status.has_process:
            return None
        on_host = container.spec.network_mode == "host"
        return self._runtime.usage(container.id, shares_host_network=on_host)

    def logs(
        self, reference: str, *, follow: bool, tail: int | None, since: int, until: int
    ) -> AsyncIterator[LogLine]:
        container = self._of_ours(reference, "show logs of")
        living = container.state.status.is_alive
        return self._logs.read(container.id, follow=follow and living, tail=tail, since=since, until=until)

    def create_exec(self, reference: str, request: ExecRequest) -> Exec:
        self._of_ours(reference, "run a command in")
        return self._executions.create(reference, request)

    def exec(self, identifier: str) -> Exec:
        return self._executions.find(identifier)

    async def start_exec(self, identifier: str, *, detach: bool) -> Execution:
        return await self._executions.start(identifier, detach=detach)

    def _find(self, reference: str) -> Container:
        return self._intent.snapshot.find_container(reference)

    def _of_ours(self, reference: str, what: str) -> Container:
        """A container whose process is ours to `what`; for a sandbox that is none, that is refused."""
        container = self._find(reference)
        refuse(container, what)
        return container

    def _has_process(self, identifier: ContainerID) -> bool:
        container = self._intent.snapshot.containers.get(identifier)
        return container is not None and container.state.status.has_process

    async def _launch(self, identifier: ContainerID) -> None:
        self._life.revivals.cancel(identifier)
        self._mark(identifier, stopped=False)
        await self._life.launch(identifier)

    def _mark(self, identifier: ContainerID, *, stopped: bool) -> None:
        """Remember whether the user wants it stopped: what was stopped does not come back by itself."""
        container = self._find(identifier)
        restarts = container.state.restarts if stopped else 0
        state = replace(container.state, stopped_by_user=stopped, restarts=restarts)
        self._intent.commit(self._intent.snapshot.put(replace(container, state=state)))

    async def _stop(self, identifier: ContainerID, timeout_s: int | None, signal: str) -> None:
        container = self._find(identifier)
        first = number(signal or container.spec.stop_signal)
        self._mark(identifier, stopped=True)
        self._life.revivals.cancel(identifier)
        if container.state.status is Status.RESTARTING:
            self._stay_down(identifier)
            return
        patience = container.spec.stop_timeout_s if timeout_s is None else timeout_s
        if container.state.status is Status.PAUSED:
            await self._runtime.pause(identifier, frozen=False)
        self._events.container(container, "kill", signal=str(first))
        if not await self._signal_and_wait(identifier, first, patience):
            self._events.container(container, "kill", signal=str(int(signals.SIGKILL)))
            await self._kill(identifier)
        self._events.container(container, "stop")

    def _stay_down(self, identifier: ContainerID) -> None:
        container = self._find(identifier)
        state = replace(container.state, status=Status.EXITED)
        self._intent.commit(self._intent.snapshot.put(replace(container, state=state)))
        self._life.waiters.ended(identifier, state.exit_code)

    async def _kill(self, identifier: ContainerID) -> None:
        """
        Raises:
            HostRefused: it lives on, as a process that the kernel does not let go can.
        """
        if not await self._signal_and_wait(identifier, signals.SIGKILL, _KILL_PATIENCE_S):
            raise HostRefused(
                f"could not kill container {identifier}: it did not end within {_KILL_PATIENCE_S:.0f} s"
            )

    async def _signal_and_wait(self, identifier: ContainerID, signal: int, patience_s: float) -> bool:
        """Whether it ended in time; a negative patience waits for ever."""
        if not self._has_process(identifier):
            await self._life.cleaned(identifier)
            return True
        ended = asyncio.ensure_future(self._life.waiters.wait(self._find(identifier), "next-exit"))
        await self._runtime.signal(identifier, signal)
        done, _ = await asyncio.wait([ended], timeout=patience_s if patience_s >= 0 else None)
        if not done:
            ended.cancel()
        return bool(done)


def _require_running(container: Container, prefix: str) -> None:
    if not container.state.status.has_process:
        raise Conflict(f"{prefix}container {container.id} is not running")
