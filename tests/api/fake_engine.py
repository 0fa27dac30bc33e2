"""An engine in memory that fits the faces: real snapshots, real events, fake kernel, processes and images."""

import asyncio
import ipaddress
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

from bridgehead.core import links
from bridgehead.core.model.container import (
    Container,
    ContainerSpec,
    ContainerState,
    Image,
    ProcessSpec,
    Status,
)
from bridgehead.core.model.errors import BridgeheadError, Conflict, Forbidden, NotFound, NotModified
from bridgehead.core.model.ids import ContainerID, EndpointID, ImageID, NetworkID, SandboxID
from bridgehead.core.model.network import Endpoint, EndpointWish, Network, Phase, Sandbox, Subnet
from bridgehead.core.model.process import LogLine
from bridgehead.core.model.requests import ContainerRequest, ExecRequest, NetworkRequest
from bridgehead.core.model.snapshot import Record, Snapshot
from bridgehead.core.signals import number
from bridgehead.core.time import rfc3339
from bridgehead.engine.faces import Exec
from bridgehead.engine.links import resolved
from tests.api.fake_events import FakeEvents
from tests.api.fake_guests import FakeGuests
from tests.api.fake_images import IMAGE_CONFIG, FakeCommits, FakeDistribution, FakeImages, FakePulls
from tests.api.fake_process import FakeProcess, FakeStream
from tests.api.fake_volumes import FakeVolumes


class FakePlugged:
    def __init__(self) -> None:
        self.absent: dict[str, str] = {}


class FakeFiles:
    async def size(self, reference: str) -> int:
        return 5


class FakeEngine:
    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self.events = FakeEvents()
        self.networks = FakeNetworks(self)
        self.containers = FakeContainers(self)
        self.guests = FakeGuests(self)
        self.images = FakeImages(self)
        self.pulls = FakePulls(self)
        self.distribution = FakeDistribution()
        self.commits = FakeCommits(self)
        self.plugged = FakePlugged()
        self.volumes = FakeVolumes(self)
        self.files = FakeFiles()
        self._identifiers = itertools.count(1)
        for name, driver in (("bridge", "bridge"), ("host", "host"), ("none", "null")):
            self.networks.add(NetworkRequest(name=name, driver=driver), ipam_options=None)
        self.put(
            Image(
                ImageID(f"sha256:{self.identifier()}"),
                ("sha256:00",),
                ("busybox:latest",),
                "2026-01-02T03:04:05Z",
                1234,
                IMAGE_CONFIG,
            )
        )

    def identifier(self) -> str:
        return f"{next(self._identifiers) * 0x9E3779B97F4A7C15 % 2**64:016x}" * 4

    def put(self, *records: Record) -> None:
        self.snapshot = self.snapshot.put(*records)

    def drop(self, *records: Record) -> None:
        self.snapshot = self.snapshot.drop(*records)


class FakeNetworks:
    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine
        self.pools = itertools.count(17)

    def add(self, request: NetworkRequest, ipam_options: dict[str, str] | None) -> Network:
        prefix = ipaddress.ip_network(f"172.{next(self.pools)}.0.0/16")
        subnets = (Subnet(prefix, prefix[1]),) if request.driver == "bridge" else ()
        network = Network(
            id=NetworkID(self._engine.identifier()),
            name=request.name,
            driver=request.driver,
            created=rfc3339(time.time_ns()),
            subnets=subnets,
            options=request.options,
            labels=request.labels,
            ipam_options=ipam_options,
            internal=request.internal,
            phase=Phase.READY,
        )
        self._engine.put(network)
        return network

    async def create(self, request: NetworkRequest) -> tuple[Network, list[str]]:
        if self._engine.snapshot.network_named(request.name):
            raise Conflict(f"network with name {request.name} already exists")
        network = self.add(request, {})
        self._engine.events.publish("network", "create", network.id, name=network.name, type=network.driver)
        return network, []

    async def remove(self, reference: str, *, force: bool = False) -> None:
        network = self._engine.snapshot.find_network(reference)
        if network.predefined:
            raise Forbidden(f"{network.name} is a pre-defined network and cannot be removed")
        self._engine.drop(network)
        self._engine.events.publish("network", "destroy", network.id, name=network.name, type=network.driver)

    async def connect(self, network: str, container: str, wish: EndpointWish) -> None:
        found = self._engine.snapshot.find_container(container)
        joined = self._engine.snapshot.find_network(network)
        self._engine.put(replace(found, networks={**found.networks, joined.name: wish}))
        if sandbox := self._engine.snapshot.container_sandbox(found.id):
            self.attach(found, sandbox, joined, wish)

    async def disconnect(self, network: str, container: str, *, force: bool) -> None:
        found = self._engine.snapshot.find_container(container)
        left = self._engine.snapshot.find_network(network)
        kept = {name: wish for name, wish in found.networks.items() if name != left.name}
        ends = [end for end in self._engine.snapshot.network_endpoints(left.id) if end.container == found.id]
        self._engine.drop(*ends)
        self._engine.put(replace(found, networks=kept))

    async def prune(self, wanted: Callable[[Network], bool]) -> list[str]:
        unused = [
            network
            for network in self._engine.snapshot.networks.values()
            if network.user_defined
            and wanted(network)
            and not self._engine.snapshot.network_endpoints(network.id)
        ]
        self._engine.drop(*unused)
        return [network.name for network in unused]

    def attach(self, container: Container, sandbox: Sandbox, network: Network, wish: EndpointWish) -> None:
        number = len(self._engine.snapshot.network_endpoints(network.id)) + 2
        addresses = tuple(
            ipaddress.ip_interface(f"{subnet.prefix[number]}/{subnet.prefix.prefixlen}")
            for subnet in network.subnets
        )
        self._engine.put(
            Endpoint(
                id=EndpointID(self._engine.identifier()),
                network=network.id,
                sandbox=sandbox.id,
                container=container.id,
                wish=wish,
                interface="eth0",
                mac=f"02:42:ac:11:00:{number:02x}",
                addresses=addresses,
                phase=Phase.READY,
            )
        )


