"""The pools of a new network, asked of an IPAM plugin one by one."""

import ipaddress
import logging
from collections.abc import Sequence
from dataclasses import replace

from bridgehead.core.ipam.subnets import Occupied, contains, overlaps
from bridgehead.core.model.addresses import Address, Prefix
from bridgehead.core.model.errors import BridgeheadError, PluginAnswer, Unavailable
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import Network, Subnet
from bridgehead.core.model.plugged import PluggedNetwork, PoolRequest
from bridgehead.core.remote import conversation, protocol
from bridgehead.engine.plugged.records import PluggedRecords
from bridgehead.engine.world import Plugins

_ATTEMPTS = 8
_log = logging.getLogger("bridgehead.plugged.pools")


class Pools:
    def __init__(self, plugins: Plugins, records: PluggedRecords) -> None:
        self._plugins = plugins
        self._records = records

    async def allocate(
        self, identifier: NetworkID, occupied: Sequence[Occupied], without_gateway: frozenset[int]
    ) -> Network:
        """The network with its subnets; what was given so far is in the record, whatever is raised.

        Raises:
            PluginUnreachable, PluginRefused, PluginAnswer: see `world.Plugins`.
            Unavailable: whatever the plugin offers, the host uses itself.
        """
        network = self._records.network(identifier)
        for index, request in enumerate(_plugged(network).pools):
            pool = await self._clear_pool(network, request, occupied)
            subnet = conversation.subnet_of(pool, request.wanted.ip_range)
            network = self._keep(identifier, index, replace(request, pool=pool.pool_id), subnet)
            if request.family not in without_gateway:
                subnet = replace(subnet, gateway=await self._gateway(network, pool, request))
            for name, text in request.wanted.auxiliary.items():
                asked = protocol.RequestAddress(pool_id=pool.pool_id, address=str(ipaddress.ip_address(text)))
                address = await self._address(network, pool, asked)
                subnet = replace(subnet, auxiliary={**subnet.auxiliary, name: address})
            network = self._keep(identifier, index, replace(request, pool=pool.pool_id), subnet)
        return network

    async def pool(self, network: Network, request: PoolRequest) -> protocol.Pool:
        return await self._plugins.call(
            network.ipam_driver,
            "IpamDriver.RequestPool",
            protocol.RequestPool(
                address_space=_plugged(network).space,
                pool=request.wanted.subnet,
                sub_pool=request.wanted.ip_range,
                options=dict(network.ipam_options or {}),
                v6=request.family == 6,
            ),
            protocol.Pool,
        )

    async def release(self, network: Network, pool: str) -> None:
        await self._plugins.call(
            network.ipam_driver,
            "IpamDriver.ReleasePool",
            protocol.ReleasePool(pool_id=pool),
            protocol.Nothing,
        )

    async def _clear_pool(
        self, network: Network, request: PoolRequest, occupied: Sequence[Occupied]
    ) -> protocol.Pool:
        """One the host does not use itself. Those that it does are kept until then, so that the plugin offers
        another; whoever asked for a pool by name gets that.
        """
        rejected: list[protocol.Pool] = []
        try:
            for _ in range(_ATTEMPTS):
                pool = await self.pool(network, request)
                if request.wanted.subnet or not _in_use(pool.prefix, occupied):
                    return pool
                rejected.append(pool)
        finally:
            for pool in rejected:
                await self._let_go(network, pool)
        offers = ", ".join(str(pool.prefix) for pool in rejected)
        raise Unavailable(f"IPAM driver {network.ipam_driver} offers what this host uses itself: {offers}")

    async def _let_go(self, network: Network, pool: protocol.Pool) -> None:
        """Whatever becomes of one, the others, and the one that is taken, must not be forgotten."""
        try:
            await self.release(network, pool.pool_id)
        except BridgeheadError as error:
            _log.warning("IPAM driver %s keeps pool %s: %s", network.ipam_driver, pool.pool_id, error)

    async def _gateway(self, network: Network, pool: protocol.Pool, request: PoolRequest) -> Address:
        if pool.gateway is not None and not request.wanted.gateway:
            return _inside(network, pool, pool.gateway.ip)
        asked = protocol.RequestAddress.of_gateway(pool.pool_id, request.wanted.gateway)
        return await self._address(network, pool, asked)

    async def _address(
        self, network: Network, pool: protocol.Pool, asked: protocol.RequestAddress
    ) -> Address:
        answer = await self._plugins.call(
            network.ipam_driver, "IpamDriver.RequestAddress", asked, protocol.GivenAddress
        )
        return _inside(network, pool, answer.interface.ip)

    def _keep(self, identifier: NetworkID, index: int, request: PoolRequest, subnet: Subnet) -> Network:
        def change(network: Network) -> Network:
            plugged = _plugged(network)
            pools = (*plugged.pools[:index], request, *plugged.pools[index + 1 :])
            subnets = (*network.subnets[:index], subnet)
            return replace(network, plugged=replace(plugged, pools=pools), subnets=subnets)

        return self._records.change_network(identifier, change)


def _inside(network: Network, pool: protocol.Pool, address: Address) -> Address:
    if not contains(pool.prefix, address):
        raise PluginAnswer(
            f"IPAM driver {network.ipam_driver} gave {address}, which is not in its pool {pool.prefix}"
        )
    return address


def _in_use(prefix: Prefix, occupied: Sequence[Occupied]) -> bool:
    """A pool of everything says nothing of where its addresses will be."""
    return prefix.prefixlen > 0 and any(overlaps(prefix, item.prefix) for item in occupied)


def _plugged(network: Network) -> PluggedNetwork:
    return network.plugged or PluggedNetwork()
