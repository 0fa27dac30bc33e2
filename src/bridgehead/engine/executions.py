"""Commands run in running containers. Kept in memory: an exec ends with the daemon's interest in it."""

from collections import OrderedDict
from dataclasses import replace

from bridgehead.core import links
from bridgehead.core.model.container import Container, ProcessSpec, Status
from bridgehead.core.model.errors import (
    BridgeheadError,
    CommandNotFound,
    Conflict,
    HostRefused,
    InvalidParameter,
    NotFound,
)
from bridgehead.core.model.ids import ContainerID
from bridgehead.core.model.requests import ExecRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.engine.events import EventBus
from bridgehead.engine.faces import Exec
from bridgehead.engine.intent import Intent
from bridgehead.engine.tasks import Tasks
from bridgehead.engine.world import Execution, Runtime

_KEPT = 512
_NOT_FOUND, _NOT_RUN = 127, 126  # whatever kept it from running, as in Docker


class Executions:
    def __init__(self, intent: Intent, runtime: Runtime, events: EventBus, tasks: Tasks) -> None:
        self._intent = intent
        self._runtime = runtime
        self._events = events
        self._tasks = tasks
        self._known: OrderedDict[str, Exec] = OrderedDict()

    def create(self, reference: str, request: ExecRequest) -> Exec:
        container = running(self._intent.snapshot, reference)
        if not request.command:
            raise InvalidParameter("No exec command specified")
        instance = Exec(self._intent.random.identifier(), container.id, request)
        self._known[instance.id] = instance
        self._forget()
        self._events.container(container, f"exec_create: {' '.join(request.command)}", execID=instance.id)
        return instance

    def find(self, identifier: str) -> Exec:
        instance = self._known.get(identifier)
        if instance is None:
            raise NotFound(f"No such exec instance: {identifier}")
        return instance

    async def start(self, identifier: str, *, detach: bool) -> Execution:
        instance = self.find(identifier)
        if instance.started:
            raise Conflict(f"Error: Exec command {identifier} has already run")
        container = running(self._intent.snapshot, instance.container)
        instance.started = True
        request = instance.request
        self._events.container(container, f"exec_start: {' '.join(request.command)}", execID=identifier)
        try:
            execution = await self._runtime.execute(
                container.id,
                inside(self._intent.snapshot, container, request),
                attach=not detach,
                stdin=request.attach_stdin and not detach,
            )
        except BridgeheadError as error:
            instance.exit_code = _NOT_FOUND if isinstance(error, CommandNotFound) else _NOT_RUN
            if type(error) is HostRefused:
                await self._check_still_runs(container.id)
            raise
        instance.execution = execution
        self._tasks.start(self._watch(container, instance, execution))
        return execution

    async def _watch(self, container: Container, instance: Exec, execution: Execution) -> None:
        instance.exit_code = await execution.wait()
        self._events.container(container, "exec_die", execID=instance.id, exitCode=str(instance.exit_code))

    async def _check_still_runs(self, container: ContainerID) -> None:
        """It may have been paused, or have ended, while the runtime was about to enter it."""
        running(self._intent.snapshot, container)
        if await self._runtime.alive(container) is None:
            raise Conflict(f"container {container} is not running")

    def _forget(self) -> None:
        """The oldest go first, but for those that run."""
        for identifier, instance in list(self._known.items())[: max(len(self._known) - _KEPT, 0)]:
            if instance.exit_code is not None or not instance.started:
                del self._known[identifier]


def running(snapshot: Snapshot, reference: str) -> Container:
    """
    Raises:
        Conflict: nothing can be run in it now.
    """
    container = snapshot.find_container(reference)
    if container.state.status is Status.PAUSED:
        raise Conflict(f"Container {reference} is paused, unpause the container before exec")
    if container.state.status is not Status.RUNNING:
        raise Conflict(f"container {container.id} is not running")
    return container


def inside(snapshot: Snapshot, container: Container, request: ExecRequest) -> ProcessSpec:
    """What links tell, under the container's own environment, under the request's.

    Links' sources may be elsewhere now than when the container began. User and folder are the container's
    unless others are named.
    """
    told = links.environment(container, links.effective(snapshot, container))
    main = container.spec.process
    chosen = {variable.partition("=")[0] for variable in request.environment}
    inherited = tuple(item for item in main.environment if item.partition("=")[0] not in chosen)
    return replace(
        main,
        argv=request.command,
        environment=(*told, *inherited, *request.environment),
        working_directory=request.working_directory or main.working_directory,
        user=request.user or main.user,
        tty=request.tty,
        privileged=request.privileged,
    )
