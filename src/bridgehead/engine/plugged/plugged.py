"""Everything that plugins are told, put together; and waiting for those that do not answer.

A plugin that is away holds up nothing but what needs it: its networks stay and are marked, and what it has to
be told is told when it is back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from contextlib import suppress

from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.model.ids import SandboxID
from bridgehead.core.model.network import Network, Phase
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.remote import protocol
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.plugged.abilities import Asked
from bridgehead.engine.plugged.absence import ABSENT
from bridgehead.engine.plugged.endpoints import PluggedEndpoints
from bridgehead.engine.plugged.farewells import Farewells
from bridgehead.engine.plugged.networks import PluggedNetworks, plugins_of
from bridgehead.engine.plugged.replay import Replay
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
        self._owing = asyncio.Event()
        asked = Asked(plugins)
        self._replay = Replay(intent, plugins, asked)
        intent.parted = self._owing.set
        farewells = Farewells(intent, plugins)
        self.networks = PluggedNetworks(intent, plugins, asked, self._owing)
        self.endpoints = PluggedEndpoints(intent, plugins, farewells)
        self._farewells = farewells
        self._publishing = publishing
        self._way_out = WayOut(intent, publishing, events)

    @property
    def absent(self) -> Mapping[str, str]:
        """Plugins that networks need and that do not answer, each with the reason."""
        return self._absent

    def begin(self) -> None:
        """Take up what an earlier daemon left undone."""
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

    async def part(self) -> None:
        """Tell what is owed, for as long as whoever waits may be held up; the rest goes on by itself."""
        if not self._intent.snapshot.farewells:
            return
        try:
            await asyncio.wait_for(asyncio.shield(self._farewells.said()), _PATIENCE_S)
        except (BridgeheadError, TimeoutError) as error:
            _log.warning("a plugin has yet to hear what is gone: %s", str(error) or "it takes its time")

    def waits(self, sandbox: SandboxID) -> bool:
        """Whether plugins have a say in any of the sandbox's endpoints."""
        return self.endpoints.waits(sandbox)

    async def asked(self, sandbox: SandboxID, host: HostPorts) -> None:
        """Have its endpoints addressed and made, and its ports chosen by what is known then.

        Raises:
            BridgeheadError: what was done is undone once the endpoints are dropped.
        """
        await self.endpoints.create(sandbox)
        self._intent.commit(self._publishing.awaited(self._intent.snapshot, sandbox, host))

    async def joined(self, sandbox: SandboxID) -> None:
        """Have its endpoints joined to its namespace, which is there, and a way out of it.

        Raises:
            BridgeheadError: as `asked`.
        """
        await self.endpoints.join(sandbox)
        await self._way_out.follow(sandbox)

    async def led(self, sandbox: SandboxID) -> None:
        """Tell the drivers which endpoint leads outside, once all of them are there.

        Raises:
            BridgeheadError: it cannot be reached from outside.
        """
        await self.endpoints.follow(sandbox)
        await self.endpoints.inform(sandbox)

    async def follow(self, sandbox: SandboxID) -> None:
        """After a change that must not fail for it any more."""
        try:
            await self._way_out.follow(sandbox)
            await self.endpoints.follow(sandbox)
            await self.endpoints.inform(sandbox)
        except BridgeheadError as error:
            _log.warning("the way out of sandbox %s: %s", sandbox[:12], error)

    async def remove(self, network: Network, *, force: bool) -> None:
        """
        Raises:
            BridgeheadError: see `PluggedNetworks.remove`.
        """
        try:
            await self._farewells.said(network.id)
            await self.networks.remove(network)
        except ABSENT as error:
            if not force:
                raise
            _log.warning("network %s is removed, and its plugin does not know: %s", network.name, error)
            await self.networks.forget(network.id)

    async def _attend(self) -> None:
        """For as long as the daemon runs: asleep unless something is owed."""
        pause_s = _FIRST_PAUSE_S
        while True:
            await self._owing.wait()
            self._owing.clear()
            if await self._all_paid():
                pause_s = _FIRST_PAUSE_S
                continue
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LAST_PAUSE_S)
            self._owing.set()

    async def _all_paid(self) -> bool:
        """Whether every plugin answers, and has been told all."""
        paid = True
        for plugin, interface in self._needed():
            paid &= await self._answers(plugin, interface)
        for identifier in list(self.networks.unfinished):
            paid &= await self._tried(self._taken_down(identifier))
        return await self._tried(self._farewells.said()) and paid

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

    async def _taken_down(self, identifier: str) -> None:
        for network in list(self._intent.snapshot.networks.values()):
            if network.id == identifier:
                await self._farewells.said(network.id)
                await self.networks.learn_pools(network.id)
                await self.networks.take_down(network.id)

    async def _tried(self, work: Awaitable[None]) -> bool:
        try:
            await work
        except BridgeheadError as error:
            _log.debug("not told yet: %s", error)
            return False
        return True

    def _needed(self) -> set[tuple[str, str]]:
        networks = self._intent.snapshot.networks.values()
        return {needed for network in networks for needed in plugins_of(network)}
