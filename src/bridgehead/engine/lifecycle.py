"""A container's life: start, end, restart. What is promised is committed first; what fails is taken back."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import replace

from bridgehead.core.desired import sandbox_owners
from bridgehead.core.model.container import Container, ContainerState, Status
from bridgehead.core.model.errors import BridgeheadError, failed_start_code
from bridgehead.core.model.ids import ContainerID, SandboxID
from bridgehead.core.model.network import Endpoint, Network, Phase, Sandbox, SandboxKind
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.restart import delay, wants_restart
from bridgehead.core.time import rfc3339
from bridgehead.engine import endpoints
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.launches import Launches
from bridgehead.engine.tasks import Tasks
from bridgehead.engine.waiters import Waiters
from bridgehead.engine.world import Bundle, Exit, Runtime

_NO_COMMAND_RAN = 128
_FILES = ("hostname", "hosts", "resolv.conf")
_log = logging.getLogger("bridgehead.lifecycle")


class Lifecycle:
    def __init__(self, intent: Intent, runtime: Runtime, events: EventBus, tasks: Tasks) -> None:
        self._intent = intent
        self._runtime = runtime
        self._events = events
        self._tasks = tasks
        self.launches = Launches(runtime)
        self.waiters = Waiters()
        self._cleaning: dict[ContainerID, asyncio.Task[None]] = {}
        self._restarting: dict[ContainerID, asyncio.Task[None]] = {}
        self._changing: dict[ContainerID, asyncio.Lock] = {}

    def changing(self, container: ContainerID) -> asyncio.Lock:
        """Held by whoever starts, stops or removes this container."""
        return self._changing.setdefault(container, asyncio.Lock())

    def forget(self, container: ContainerID) -> None:
        self._changing.pop(container, None)
        self.cancel_restart(container)

    async def launch(self, container: Container) -> None:
        """
        Raises:
            BridgeheadError: why it could not start; everything is as before, but for the recorded error.
        """
        await self.cleaned(container.id)
        container = self._intent.snapshot.containers[container.id]
        sandbox: Sandbox | None = None
        try:
            sandbox = self._reserve(container)
            pid = await self._create(container, sandbox)
            await self.launches.open(container.id)
            await self._runtime.start(container.id)
            self._confirm(container.id, sandbox, pid)
        except BridgeheadError as error:
            self.launches.fail(container.id, error)
            await self._take_back(container.id, sandbox, error)
            raise

    def watch(self, container: ContainerID) -> None:
        self._tasks.start(self._watch(container))

    async def cleaned(self, container: ContainerID) -> None:
        """Wait until a former run's traces are gone."""
        if task := self._cleaning.get(container):
            await asyncio.shield(task)

    def cancel_restart(self, container: ContainerID) -> None:
        if task := self._restarting.pop(container, None):
            task.cancel()

    def _reserve(self, container: Container) -> Sandbox:
        """Commit a sandbox with its endpoints, pending: addresses and names are taken from here on."""
        snapshot = self._intent.snapshot
        networks = endpoints.in_attach_order(snapshot, container.networks)
        endpoints.check_together(networks)
        shared = any(network.driver == "host" for network in networks)
        sandbox = Sandbox(
            SandboxID(self._intent.random.identifier()),
            container.id,
            SandboxKind.HOST if shared else SandboxKind.OWN,
            self._intent.random.port(),
        )
        snapshot = snapshot.put(sandbox)
        for network in networks:
            endpoint = endpoints.decide(self._intent, snapshot, sandbox, container, network)
            snapshot = snapshot.put(endpoint)
        self._intent.commit(snapshot)
        return sandbox

    async def _create(self, container: Container, sandbox: Sandbox) -> int:
        """The runtime's part and the network's, side by side; both are over when this ends."""
        base, stack = sandbox_owners(sandbox.id)
        await self._intent.reconciler.settle([base])
        created, settled = await asyncio.gather(
            self._runtime.create(self._bundle(container, sandbox)),
            self._intent.reconciler.settle([stack]),
            return_exceptions=True,
        )
        if isinstance(settled, BaseException):
            raise settled
        if isinstance(created, BaseException):
            raise created
        return created

    def _bundle(self, container: Container, sandbox: Sandbox) -> Bundle:
        layout = self._intent.facts.layout
        folder = layout.container(container.id)
        own = sandbox.kind is SandboxKind.OWN
        return Bundle(
            container=container,
            rootfs=layout.rootfs(container.id),
            namespace=layout.namespace(sandbox.id) if own else None,
            files={f"/etc/{name}": f"{folder}/{name}" for name in _FILES},
        )

    def _confirm(self, identifier: ContainerID, sandbox: Sandbox, pid: int) -> None:
        snapshot = self._intent.snapshot
        attached = snapshot.sandbox_endpoints(sandbox.id)
        container = snapshot.containers[identifier]
        state = ContainerState(Status.RUNNING, pid, started=self._now(), restarts=container.state.restarts)
        container = replace(container, state=state)
        ready = [replace(endpoint, phase=Phase.READY) for endpoint in attached]
        self._intent.commit(snapshot.put(container, replace(sandbox, phase=Phase.READY), *ready))
        for endpoint in attached:
            network = snapshot.networks[endpoint.network]
            self._events.network(network, "connect", container=identifier)
        self._events.container(container, "start")
        self.watch(identifier)

    async def _take_back(
        self, identifier: ContainerID, sandbox: Sandbox | None, error: BridgeheadError
    ) -> None:
        await self._quietly(self._runtime.delete(identifier))
        snapshot = self._intent.snapshot
        container = snapshot.containers[identifier]
        state = replace(
            container.state,
            status=Status.CREATED if container.state.status is Status.CREATED else Status.EXITED,
            pid=0,
            exit_code=_code_after(error, container.state),
            error=error.message,
        )
        new = snapshot.put(replace(container, state=state))
        if sandbox is not None:
            new = new.drop(sandbox, *snapshot.sandbox_endpoints(sandbox.id))
        await self._quietly(self._intent.realise(new))
        if container.spec.auto_remove:
            await self.destroy(identifier, state.exit_code)
        else:
            self.waiters.ended(identifier, state.exit_code)

    async def _watch(self, identifier: ContainerID) -> None:
        exit_ = await self._runtime.exited(identifier)
        task = self._tasks.start(self.ended(identifier, exit_))
        self._cleaning[identifier] = task
        await task

    async def ended(self, identifier: ContainerID, exit_: Exit) -> None:
        snapshot = self._intent.snapshot
        container = snapshot.containers[identifier]
        left = _endpoints(snapshot, identifier)
        new, restart_s = self._after_exit(snapshot, container, exit_)
        concerned = self._intent.commit(new)
        self._events.container(container, "die", exitCode=str(exit_.code))
        await asyncio.gather(
            self._quietly(self._runtime.delete(identifier)),
            self._quietly(self._intent.reconciler.settle(concerned)),
        )
        for _, network in left:
            self._events.network(network, "disconnect", container=identifier)
        self._cleaning.pop(identifier, None)
        if restart_s is not None:
            self._restarting[identifier] = self._tasks.start(self._restart(identifier, restart_s))
        if container.spec.auto_remove and restart_s is None:
            await self.destroy(identifier, exit_.code)
        else:
            self.waiters.ended(identifier, exit_.code)

    async def destroy(self, identifier: ContainerID, code: int) -> None:
        snapshot = self._intent.snapshot
        container = snapshot.containers.get(identifier)
        if container is None:
            return
        await self._quietly(self._intent.realise(snapshot.drop(container)))
        self.forget(identifier)
        self._events.container(container, "destroy")
        self.waiters.removed(identifier, code)

    def _after_exit(
        self, snapshot: Snapshot, container: Container, exit_: Exit
    ) -> tuple[Snapshot, float | None]:
        restart_s = None
        if wants_restart(container.spec.restart, container.state, exit_.code):
            restart_s = delay(container.state.restarts)
        state = replace(
            container.state,
            status=Status.EXITED if restart_s is None else Status.RESTARTING,
            pid=0,
            exit_code=exit_.code,
            out_of_memory=exit_.out_of_memory,
            finished=self._now(),
        )
        new = snapshot.put(replace(container, state=state))
        if sandbox := snapshot.container_sandbox(container.id):
            new = new.drop(sandbox, *snapshot.sandbox_endpoints(sandbox.id))
        return new, restart_s

    async def _restart(self, identifier: ContainerID, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        async with self.changing(identifier):
            snapshot = self._intent.snapshot
            container = snapshot.containers.get(identifier)
            if container is None or container.state.status is not Status.RESTARTING:
                return
            state = replace(container.state, restarts=container.state.restarts + 1)
            container = replace(container, state=state)
            self._intent.commit(snapshot.put(container))
            try:
                await self.launch(container)
            except BridgeheadError as error:
                _log.warning("container %s could not be restarted: %s", container.name, error)

    async def _quietly(self, work: Coroutine[object, object, None]) -> None:
        """Clean up as far as possible; a failure is logged, and the reconciler tries again."""
        try:
            await work
        except BridgeheadError as error:
            _log.warning("clean-up: %s", error)

    def _now(self) -> str:
        return rfc3339(self._intent.clock.now())


def _endpoints(snapshot: Snapshot, container: ContainerID) -> list[tuple[Endpoint, Network]]:
    return [
        (endpoint, snapshot.networks[endpoint.network])
        for endpoint in snapshot.endpoints.values()
        if endpoint.container == container
    ]


def _code_after(error: BridgeheadError, before: ContainerState) -> int:
    """A former run's own code says more than that the next one could not begin."""
    code = failed_start_code(error)
    return before.exit_code if before.exit_code and code == _NO_COMMAND_RAN else code
