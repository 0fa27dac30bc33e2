"""The engine put together: one intent, its use cases, and their beginning and end."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bridgehead.core.desired import owners, sandbox_owners
from bridgehead.core.etc import ResolvConf
from bridgehead.core.facts import HostFacts
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.diff import Op
from bridgehead.core.plan.key import Key
from bridgehead.engine import recovery
from bridgehead.engine.commits import CommitUseCases
from bridgehead.engine.containers import ContainerUseCases
from bridgehead.engine.distribution import DistributionUseCases
from bridgehead.engine.events import EventBus
from bridgehead.engine.executions import Executions
from bridgehead.engine.files import FileUseCases
from bridgehead.engine.freezing import Freezer
from bridgehead.engine.guest_runtime import GuestRuntime
from bridgehead.engine.guests import GuestUseCases
from bridgehead.engine.images import ImageUseCases, layers_in_use
from bridgehead.engine.intent import Intent
from bridgehead.engine.lifecycle import Lifecycle
from bridgehead.engine.networks import NetworkUseCases
from bridgehead.engine.plugged.plugged import Plugged
from bridgehead.engine.publishing import Publishing
from bridgehead.engine.pulls import PullUseCases
from bridgehead.engine.pushes import PushUseCases
from bridgehead.engine.registries import Registries
from bridgehead.engine.saves import SaveUseCases
from bridgehead.engine.storage import Copies, Images, VolumeFolders
from bridgehead.engine.tasks import Tasks
from bridgehead.engine.updates import UpdateUseCases
from bridgehead.engine.volumes import VolumeUseCases
from bridgehead.engine.world import HostPorts, Logs, Namespaces, Plugins, Runtime


@dataclass(frozen=True, slots=True)
class Adapters:
    """What of the world the engine works with, beside the host's planes and the store."""

    runtime: Runtime
    ports: HostPorts
    logs: Logs
    images: Images
    plugins: Plugins
    namespaces: Namespaces
    volumes: VolumeFolders
    registries: Registries
    copies: Copies


class Engine:
    def __init__(self, intent: Intent, world: Adapters) -> None:
        self._intent = intent
        runtime = _with_guests(intent, world.runtime, world.namespaces)
        self._runtime = runtime
        self._layers = layers = world.images
        self._tasks = Tasks()
        self.events = EventBus(intent.clock)
        publishing = Publishing(intent, world.ports)
        self._plugins = world.plugins
        self.plugged = Plugged(intent, world.plugins, publishing, self.events, self._tasks)
        self.volumes = VolumeUseCases(intent, world.volumes, self.events, self._tasks)
        self._life = Lifecycle(
            intent, runtime, publishing, self.plugged, self.volumes, self.events, self._tasks
        )
        executions = Executions(intent, runtime, self.events, self._tasks)
        self.networks = NetworkUseCases(intent, publishing, self.plugged, self.events, self._tasks)
        freezer = Freezer(intent, runtime, self.events)
        self.containers = ContainerUseCases(
            intent,
            runtime,
            world.logs,
            self._life,
            executions,
            freezer,
            self.volumes,
            self.events,
            self._tasks,
        )
        self.guests = GuestUseCases(
            intent, world.namespaces, self._life, self.containers, self.events, self._tasks
        )
        self.images = ImageUseCases(intent, layers, self.events, self._tasks)
        self.pulls = PullUseCases(intent, layers, self.images, world.registries, self.events, self._tasks)
        self.pushes = PushUseCases(intent, layers, self.images, world.registries, self.events, self._tasks)
        self.saves = SaveUseCases(intent, layers, self.events)
        self.distribution = DistributionUseCases(world.registries)
        self.updates = UpdateUseCases(intent, runtime, self._life, self.events, self._tasks)
        self.files = FileUseCases(intent, world.copies, self._life, self.events)
        self.commits = CommitUseCases(
            intent, layers, self.images, self._life, freezer, self.events, self._tasks
        )

    @property
    def snapshot(self) -> Snapshot:
        return self._intent.snapshot

    async def begin(self) -> Mapping[Key, Exception]:
        """Recover whatever an earlier daemon left; afterwards requests may come. What the host refused."""
        refused = await recovery.recover(self._intent, self._runtime, self._life)
        self.plugged.begin()
        self.volumes.part()
        await asyncio.to_thread(self._layers.sweep, layers_in_use(self.snapshot))
        return refused

    async def end(self) -> None:
        """Stop deciding. Containers, networks and names go on without us."""
        await self._tasks.close()
        await self._plugins.close()
        await self._intent.reconciler.close()

    @property
    def facts(self) -> HostFacts:
        return self._intent.facts

    async def reload(self, facts: HostFacts, actor: str, attributes: Mapping[str, str]) -> None:
        """Think with other facts from here on, and make the host fit them; told as an event of the daemon."""
        self._intent.facts = facts
        self.events.plain("daemon", "reload", attributes, actor=actor)
        await self._intent.reconciler.settle(owners(self.snapshot))

    async def follow_name_servers(self, settings: ResolvConf) -> None:
        """The host asks other name servers now, so its containers do too, without being restarted.

        Raises:
            BridgeheadError: some could not be told; that is tried again by itself.
        """
        self._intent.facts = replace(self.facts, resolv=settings)
        concerned = map(sandbox_owners, self.snapshot.sandboxes.values())
        await self._intent.reconciler.settle(owner for parts in concerned for owner in parts)

    async def repair(self) -> None:
        """Look at the whole host and mend what differs from the intent.

        Raises:
            BridgeheadError: something could not be mended; it is tried again by itself.
        """
        await self._intent.reconciler.repair()


def _with_guests(intent: Intent, processes: Runtime, namespaces: Namespaces) -> Runtime:
    return GuestRuntime(processes, namespaces, lambda: intent.snapshot)


async def plan(intent: Intent, processes: Runtime, namespaces: Namespaces) -> Sequence[Op]:
    """What `begin` would change on this host; nothing is written, here or there."""
    snapshot, _ = await recovery.intended(intent, _with_guests(intent, processes, namespaces))
    intent.assume(snapshot)
    return intent.reconciler.plan(await intent.reconciler.observe())
