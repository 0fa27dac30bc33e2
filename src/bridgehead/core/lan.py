"""What an endpoint may be on a network that stands on one of the host's interfaces."""

from collections.abc import Iterator

from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import Forbidden
from bridgehead.core.model.network import Endpoint, EndpointWish, Network
from bridgehead.core.model.snapshot import Snapshot


def has_own_mac(network: Network) -> bool:
    """Whether endpoints have MAC addresses of their own; else they have the parent's."""
    return network.lan is None or not (network.lan.shares_mac or network.lan.exclusive)


def fault(network: Network, wish: EndpointWish) -> str:
    """A MAC address is wished for where all have the parent's; in Docker's words. '' without a fault."""
    if wish.mac and network.lan is not None and network.lan.shares_mac:
        return f"{network.driver} interfaces do not support custom mac address assignment"
    return ""


def check_free(snapshot: Snapshot, network: Network, container: Container, wish: EndpointWish) -> None:
    """
    Raises:
        Forbidden: the parent is passed through to another container, or the MAC address that is wished for is
            in use upon it; the holder is named.
    """
    if network.lan is None:
        return
    for endpoint in _upon(snapshot, network.lan.parent):
        if endpoint.container == container.id and endpoint.network == network.id:
            continue
        holder = snapshot.containers.get(endpoint.container)
        name = holder.name if holder else endpoint.container
        if network.lan.exclusive:
            raise Forbidden(
                f"network {network.name} passes its parent interface {network.lan.parent} through to one "
                f"container alone, and {name} has it"
            )
        if wish.mac and wish.mac == endpoint.mac:
            raise Forbidden(
                f"MAC address {wish.mac} is in use upon {network.lan.parent}: container {name} has it"
            )


def _upon(snapshot: Snapshot, parent: str) -> Iterator[Endpoint]:
    for network in snapshot.networks.values():
        if network.lan is not None and network.lan.parent == parent:
            yield from snapshot.network_endpoints(network.id)
