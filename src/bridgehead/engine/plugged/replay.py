"""IPAM plugins that forget: told again what they had given, when they or we were started anew."""

import logging
from dataclasses import replace
from typing import TypeVar

from bridgehead.core.model.errors import PluginRefused
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import Endpoint, Network, Phase
from bridgehead.core.remote import protocol
from bridgehead.engine.intent import Intent
from bridgehead.engine.plugged.abilities import Asked
from bridgehead.engine.plugged.absence import ABSENT
from bridgehead.engine.plugged.turns import Turns
from bridgehead.engine.world import Plugins

T = TypeVar("T", bound=protocol.Answer)
_log = logging.getLogger("bridgehead.plugged.replay")


class Replay:
    """What it was told in its present life it need not hear again: networks that were made since."""

    def __init__(self, intent: Intent, plugins: Plugins, asked: Asked) -> None:
        self._intent = intent
        self._plugins = plugins
        self._asked = asked
        self._told: dict[NetworkID, int] = {}
        self._turns = Turns()  # of plugins

    async def note(self, network: Network) -> None:
        """It was made just now."""
        if network.addressed_by_plugin:
            self._told[network.id] = (await self._asked.ipam(network.ipam_driver)).life

    async def of(self, plugin: str) -> None:
        """What has to follow an activation, before anything else is asked for.

        Raises:
            PluginMissing, PluginUnreachable, PluginAnswer: see `world.Plugins`.
        """
        async with self._turns.of(plugin):
            await self._told_again(plugin)

    async def _told_again(self, plugin: str) -> None:
        addressing = await self._asked.ipam(plugin)
        for network in list(self._intent.snapshot.networks.values()):
            ours = network.addressed_by_plugin and network.ipam_driver == plugin
            if not ours or network.phase is not Phase.READY or self._told.get(network.id) == addressing.life:
                continue
            if addressing.able.requires_request_replay:
                await self._again(network)
            self._told[network.id] = addressing.life

    async def _again(self, network: Network) -> None:
        plugged = network.plugged
        for request, subnet in zip(plugged.pools if plugged else (), network.subnets, strict=False):
            asked = protocol.RequestPool(
                address_space=plugged.space if plugged else "",
                pool=str(subnet.prefix),
                sub_pool=str(subnet.ip_range or ""),
                options=dict(network.ipam_options or {}),
                v6=subnet.prefix.version == 6,
            )
            pool = await self._ask(network, "RequestPool", asked, protocol.Pool)
            if pool is not None and pool.pool_id != request.pool:
                self._rename(network.id, request.pool, pool.pool_id)
                request = replace(request, pool=pool.pool_id)  # noqa: PLW2901
            if subnet.gateway is not None:
                gateway = protocol.RequestAddress.of_gateway(request.pool, str(subnet.gateway))
                await self._ask(network, "RequestAddress", gateway, protocol.GivenAddress)
            for address in subnet.auxiliary.values():
                kept = protocol.RequestAddress(pool_id=request.pool, address=str(address))
                await self._ask(network, "RequestAddress", kept, protocol.GivenAddress)
        for endpoint in self._intent.snapshot.network_endpoints(network.id):
            mac = endpoint.mac if plugged and plugged.mac_first else None
            for item in endpoint.plugged.given if endpoint.plugged else ():
                given = protocol.RequestAddress.of_endpoint(item.pool, str(item.address), mac)
                await self._ask(network, "RequestAddress", given, protocol.GivenAddress)

    def _rename(self, identifier: NetworkID, old: str, new: str) -> None:
        """It forgot its own name for the pool as well: what is said of it from here on has the new one."""
        snapshot = self._intent.snapshot
        network = snapshot.networks.get(identifier)
        if network is None or network.plugged is None:
            return
        pools = tuple(replace(item, pool=new) if item.pool == old else item for item in network.plugged.pools)
        network = replace(network, plugged=replace(network.plugged, pools=pools))
        ends = [_renamed(end, old, new) for end in snapshot.network_endpoints(identifier) if end.plugged]
        self._intent.commit(snapshot.put(network, *ends))

    async def _ask(self, network: Network, method: str, request: protocol.Request, kind: type[T]) -> T | None:
        try:
            return await self._plugins.call(
                network.ipam_driver, f"{protocol.IPAM_DRIVER}.{method}", request, kind
            )
        except ABSENT:
            raise
        except PluginRefused as error:
            # It remembers after all, or somebody else was quicker; what our containers have, they have.
            _log.info("plugin %s, network %s: %s", network.ipam_driver, network.name, error)
            return None


def _renamed(endpoint: Endpoint, old: str, new: str) -> Endpoint:
    if endpoint.plugged is None:
        return endpoint
    given = tuple(replace(item, pool=new) if item.pool == old else item for item in endpoint.plugged.given)
    return replace(endpoint, plugged=replace(endpoint.plugged, given=given))