class FakeContainers:
    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine
        self.processes_of: dict[ContainerID, FakeProcess] = {}
        self.execs: dict[str, Exec] = {}
        self.sizes: list[tuple[str, int, int]] = []
        self._waiting: dict[ContainerID, list[tuple[str, asyncio.Future[int]]]] = {}
        self._attaching: dict[ContainerID, list[asyncio.Future[FakeStream]]] = {}
        self._tasks: set[asyncio.Future[None]] = set()

    async def create(self, request: ContainerRequest) -> tuple[Container, list[str]]:
        image = self._engine.images.find(request.image)
        name = request.name or f"made_up_{len(self._engine.snapshot.containers)}"
        argv = (*(request.entrypoint or ()), *(request.command or ()))
        process = ProcessSpec(
            argv or ("sleep",),
            request.environment,
            tty=request.tty,
            open_stdin=request.open_stdin,
            stdin_once=request.stdin_once,
        )
        identifier = ContainerID(self._engine.identifier())
        spec = ContainerSpec(
            process,
            request.hostname or identifier[:12],
            network_mode=request.network_mode,
            binds=request.binds,
            auto_remove=request.auto_remove,
            exposed_ports=request.exposed_ports,
            labels=request.labels,
            links=resolved(self._engine.snapshot, request.links),
        )
        container = Container(
            id=identifier,
            name=name,
            created=rfc3339(time.time_ns()),
            image=image.id,
            image_reference=request.image,
            spec=spec,
            networks=request.networks or {spec.network_mode: EndpointWish()},
            config_echo=request.config_echo,
            host_config_echo=request.host_config_echo,
        )
        self._engine.put(container)
        self._tell(container, "create")
        return container, []

    async def start(self, reference: str) -> None:
        container = self._find(reference)
        if container.state.status is Status.RUNNING:
            raise NotModified("container is already running")
        try:
            process = FakeProcess(container.spec.process.argv, attach=False)
        except BridgeheadError as error:
            for waiting in self._attaching.pop(container.id, []):
                waiting.set_exception(error)
            if container.spec.auto_remove:
                await self.remove(container.id, force=True)
            raise
        self.processes_of[container.id] = process
        for waiting in self._attaching.pop(container.id, []):
            waiting.set_result(process.open())
        await asyncio.sleep(0)
        self._change(container.id, status=Status.RUNNING, pid=process.pid, started=rfc3339(time.time_ns()))
        self._join(self._find(container.id))
        process.begin()
        self._tell(container, "start")
        watch = asyncio.ensure_future(self._watch(container.id, process))
        self._tasks.add(watch)
        watch.add_done_callback(self._tasks.discard)

    def _join(self, container: Container) -> None:
        sandbox = Sandbox(SandboxID(self._engine.identifier()), container.id, phase=Phase.READY)
        self._engine.put(sandbox)
        for name, wish in container.networks.items():
            self._engine.networks.attach(container, sandbox, self._engine.snapshot.find_network(name), wish)

    async def _watch(self, identifier: ContainerID, process: FakeProcess) -> None:
        code = await process.wait()
        container = self._change(
            identifier, status=Status.EXITED, pid=0, exit_code=code, finished=rfc3339(time.time_ns())
        )
        snapshot = self._engine.snapshot
        if sandbox := snapshot.container_sandbox(identifier):
            self._engine.drop(sandbox, *snapshot.sandbox_endpoints(sandbox.id))
        self._tell(container, "die", exitCode=str(code))
        self._resolve(identifier, code, {"not-running", "next-exit"})
        if container.spec.auto_remove:
            await self.remove(identifier, force=True)

    async def stop(self, reference: str, *, timeout_s: int | None = None, signal: str = "") -> None:
        await self._end(self._find(reference), number(signal or "SIGTERM"))

    async def restart(self, reference: str, *, timeout_s: int | None = None, signal: str = "") -> None:
        container = self._find(reference)
        if container.state.status is Status.RUNNING:
            await self._end(container, 15)
        await self.start(container.id)

    async def kill(self, reference: str, signal: str) -> None:
        container = self._find(reference)
        if container.state.status is not Status.RUNNING:
            raise Conflict(f"container {container.id} is not running")
        self.processes_of[container.id].kill(number(signal))

    async def _end(self, container: Container, signal: int) -> None:
        if container.state.status is not Status.RUNNING:
            raise NotModified("container is already stopped")
        end = self.wait(container.id, "next-exit")
        self.processes_of[container.id].kill(signal)
        await end

    async def pause(self, reference: str, *, frozen: bool) -> None:
        self._change(self._find(reference).id, status=Status.PAUSED if frozen else Status.RUNNING)

    async def remove(self, reference: str, *, force: bool, volumes: bool = False) -> None:
        container = self._find(reference)
        if container.state.status is Status.RUNNING:
            if not force:
                raise Conflict(f'cannot remove container "/{container.name}": container is running')
            await self._end(container, 9)
        self._engine.drop(container)
        self._tell(container, "destroy")
        self._resolve(container.id, container.state.exit_code, {"not-running", "next-exit", "removed"})

    async def remove_link(self, reference: str) -> None:
        found = self._engine.snapshot.find_link(reference)
        if found is None:
            raise NotFound(f"No such container: {reference}")
        self._engine.put(links.without(found[0], found[1].alias))

    async def rename(self, reference: str, name: str) -> None:
        self._engine.put(replace(self._find(reference), name=name))

    def wait(self, reference: str, condition: str) -> Awaitable[int]:
        container = self._find(reference)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if condition in ("", "not-running") and container.state.status is not Status.RUNNING:
            future.set_result(container.state.exit_code)
        else:
            self._waiting.setdefault(container.id, []).append((condition or "not-running", future))
        return future

    async def attach(self, reference: str) -> FakeStream:
        container = self._find(reference)
        if container.state.status is Status.RUNNING:
            return self.processes_of[container.id].open()
        future: asyncio.Future[FakeStream] = asyncio.get_running_loop().create_future()
        self._attaching.setdefault(container.id, []).append(future)
        return await future

    def resize(self, reference: str, height: int, width: int) -> None:
        self.sizes.append((self._find(reference).id, height, width))

    def processes(self, reference: str) -> Sequence[int]:
        return [1]

    async def logs(
        self, reference: str, *, follow: bool, tail: int | None, since: int, until: int
    ) -> AsyncIterator[LogLine]:
        process = self.processes_of.get(self._find(reference).id)
        lines = process.said if process else []
        for stream, data in lines[-tail:] if tail else lines if tail is None else []:
            yield LogLine("2026-01-02T03:04:05.000000006Z", stream, data)
        if follow and process:
            await process.wait()

    def create_exec(self, reference: str, request: ExecRequest) -> Exec:
        container = self._find(reference)
        if container.state.status is not Status.RUNNING:
            raise Conflict(f"container {container.id} is not running")
        instance = Exec(self._engine.identifier(), container.id, request)
        self.execs[instance.id] = instance
        return instance

    def exec(self, identifier: str) -> Exec:
        if identifier not in self.execs:
            raise NotFound(f"No such exec instance: {identifier}")
        return self.execs[identifier]

    async def start_exec(self, identifier: str, *, detach: bool) -> FakeProcess:
        instance = self.exec(identifier)
        try:
            process = FakeProcess(instance.request.command, attach=not detach)
        except BridgeheadError:
            instance.exit_code = 127
            raise
        await asyncio.sleep(0.02)  # like a real one: docker-py loses what comes along with the answer's head
        instance.execution = process
        process.ended.add_done_callback(lambda ended: setattr(instance, "exit_code", ended.result()))
        process.begin()
        return process

    def _find(self, reference: str) -> Container:
        return self._engine.snapshot.find_container(reference)

    def _change(self, identifier: ContainerID, **changes: object) -> Container:
        container = self._engine.snapshot.containers[identifier]
        state: ContainerState = replace(container.state, **changes)
        self._engine.put(replace(container, state=state))
        return self._engine.snapshot.containers[identifier]

    def _tell(self, container: Container, action: str, **attributes: str) -> None:
        self._engine.events.publish(
            "container",
            action,
            container.id,
            name=container.name,
            image=container.image_reference,
            **attributes,
        )

    def _resolve(self, container: ContainerID, code: int, conditions: set[str]) -> None:
        for condition, future in self._waiting.get(container, []):
            if condition in conditions and not future.done():
                future.set_result(code)
