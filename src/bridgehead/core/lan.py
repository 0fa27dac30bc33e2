"""What an endpoint may be on a network that stands on one of the host's interfaces."""

from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import Forbidden
from bridgehead.core.model.network import EndpointWish, Network
from bridgehead.core.model.snapshot import Snapshot


def has_own_mac(network: Network) -> bool:
    """Whether endpoints have MAC addresses of their own; else they have the parent's."""
    return network.lan is None or not (network.lan.shares_mac or network.lan.exclusive)


def fault(network: Network, wish: EndpointWish) -> str:
    """A MAC address is wished for where all have the parent's; in Docker's words. '' without a fault."""
    if wish.mac and network.lan is not None and network.lan.shares_mac:
        return f"{network.driver} interfaces do not support custom mac address assignment"
    return ""


def check_free(snapshot: Snapshot, network: Network, container: Container) -> None:
    """
    Raises:
        Forbidden: the parent is passed through to another container, which is named.
    """
    if network.lan is None or not network.lan.exclusive:
        return
    for endpoint in snapshot.network_endpoints(network.id):
        if endpoint.container != container.id:
            holder = snapshot.containers.get(endpoint.container)
            raise Forbidden(
                f"network {network.name} passes its parent interface {network.lan.parent} through to one "
                f"container alone, and {holder.name if holder else endpoint.container} has it"
            )
