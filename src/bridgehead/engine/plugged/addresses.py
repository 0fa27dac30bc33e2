"""Addresses of endpoints, asked of an IPAM plugin."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from bridgehead.core.ipam.subnets import contains
from bridgehead.core.model.addresses import Address, Interface
from bridgehead.core.model.errors import BridgeheadError, PluginRefused, Unavailable
from bridgehead.core.model.network import Endpoint, Network, Subnet
from bridgehead.core.model.plugged import GivenAddress, PluggedEndpoint, Told
from bridgehead.core.remote import conversation, protocol
from bridgehead.engine.world import Plugins


def missing(network: Network, endpoint: Endpoint, allowed: Collection[int] = (4, 6)) -> list[int]:
    """The families of the network of which it has no address yet."""
    has = {address.version for address in endpoint.addresses}
    offered = {subnet.prefix.version for subnet in network.subnets}
    return [family for family in allowed if family in offered - has]


async def given(plugins: Plugins, network: Network, endpoint: Endpoint, family: int) -> Endpoint:
    """The endpoint with an address of this family, out of the first pool that has one left.

    Raises:
        PluginRefused, PluginUnreachable, PluginAnswer: see `world.Plugins`.
    """
    wished = next((item for item in endpoint.wish.addresses if item.version == family), None)
    refusal: BridgeheadError | None = None
    for pool, subnet in _fitting(network, family, wished):
        mac = endpoint.mac if network.plugged and network.plugged.mac_first else None
        asked = protocol.RequestAddress.of_endpoint(pool, str(wished or ""), mac)
        try:
            answer = await plugins.call(
                network.ipam_driver, "IpamDriver.RequestAddress", asked, protocol.GivenAddress
            )
        except PluginRefused as error:
            refusal = refusal or error
            continue
        return _with(endpoint, pool, conversation.given(answer, subnet))
    raise refusal or Unavailable(f"network {network.name} has no pool for IPv{family}")


async def learned(plugins: Plugins, network: Network, endpoint: Endpoint) -> Endpoint:
    """With the addresses that an answer nobody heard may have given it, so that they can be given back.

    Only a plugin that knows endpoints by their MAC addresses can be asked again: any other would give more.
    """
    told = endpoint.plugged or PluggedEndpoint()
    if told.addressed is not Told.ASKED or not (network.plugged and network.plugged.mac_first):
        return endpoint
    for family in missing(network, endpoint):
        try:
            endpoint = await given(plugins, network, endpoint, family)
        except PluginRefused:
            continue
    return endpoint


def _fitting(network: Network, family: int, wished: Address | None) -> Iterator[tuple[str, Subnet]]:
    pools = network.plugged.pools if network.plugged else ()
    for request, subnet in zip(pools, network.subnets, strict=False):
        fits = wished is None or contains(subnet.prefix, wished)
        if subnet.prefix.version == family and fits:
            yield request.pool, subnet


def _with(endpoint: Endpoint, pool: str, address: Interface) -> Endpoint:
    plugged = endpoint.plugged or PluggedEndpoint()
    held = (*plugged.given, GivenAddress(pool, address.ip))
    return replace(endpoint, addresses=(*endpoint.addresses, address), plugged=replace(plugged, given=held))
