"""Networks that plugins make or give the addresses of: introduced to them, and taken back from them."""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

from bridgehead.core.ipam import subnets
from bridgehead.core.model.errors import BridgeheadError, PluginRefused, refusal
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import Network, Phase
from bridgehead.core.model.plugged import PluggedNetwork, Told
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.remote import conversation, protocol
from bridgehead.core.remote.farewells import releases
from bridgehead.engine import network_creation
from bridgehead.engine.intent import Intent
from bridgehead.engine.plugged import abilities
from bridgehead.engine.plugged.abilities import Asked
from bridgehead.engine.plugged.absence import ABSENT
from bridgehead.engine.plugged.parting import tell
from bridgehead.engine.plugged.pools import Pools
from bridgehead.engine.plugged.records import PluggedRecords
from bridgehead.engine.plugged.replay import Replay
from bridgehead.engine.plugged.turns import Turns
from bridgehead.engine.world import Plugins

_log = logging.getLogger("bridgehead.plugged.networks")


class PluggedNetworks:
    """`unfinished`: networks that are to go once their plugins answer; `owing` is set with every new one.
    `turns`: of networks, held by whoever takes one away.
    """

    def __init__(
        self,
        intent: Intent,
        plugins: Plugins,
        asked: Asked,
        replay: Replay,
        owing: asyncio.Event,
        turns: Turns,
    ) -> None:
        self._replay = replay
        self._owing = owing
        self._turns = turns
        self._asked = asked
        self._intent = intent
        self._plugins = plugins
        self._records = PluggedRecords(intent)
        self._pools = Pools(plugins, self._records)
        self.unfinished: set[NetworkID] = set()

    def concerns(self, request: NetworkRequest) -> bool:
        return abilities.needs_plugins(request, self._intent.facts)

    async def create(self, request: NetworkRequest) -> tuple[Network, list[str]]:
        """Of a completed request.

        Raises:
            BridgeheadError: why not; the plugins have been told to forget it, or will be.
        """
        able = await self._asked.about(request, self._intent.facts)
        without = await self._without_gateway(request, able) if able.checks_gateways else frozenset()
        network, warnings = network_creation.decide(
            self._intent, request, able.plugged, without_gateway=without
        )
        concerned = self._intent.commit(self._intent.snapshot.put(network))
        try:
            if network.addressed_by_plugin:
                network = await self._addressed(network, without)
            if network.driven_by_plugin:
                await self._introduce(network)
            await self._intent.reconciler.settle(concerned)
            network = self._records.change_network(network.id, lambda item: replace(item, phase=Phase.READY))
        except Exception as error:  # a bug too must not leave a network that nobody can find
            async with self._turns.of(network.id):
                await self._take_back(network.id, refusal(error))
            raise
        return network, warnings

    async def remove(self, identifier: NetworkID, removable: Callable[[], Network]) -> None:
        """
        Raises:
            PluginMissing, PluginUnreachable: its plugins do not answer, and nothing was changed.
            PluginRefused: the driver does not let it go; it stays, and can be removed again.
            NotFound, Forbidden: as `removable`, when the plugins have answered.
        """
        for plugin, interface in plugins_of(self._records.network(identifier)):
            await self._plugins.activate(plugin, interface)
        removable()
        self._records.change_network(identifier, lambda item: replace(item, phase=Phase.LEAVING))
        try:
            await self.take_down(identifier, told_no=(PluginRefused,))
        except ABSENT:
            self._put_off(identifier)
            raise

    async def take_down(self, identifier: NetworkID, told_no: tuple[type[BridgeheadError], ...] = ()) -> None:
        """Tell its plugins, then forget it. A refusal that is not in `told_no` does not hold it back.

        Raises:
            PluginMissing, PluginUnreachable: a plugin does not answer; it stays until one does.
        """
        network = self._records.network(identifier)
        for goodbye in releases(network):
            await tell(self._plugins, goodbye)
        network = self._records.tell_network(identifier, pools=())
        if network.plugged and network.plugged.introduced is not Told.NOTHING:
            request = protocol.DeleteNetwork(network_id=identifier)
            goodbye = network.driver, "NetworkDriver.DeleteNetwork", request
            await tell(self._plugins, goodbye, told_no)
        await self.forget(identifier)

    async def forget(self, identifier: NetworkID) -> None:
        """Whether its plugins know or not."""
        self.unfinished.discard(identifier)
        snapshot = self._intent.snapshot
        if (network := snapshot.networks.get(identifier)) is not None:
            left = [item for item in snapshot.farewells.values() if item.endpoint.network == identifier]
            await self._intent.realise(snapshot.drop(network, *left))

    async def learn_pools(self, identifier: NetworkID) -> None:
        """Ask once more for the pools of a creation that was cut off: the answer names what has to be given
        back. Where the plugin was free to choose, asking again would only take another.
        """
        network = self._records.network(identifier)
        for index, request in enumerate(network.plugged.pools if network.plugged else ()):
            if request.pool or not request.wanted.subnet:
                continue
            try:
                pool = await self._pools.pool(network, request)
            except PluginRefused as error:
                _log.info("network %s: pool %s: %s", network.name, request.wanted.subnet, error)
                continue
            self._records.change_network(identifier, partial(_known, index=index, pool=pool))

    async def _without_gateway(self, request: NetworkRequest, able: abilities.Abilities) -> frozenset[int]:
        draft = network_creation.draft(self._intent, request)
        answer = await self._plugins.call(
            request.driver,
            "NetworkDriver.GwAllocCheck",
            protocol.GwAllocCheck(options=conversation.network_options(draft)),
            protocol.GwAllocChecked,
        )
        skipped = ((4, answer.skip_ipv4), (6, answer.skip_ipv6))
        return frozenset(family for family, skips in skipped if skips)

    async def _addressed(self, network: Network, without: Collection[int]) -> Network:
        await self._replay.of(network.ipam_driver)
        others = [item for item in self._intent.snapshot.networks.values() if item.bridge]
        ours = {item.bridge.name for item in others if item.bridge}
        occupied = self._intent.surroundings.occupied(ours)
        network = await self._pools.allocate(network.id, occupied, frozenset(without))
        if not network.driven_by_plugin:
            there = [item for item in self._intent.snapshot.networks.values() if item.id != network.id]
            subnets.reject_overlap(network.subnets, subnets.Space(there))
        return network

    async def _introduce(self, network: Network) -> None:
        self._records.tell_network(network.id, introduced=Told.ASKED)
        try:
            await self._plugins.call(
                network.driver,
                "NetworkDriver.CreateNetwork",
                conversation.create_network(network),
                protocol.Nothing,
            )
        except PluginRefused:
            self._records.tell_network(network.id, introduced=Told.NOTHING)
            raise
        self._records.tell_network(network.id, introduced=Told.DONE)

    async def _take_back(self, identifier: NetworkID, reason: BridgeheadError) -> None:
        """After a failure, whose reason the caller has to hear: nothing is raised."""
        try:
            self._records.change_network(identifier, lambda item: replace(item, phase=Phase.LEAVING))
            if not isinstance(reason, PluginRefused):
                await self.learn_pools(identifier)  # the answer may be what failed
            await self.take_down(identifier)
        except BridgeheadError as error:
            self._put_off(identifier)
            _log.warning("network %s is not taken back yet: %s", identifier, error)

    def _put_off(self, identifier: NetworkID) -> None:
        self.unfinished.add(identifier)
        self._owing.set()


def plugins_of(network: Network) -> list[tuple[str, str]]:
    """The plugins it needs, each with the kind of driver it is."""
    plugged = network.plugged or PluggedNetwork()
    needed = []
    if plugged.driver:
        needed.append((network.driver, protocol.NETWORK_DRIVER))
    if plugged.ipam:
        needed.append((network.ipam_driver, protocol.IPAM_DRIVER))
    return needed


def _known(network: Network, index: int, pool: protocol.Pool) -> Network:
    plugged = network.plugged or PluggedNetwork()
    request = replace(plugged.pools[index], pool=pool.pool_id)
    pools = (*plugged.pools[:index], request, *plugged.pools[index + 1 :])
    return replace(network, plugged=replace(plugged, pools=pools))
