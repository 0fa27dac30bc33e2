"""Asks containers whether they are well. A change is written down; the answers themselves are not.

So a daemon that comes back knows what it knew, and asks on; probes go on for as long as the process runs.
"""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime

from bridgehead.core import health as rules
from bridgehead.core.model.container import Container, ProcessSpec, Status
from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.model.health import HealthCheck, HealthStatus, Probe
from bridgehead.core.model.ids import ContainerID
from bridgehead.core.model.requests import ExecRequest
from bridgehead.core.time import rfc3339
from bridgehead.engine.events import EventBus
from bridgehead.engine.executions import inside
from bridgehead.engine.intent import Intent
from bridgehead.engine.tasks import Tasks
from bridgehead.engine.world import Execution, Runtime

_BILLION = 10**9
_LONGEST_OUTPUT = 4096
_TIMED_OUT = -1
_log = logging.getLogger("bridgehead.health")


class HealthChecks:
    def __init__(self, intent: Intent, runtime: Runtime, events: EventBus, tasks: Tasks) -> None:
        self._intent = intent
        self._runtime = runtime
        self._events = events
        self._tasks = tasks
        self._asking: dict[ContainerID, asyncio.Task[None]] = {}

    def begin(self, identifier: ContainerID) -> None:
        """Ask from now on, if there is anything to ask."""
        container = self._intent.snapshot.containers[identifier]
        if container.spec.health is not None:
            self.end(identifier)
            self._asking[identifier] = self._tasks.start(self._ask(identifier, container.spec.health))

    def end(self, identifier: ContainerID) -> None:
        if task := self._asking.pop(identifier, None):
            task.cancel()

    async def _ask(self, identifier: ContainerID, asked: HealthCheck) -> None:
        while container := self._running(identifier):
            health = container.state.health
            if health is None:
                return
            await asyncio.sleep(rules.pause_ns(asked, health, self._age_ns(container)) / _BILLION)
            container = self._running(identifier)
            if container and container.state.status is Status.RUNNING:  # what is frozen cannot answer
                age = self._age_ns(container)
                self._record(identifier, asked, await self._probe(container, asked), age)

    async def _probe(self, container: Container, asked: HealthCheck) -> Probe:
        start = self._intent.clock.now()
        code, output = await self._answer(container, asked)
        return Probe(rfc3339(start), rfc3339(self._intent.clock.now()), code, output)

    async def _answer(self, container: Container, asked: HealthCheck) -> tuple[int, str]:
        words = rules.command(asked, container.spec.shell)
        process = inside(self._intent.snapshot, container, ExecRequest(words))
        try:
            execution = await self._begun(container.id, process)
        except BridgeheadError as error:
            return _TIMED_OUT, error.message
        try:
            async with asyncio.timeout(asked.timeout_ns / _BILLION):
                output = await _said(execution)
                return await execution.wait(), output
        except TimeoutError:
            seconds = asked.timeout_ns / _BILLION
            return _TIMED_OUT, f"Health check exceeded timeout ({seconds:g}s)"
        finally:
            _let_go(execution)

    async def _begun(self, container: ContainerID, process: ProcessSpec) -> Execution:
        """Never cut off half-way, when the container ends: nobody would await what was started then."""
        beginning = asyncio.ensure_future(self._runtime.execute(container, process, attach=True, stdin=False))
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            beginning.add_done_callback(_abandoned)
            raise

    def _record(self, identifier: ContainerID, asked: HealthCheck, probe: Probe, age_ns: int) -> None:
        container = self._running(identifier)
        if container is None or container.state.health is None:
            return
        before = container.state.health
        after = rules.judged(asked, before, probe, age_ns)
        snapshot = self._intent.snapshot.put(replace(container, state=replace(container.state, health=after)))
        if after.status is before.status:
            self._intent.assume(snapshot)
            return
        try:
            self._intent.commit(snapshot)
        except BridgeheadError as error:
            _log.warning("the health of container %s is not written: %s", container.name, error)
            return
        self._events.container(container, f"health_status: {after.status}")

    def _running(self, identifier: ContainerID) -> Container | None:
        container = self._intent.snapshot.containers.get(identifier)
        return container if container and container.state.status.has_process else None

    def _age_ns(self, container: Container) -> int:
        began = datetime.fromisoformat(container.state.started).timestamp()
        return max(self._intent.clock.now() - int(began * _BILLION), 0)


def stopped(container: Container) -> Container:
    """Nobody asks any more, and what does not run is not well."""
    health = container.state.health
    if health is None:
        return container
    state = replace(container.state, health=replace(health, status=HealthStatus.UNHEALTHY))
    return replace(container, state=state)


def _abandoned(beginning: "asyncio.Future[Execution]") -> None:
    if not beginning.cancelled() and beginning.exception() is None:
        _let_go(beginning.result())


def _let_go(execution: Execution) -> None:
    execution.kill()
    if execution.stream:
        execution.stream.close()


async def _said(execution: Execution) -> str:
    """The first of what it says, until it says no more."""
    output = b""
    while execution.stream and (piece := await execution.stream.read()):
        output += piece[1][: _LONGEST_OUTPUT - len(output)]
    return output.decode(errors="replace")
