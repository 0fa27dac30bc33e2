"""What plugins have to be told of endpoints that are gone.

Whoever drops an endpoint from the snapshot need not think of plugins: what is owed to them follows from the
difference of two snapshots, and is committed with it.
"""

from collections.abc import Iterator

from msgspec import Struct

from bridgehead.core.model.network import Endpoint, Farewell, Network
from bridgehead.core.model.plugged import PluggedEndpoint, Told
from bridgehead.core.model.snapshot import Snapshot, changed
from bridgehead.core.remote import protocol

Goodbye = tuple[str, str, Struct]  # (plugin, method, request)


def owed(old: Snapshot, new: Snapshot) -> list[Farewell]:
    return [
        Farewell(before.id, before)
        for before, after in changed(old.endpoints, new.endpoints)
        if before is not None and after is None and _is_known(before)
    ]


def _is_known(endpoint: Endpoint) -> bool:
    plugged = endpoint.plugged
    return plugged is not None and (plugged.created, plugged.addressed) != (Told.NOTHING, Told.NOTHING)


def answered(network: Network, endpoint: Endpoint) -> bool:
    """Whether all that plugins had to say about an endpoint is known."""
    if network.plugged is None:
        return True
    told = endpoint.plugged or PluggedEndpoint()
    return (not network.plugged.driver or told.joined is Told.DONE) and (
        not network.plugged.ipam or told.addressed is Told.DONE
    )


def goodbyes(network: Network, endpoint: Endpoint) -> Iterator[Goodbye]:
    """In the order that drivers know from Docker."""
    plugged = endpoint.plugged
    if plugged is None:
        return
    ids = {"network_id": network.id, "endpoint_id": endpoint.id}
    if plugged.external is not Told.NOTHING:
        yield _driver(network, protocol.RevokeExternalConnectivity(**ids))
    if plugged.joined is not Told.NOTHING:
        yield _driver(network, protocol.Leave(**ids))
    if plugged.created is not Told.NOTHING:
        yield _driver(network, protocol.DeleteEndpoint(**ids))
    for item in plugged.given:
        yield _ipam(network, protocol.ReleaseAddress(pool_id=item.pool, address=str(item.address)))


def _driver(network: Network, request: protocol.OfEndpoint) -> Goodbye:
    return network.driver, f"{protocol.NETWORK_DRIVER}.{type(request).__name__}", request


def releases(network: Network) -> Iterator[Goodbye]:
    """What an IPAM plugin gave for the network itself."""
    if network.plugged is None or not network.plugged.ipam:
        return
    for request, subnet in zip(network.plugged.pools, network.subnets, strict=False):
        for address in (subnet.gateway, *subnet.auxiliary.values()):
            if address is not None:
                yield _ipam(network, protocol.ReleaseAddress(pool_id=request.pool, address=str(address)))
    for request in network.plugged.pools:
        if request.pool:
            yield _ipam(network, protocol.ReleasePool(pool_id=request.pool))


def _ipam(network: Network, request: Struct) -> Goodbye:
    return network.ipam_driver, f"{protocol.IPAM_DRIVER}.{type(request).__name__}", request
