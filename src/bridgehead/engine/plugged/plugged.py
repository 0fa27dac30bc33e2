"""Everything that plugins are told, put together; and waiting for those that do not answer.

A plugin that is away holds up nothing but what needs it: its networks stay and are marked, and what it has to
be told is told when it is back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from functools import partial

from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.model.ids import ContainerID, EndpointID, NetworkID, SandboxID
from bridgehead.core.model.network import Network, Phase
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.remote import protocol
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.plugged.abilities import Asked
from bridgehead.engine.plugged.endpoints import PluggedEndpoints
from bridgehead.engine.plugged.farewells import Farewells
from bridgehead.engine.plugged.networks import PluggedNetworks, plugins_of
from bridgehead.engine.plugged.replay import Replay
from bridgehead.engine.plugged.turns import Turns
from bridgehead.engine.plugged.way_out import WayOut
from bridgehead.engine.publishing import Publishing
from bridgehead.engine.tasks import Tasks
from bridgehead.engine.world import HostPorts, Plugins

_PATIENCE_S = 5.0
_FIRST_PAUSE_S = 0.1
_LAST_PAUSE_S = 15.0
_log = logging.getLogger("bridgehead.plugged")


class Plugged:
    def __init__(
        self, intent: Intent, plugins: Plugins, publishing: Publishing, events: EventBus, tasks: Tasks
    ) -> None:
        self._intent = intent
        self._plugins = plugins
        self._tasks = tasks
        self._absent: dict[str, str] = {}
        self._begun = False
        self._late: set[EndpointID] = set()  # farewells that somebody has waited for in vain
        self._turns = Turns()  # of networks and sandboxes
        self._owing = asyncio.Event()
        asked = Asked(plugins)
        self._replay = Replay(intent, plugins, asked)
        intent.parted = self._owing.set
        turns = Turns()  # of endpoints
        farewells = Farewells(intent, plugins, turns)
        self.networks = PluggedNetworks(intent, plugins, asked, self._replay, self._owing, self._turns)
        self.endpoints = PluggedEndpoints(intent, plugins, self._replay, farewells, turns)
        self._farewells = farewells
        self._publishing = publishing
        self._way_out = WayOut(intent, publishing, events)

    @property
    def absent(self) -> Mapping[str, str]:
        """Plugins that networks need and that do not answer, each with the reason."""
        needed = {plugin for plugin, _ in self._needed()}
        return {plugin: reason for plugin, reason in self._absent.items() if plugin in needed}

    def begin(self) -> None:
        """Take up what an earlier daemon left undone."""
        self._begun = True
        self.networks.unfinished |= {
            network.id
            for network in self._intent.snapshot.networks.values()
            if network.phase is Phase.LEAVING
        }
        if any(network.plugged for network in self._intent.snapshot.networks.values()):
            self._owing.set()
        self._tasks.start(self._attend())
        for sandbox in list(self._intent.snapshot.sandboxes):
            if self.waits(sandbox):
                self._tasks.start(self.follow(sandbox))

    def concerns(self, request: NetworkRequest) -> bool:
        """Whether plugins are needed for such a network."""
        return self.networks.concerns(request)

    async def create(self, request: NetworkRequest) -> tuple[Network, list[str]]:
        """
        Raises:
            BridgeheadError: see `PluggedNetworks.create`.
        """
        network, warnings = await self.networks.create(request)
        with suppress(BridgeheadError):  # it may be told again, which does no harm
            await self._replay.note(network)
        return network, warnings

    async def part(self, container: ContainerID) -> None:
        """Tell what is owed of this container's, for as long as its user may be held up; the rest goes on by
        itself, and so does all of it while the daemon starts.
        """
        owed = self._farewells.of(container)
        if owed <= self._late or not self._begun:
            return
        try:
            await asyncio.wait_for(asyncio.shield(self._farewells.said_of(container)), _PATIENCE_S)
        except (BridgeheadError, TimeoutError) as error:
            self._late = owed | (self._late & self._intent.snapshot.farewells.keys())
            _log.warning("a plugin has yet to hear what is gone: %s", str(error) or "it takes its time")

    def waits(self, sandbox: SandboxID) -> bool:
        """Whether plugins have a say in any of the sandbox's endpoints."""
        return self.endpoints.waits(sandbox)

    async def asked(self, sandbox: SandboxID, endpoints: Collection[EndpointID], host: HostPorts) -> None:
        """Have these endpoints of it addressed and made, and its ports chosen by what is known then.

        Raises:
            BridgeheadError: what was done is undone once the endpoints are dropped.
        """
        await self.endpoints.create(endpoints)
        self._intent.commit(self._publishing.awaited(self._intent.snapshot, sandbox, host))

    async def joined(self, sandbox: SandboxID, endpoints: Collection[EndpointID]) -> None:
        """Have these endpoints joined to its namespace, which is there, and a way out of it.

        Raises:
            BridgeheadError: as `asked`.
        """
        await self.endpoints.join(endpoints)
        async with self._turns.of(sandbox):
            await self._way_out.follow(sandbox)

    async def led(self, sandbox: SandboxID) -> None:
        """Tell the drivers which endpoint leads outside, once all of them are there.

        Raises:
            BridgeheadError: it cannot be reached from outside.
        """
        async with self._turns.of(sandbox):
            await self.endpoints.follow(sandbox)
            await self._inform(sandbox)

    async def follow(self, sandbox: SandboxID) -> None:
        """After a change that must not fail for it any more."""
        try:
            async with self._turns.of(sandbox):
                await self._way_out.follow(sandbox)
                await self.endpoints.follow(sandbox)
                await self._inform(sandbox)
        except BridgeheadError as error:
            _log.warning("the way out of sandbox %s: %s", sandbox[:12], error)

    async def _inform(self, sandbox: SandboxID) -> None:
        """What nobody needs in order to go on may be missing."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self.endpoints.inform(sandbox)
        except TimeoutError:
            _log.warning("sandbox %s: a plugin takes its time to say what it knows", sandbox[:12])

    async def remove(self, identifier: NetworkID, removable: Callable[[], Network], *, force: bool) -> None:
        """`removable` is asked again whenever somebody may have begun to use the network.

        Raises:
            BridgeheadError: why it is not removable; or see `PluggedNetworks.remove`.
        """
        async with self._turns.of(identifier):
            removable()
            try:
                await self._farewells.said(identifier)
                await self.networks.remove(identifier, removable)
            except BridgeheadError as error:
                if not force:
                    raise
                name = removable().name
                _log.warning("network %s is removed, whatever its plugin knows: %s", name, error)
                await self.networks.forget(identifier)

    async def _attend(self) -> None:
        """For as long as the daemon runs: asleep unless something is owed."""
        pause_s = _FIRST_PAUSE_S
        while True:
            await self._owing.wait()
            self._owing.clear()
            try:
                paid = await self._all_paid()
            except Exception:  # noqa: BLE001 - a bug with one plugin must not leave all others waiting
                _log.exception("what plugins are owed could not be told")
                paid = False
            if paid:
                pause_s = _FIRST_PAUSE_S
                continue
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LAST_PAUSE_S)
            self._owing.set()

    async def _all_paid(self) -> bool:
        """Whether every plugin answers, and has been told all. None waits for another."""
        answer = [self._answers(plugin, interface) for plugin, interface in self._needed()]
        go = [self._tried(partial(self._taken_down, identifier)) for identifier in self.networks.unfinished]
        return all(await asyncio.gather(*answer, *go, self._tried(self._farewells.all_said)))

    async def _answers(self, plugin: str, interface: str) -> bool:
        try:
            await self._plugins.activate(plugin, interface)
            if interface == protocol.IPAM_DRIVER:
                await self._replay.of(plugin)
        except BridgeheadError as error:
            if self._absent.get(plugin) != error.message:
                _log.warning("networks wait for their plugin: %s", error)
            self._absent[plugin] = error.message
            return False
        if self._absent.pop(plugin, None):
            _log.info("plugin %s is back", plugin)
        return True

    async def _taken_down(self, identifier: NetworkID) -> None:
        async with self._turns.of(identifier):
            if identifier in self._intent.snapshot.networks:
                await self._farewells.said(identifier)
                await self.networks.learn_pools(identifier)
                await self.networks.take_down(identifier)

    async def _tried(self, work: Callable[[], Awaitable[None]]) -> bool:
        try:
            await work()
        except BridgeheadError as error:
            _log.debug("not told yet: %s", error)
            return False
        return True

    def _needed(self) -> set[tuple[str, str]]:
        networks = self._intent.snapshot.networks.values()
        return {needed for network in networks for needed in plugins_of(network)}
