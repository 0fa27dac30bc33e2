"""Addresses of endpoints, asked of an IPAM plugin."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from bridgehead.core.ipam.subnets import contains
from bridgehead.core.model.addresses import Address, Interface
from bridgehead.core.model.errors import BridgeheadError, PluginAnswer, PluginRefused, Unavailable
from bridgehead.core.model.network import Endpoint, Network, Subnet
from bridgehead.core.model.plugged import GivenAddress, PluggedEndpoint, Told
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.remote import conversation, protocol
from bridgehead.engine.plugged.absence import ABSENT
from bridgehead.engine.world import Plugins

Holders = Mapping[Address, str]


def missing(network: Network, endpoint: Endpoint, allowed: Collection[int] = (4, 6)) -> list[int]:
    """The families of the network of which it has no address yet."""
    has = {address.version for address in endpoint.addresses}
    offered = {subnet.prefix.version for subnet in network.subnets}
    return [family for family in allowed if family in offered - has]


def holders(snapshot: Snapshot, network: Network, endpoint: Endpoint) -> Holders:
    """Addresses of the network that are not free for the endpoint, whatever a plugin says that forgot."""
    held: dict[Address, str] = {}
    for subnet in network.subnets:
        held |= dict.fromkeys(subnet.auxiliary.values(), "an auxiliary address")
        held |= {subnet.gateway: "its gateway"} if subnet.gateway else {}
    for other in snapshot.network_endpoints(network.id):
        if other.id != endpoint.id:
            holder = f"held by container {snapshot.containers[other.container].name}"
            held |= dict.fromkeys((address.ip for address in other.addresses), holder)
    return held


def check(network: Network, endpoint: Endpoint) -> None:
    """
    Raises:
        PluginAnswer: an address it was given is none of the network's.
    """
    for item in endpoint.plugged.given if endpoint.plugged else ():
        if not any(contains(subnet.prefix, item.address) for subnet in network.subnets):
            raise PluginAnswer(
                f"IPAM driver {network.ipam_driver} gave {item.address}, which is in no subnet of network "
                f"{network.name}"
            )


async def given(
    plugins: Plugins, network: Network, endpoint: Endpoint, family: int, held: Holders
) -> Endpoint:
    """The endpoint with an address of this family, out of the first pool that has one left.

    Raises:
        PluginRefused, PluginUnreachable, PluginAnswer: see `world.Plugins`; or the address is in `held`.
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
        if holder := held.get(answer.interface.ip):
            # It is not given back: it would be taken from its holder.
            raise PluginAnswer(
                f"IPAM driver {network.ipam_driver} gave {answer.interface.ip} of network {network.name}, "
                f"which is {holder}"
            )
        return _with(endpoint, pool, conversation.given(answer, subnet))
    raise refusal or Unavailable(f"network {network.name} has no pool for IPv{family}")


async def learned(plugins: Plugins, network: Network, endpoint: Endpoint, held: Holders) -> Endpoint:
    """With the addresses that an answer nobody heard may have given it, so that they can be given back.

    Only a plugin that knows endpoints by their MAC addresses can be asked again: any other would give more.
    """
    told = endpoint.plugged or PluggedEndpoint()
    if told.addressed is not Told.ASKED or not (network.plugged and network.plugged.mac_first):
        return endpoint
    for family in missing(network, endpoint):
        try:
            endpoint = await given(plugins, network, endpoint, family, held)
        except ABSENT:
            raise
        except BridgeheadError:  # nothing to give back, or nothing that could be understood
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
