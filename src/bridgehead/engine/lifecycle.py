"""A container's life: start, end, restart. What is promised is committed first; what fails is taken back."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from posixpath import basename

from bridgehead.core import endpoint_rules, links, shared
from bridgehead.core.desired import recipients, sandbox_owners
from bridgehead.core.model.container import Container, ContainerState, Status
from bridgehead.core.model.errors import BridgeheadError, failed_start_code, refusal
from bridgehead.core.model.health import Health
from bridgehead.core.model.ids import ContainerID, EndpointID
from bridgehead.core.model.network import Network, Phase, Sandbox, SandboxKind
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.oci.mounts import OWN_FILES
from bridgehead.core.remote.farewells import answered
from bridgehead.core.restart import wants_restart
from bridgehead.core.time import rfc3339
from bridgehead.core.volumes import binds, leaving_with
from bridgehead.engine import endpoints, sharing
from bridgehead.engine.events import EventBus
from bridgehead.engine.health import HealthChecks, stopped
from bridgehead.engine.intent import Intent
from bridgehead.engine.launches import Launches
from bridgehead.engine.plugged.plugged import Plugged
from bridgehead.engine.publishing import Publishing
from bridgehead.engine.revivals import Revivals
from bridgehead.engine.tasks import Tasks, quietly
from bridgehead.engine.volumes import VolumeUseCases
from bridgehead.engine.waiters import Waiters
from bridgehead.engine.world import Bundle, Exit, HostPorts, Runtime

_NO_COMMAND_RAN = 128
_STORE_PAUSE_S = 1.0
UNKNOWN_EXIT = 255
_log = logging.getLogger("bridgehead.lifecycle")


class Lifecycle:
    def __init__(
        self,
        intent: Intent,
        runtime: Runtime,
        publishing: Publishing,
        plugged: Plugged,
        volumes: VolumeUseCases,
        events: EventBus,
        tasks: Tasks,
    ) -> None:
        self._intent = intent
        self._runtime = runtime
        self._publishing = publishing
        self._plugged = plugged
        self._volumes = volumes
        self._events = events
        self._tasks = tasks
        self.launches = Launches(runtime)
        self.waiters = Waiters()
        self.kept: set[ContainerID] = set()  # --rm containers that end only to be started again
        self._cleaning: dict[ContainerID, asyncio.Task[None]] = {}
        self._changing: dict[ContainerID, asyncio.Lock] = {}
        self.revivals = Revivals(intent, tasks, self)
        self._health = HealthChecks(intent, runtime, events, tasks)

    def changing(self, container: ContainerID) -> asyncio.Lock:
        """Held by whoever starts, stops or removes this container."""
        return self._changing.setdefault(container, asyncio.Lock())

    async def launch(self, identifier: ContainerID) -> None:
        """
        Raises:
            BridgeheadError: why it could not start; everything is as before, but for the recorded error.
        """
        await self.cleaned(identifier)
        await self._lent(identifier)
        await sharing.look(self._intent, self._intent.snapshot.find_container(identifier))
        host = await self._publishing.look(self._intent.snapshot.find_container(identifier))
        container = self._intent.snapshot.find_container(identifier)
        try:
            sandbox = self._reserve(container, host)
            plugged = self._plugged.endpoints.of(sandbox.id)
            sandbox = await self._asked(sandbox, plugged, host)
            sandbox = await self._publishing.claim(container, sandbox)
            pid = await self._create(container, sandbox, plugged)
            await self.launches.open(container.id)
            await self._runtime.start(container.id)
            self._confirm(container.id, sandbox, pid)
        except Exception as error:  # a bug too must not leave its addresses and ports taken
            self.launches.fail(container.id, refusal(error))
            await self._take_back(container.id, refusal(error))
            raise

    def watch(self, container: ContainerID) -> None:
        self._tasks.start(self._watch(container))
        self._health.begin(container)

    async def cleaned(self, container: ContainerID) -> None:
        """Wait until a former run's traces are gone."""
        if task := self._cleaning.get(container):
            await asyncio.wait([task])

    async def _lent(self, borrower: ContainerID) -> None:
        """Whose network it is to have may be in the middle of a restart: Compose restarts all at once."""
        lender = self._intent.snapshot.find_container(borrower).spec.joins
        if lender and (turn := self._changing.get(lender)):
            async with turn:
                pass

    async def destroy(self, identifier: ContainerID, *, volumes: bool = False) -> None:
        """Take the record away, and whatever still hangs on it; with its own volumes if that is wanted."""
        container = self._intent.snapshot.containers.get(identifier)
        if container is None:
            return
        snapshot = without(self._intent.snapshot, identifier)
        concerned = self._intent.commit(
            departed(snapshot, container) if volumes else snapshot.drop(container)
        )
        await quietly(self._intent.reconciler.settle(concerned))
        await self._plugged.part(identifier)
        self._gone(container, container.state.exit_code)

    async def ended(self, identifier: ContainerID, exit_: Exit) -> None:
        """An end is a fact: it is recorded however often the store refuses, and everybody hears of it."""
        self._health.end(identifier)
        try:
            before, after, concerned = await self._record(identifier, exit_)
            container = before.containers[identifier]
            self._events.container(container, "die", exitCode=str(exit_.code))
            outcomes = await asyncio.gather(
                self._runtime.delete(identifier),
                self._intent.reconciler.settle(concerned),
                return_exceptions=True,
            )
            for problem in filter(None, outcomes):
                _log.warning("after the end of container %s: %s", container.name, problem)
            await self._plugged.part(identifier)
        finally:
            self._cleaning.pop(identifier, None)
        for network in _networks(before, identifier):
            self._events.network(network, "disconnect", container=identifier)
        self._volumes.unmounted(before, container)
        if after is None:
            self._gone(container, exit_.code)
            return
        if after.state.status is Status.RESTARTING:
            self.revivals.plan(after)
        self.waiters.ended(identifier, exit_.code)

    def _gone(self, container: Container, code: int) -> None:
        self._changing.pop(container.id, None)
        self.launches.forget(container.id)
        self.revivals.forget(container.id)
        self._volumes.part()
        self._events.container(container, "destroy")
        self.waiters.removed(container.id, code)

    def _reserve(self, container: Container, host: HostPorts) -> Sandbox:
        """Commit a sandbox with its endpoints, pending: addresses and names are taken from here on."""
        snapshot = without(self._intent.snapshot, container.id)
        networks = endpoint_rules.in_attach_order(snapshot, container.networks)
        endpoint_rules.check_together(networks)
        links.required(snapshot, container)
        on_host = any(network.driver == "host" for network in networks)
        sandbox = sharing.sandbox(self._intent, snapshot, container, on_host=on_host)
        snapshot = snapshot.put(sandbox)
        for network in networks:
            endpoint = endpoints.decide(self._intent, snapshot, sandbox, container, network)
            snapshot = snapshot.put(endpoint)
        sandbox = self._publishing.assigned(snapshot, container, sandbox, host)
        self._intent.commit(snapshot.put(sandbox))
        return sandbox

    async def _asked(self, sandbox: Sandbox, plugged: Sequence[EndpointID], host: HostPorts) -> Sandbox:
        """With what plugins give it: addresses, and endpoints of their own."""
        if not plugged:
            return sandbox
        await self._plugged.asked(sandbox.id, plugged, host)
        return self._intent.snapshot.sandboxes[sandbox.id]

    async def _create(self, container: Container, sandbox: Sandbox, plugged: Sequence[EndpointID]) -> int:
        """The runtime's part and the network's, side by side; both are over when this ends."""
        owners = sandbox_owners(sandbox)
        await self._intent.reconciler.settle([owners.namespace, owners.base])
        if container.spec.volumes:
            await self._volumes.prepare(container, self._intent.facts.layout.rootfs(container.id))
        if plugged:
            await self._plugged.joined(sandbox.id, plugged)
            await self._intent.reconciler.settle([owners.namespace])  # interfaces order what its files list
        created, settled, _ = await asyncio.gather(
            self._runtime.create(self._bundle(container, sandbox)),
            self._intent.reconciler.settle([owners.stack]),
            quietly(self._intent.reconciler.settle(recipients(self._intent.snapshot, container.id))),
            return_exceptions=True,
        )
        if isinstance(settled, BaseException):
            raise settled
        if isinstance(created, BaseException):
            raise created
        await self._plugged.led(sandbox.id)
        return created

    def _bundle(self, container: Container, sandbox: Sandbox) -> Bundle:
        layout = self._intent.facts.layout
        folder = layout.container(shared.lender(sandbox))
        on_host = sandbox.kind is SandboxKind.HOST
        return Bundle(
            container=links.informed(self._intent.snapshot, container),
            rootfs=layout.rootfs(container.id),
            namespace=None if on_host else layout.namespace(sandbox.namespace),
            files={path: f"{folder}/{basename(path)}" for path in OWN_FILES},
            volumes=binds(self._intent.snapshot, container, layout),
            borrowed=sharing.borrowed(self._intent.snapshot, container),
        )

    def _confirm(self, identifier: ContainerID, sandbox: Sandbox, pid: int) -> None:
        snapshot = self._intent.snapshot
        # A connect in the meantime may have brought an endpoint, and ports by it.
        sandbox = snapshot.sandboxes[sandbox.id]
        attached = snapshot.sandbox_endpoints(sandbox.id)
        container = snapshot.containers[identifier]
        former = container.state
        state = ContainerState(
            Status.RUNNING,
            pid,
            started=self._now(),
            finished=former.finished,
            restarts=former.restarts,
            health=Health() if container.spec.health else None,
        )
        container = replace(container, state=state)
        attached = [end for end in attached if answered(snapshot.networks[end.network], end)]
        ready = [replace(endpoint, phase=Phase.READY) for endpoint in attached]
        self._intent.commit(snapshot.put(container, replace(sandbox, phase=Phase.READY), *ready))
        self.launches.succeed(identifier)
        self.revivals.began(identifier)
        for endpoint in attached:
            self._events.network(snapshot.networks[endpoint.network], "connect", container=identifier)
        self._volumes.mounted(container)
        self._events.container(container, "start")
        self.watch(identifier)

    async def _take_back(self, identifier: ContainerID, error: BridgeheadError) -> None:
        await quietly(self._runtime.delete(identifier))
        snapshot = without(self._intent.snapshot, identifier)
        container = snapshot.containers[identifier]
        created = container.state.status is Status.CREATED
        state = replace(
            container.state,
            status=Status.CREATED if created else Status.EXITED,
            pid=0,
            exit_code=_code_after(error, container.state),
            error=error.message,
        )
        container = replace(container, state=state)
        removed = container.spec.auto_remove
        new = departed(snapshot, container) if removed else snapshot.put(container)
        await quietly(self._intent.realise(new))
        await self._plugged.part(identifier)
        if removed:
            self._gone(container, state.exit_code)
        else:
            self.waiters.ended(identifier, state.exit_code)

    async def _watch(self, identifier: ContainerID) -> None:
        try:
            exit_ = await self._runtime.exited(identifier)
        except BridgeheadError as error:
            _log.warning("how container %s ended is not known: %s", identifier, error)
            exit_ = Exit(identifier, UNKNOWN_EXIT, out_of_memory=False)
        task = self._cleaning[identifier] = self._tasks.start(self.ended(identifier, exit_))
        await asyncio.wait([task])

    async def _record(
        self, identifier: ContainerID, exit_: Exit
    ) -> tuple[Snapshot, Container | None, set[str]]:
        """(the snapshot before, the container after or None if it is removed, the owners concerned)"""
        while True:
            before = self._intent.snapshot
            new, after = self._after_exit(before, before.containers[identifier], exit_)
            try:
                return before, after, self._intent.commit(new)
            except BridgeheadError as error:
                _log.warning("the end of container %s is not written yet: %s", identifier, error)
                await asyncio.sleep(_STORE_PAUSE_S)

    def _after_exit(
        self, before: Snapshot, container: Container, exit_: Exit
    ) -> tuple[Snapshot, Container | None]:
        again = wants_restart(container.spec.restart, container.state, exit_.code)
        snapshot = without(before, container.id)
        if container.spec.auto_remove and not again and container.id not in self.kept:
            return departed(snapshot, container), None
        state = replace(
            container.state,
            status=Status.RESTARTING if again else Status.EXITED,
            pid=0,
            exit_code=exit_.code,
            out_of_memory=exit_.out_of_memory,
            finished=self._now(),
        )
        container = stopped(replace(container, state=state))
        return snapshot.put(container), container

    def _now(self) -> str:
        return rfc3339(self._intent.clock.now())


def without(snapshot: Snapshot, container: ContainerID) -> Snapshot:
    """The snapshot without what the container's run put there: its sandboxes and their endpoints."""
    sandboxes = [sandbox for sandbox in snapshot.sandboxes.values() if sandbox.container == container]
    left = [endpoint for endpoint in snapshot.endpoints.values() if endpoint.container == container]
    return snapshot.drop(*sandboxes, *left)


def departed(snapshot: Snapshot, container: Container) -> Snapshot:
    """Without the container, and with the volumes that were its own alone on their way out."""
    return snapshot.put(*leaving_with(snapshot, container.id)).drop(container)


def _networks(snapshot: Snapshot, container: ContainerID) -> list[Network]:
    return [
        snapshot.networks[endpoint.network]
        for endpoint in snapshot.endpoints.values()
        if endpoint.container == container
    ]


def _code_after(error: BridgeheadError, before: ContainerState) -> int:
    """A former run's own code says more than that the next one could not begin."""
    code = failed_start_code(error)
    return before.exit_code if before.exit_code and code == _NO_COMMAND_RAN else code
