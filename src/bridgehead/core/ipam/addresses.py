"""Giving an endpoint its addresses: the ones its user chose, or the lowest free of each subnet."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridgehead.core.ipam.subnets import contains, reserved
from bridgehead.core.model.addresses import Address, Interface, interface
from bridgehead.core.model.errors import Forbidden, InvalidParameter, Unavailable
from bridgehead.core.model.ids import ContainerID
from bridgehead.core.model.network import EndpointWish, Network, Subnet
from bridgehead.core.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Holdings:
    """Every address in use on one network, with words for who holds it."""

    holders: Mapping[Address, str]


def holdings(snapshot: Snapshot, network: Network, asking: ContainerID) -> Holdings:
    """What is taken, seen by one container: its own reservations do not count against it.

    Static addresses of stopped containers count as taken, so that a later start does not find them gone.
    """
    holders: dict[Address, str] = {}
    for container in snapshot.containers.values():
        wish = container.networks.get(network.name) or container.networks.get(network.id)
        if wish and container.id != asking:
            holders |= dict.fromkeys(wish.addresses, f"reserved for container {container.name}")
    for endpoint in snapshot.network_endpoints(network.id):
        owner = snapshot.containers.get(endpoint.container)
        label = f"held by container {owner.name}" if owner else "held by an endpoint"
        holders |= dict.fromkeys((address.ip for address in endpoint.addresses), label)
    for subnet in network.subnets:
        if subnet.gateway is not None:
            holders[subnet.gateway] = f"the gateway of network {network.name}"
        holders |= {address: f"auxiliary address {name}" for name, address in subnet.auxiliary.items()}
    return Holdings(holders)


def request(network: Network, held: Holdings, wish: EndpointWish) -> tuple[Interface, ...]:
    """One address a subnet, lowest free first.

    Raises:
        InvalidParameter: a wished address is outside every subnet, or the network's subnet was not chosen
            by its user (then the address could not be kept for long).
        Forbidden: it is in use; the holder is named.
        Unavailable: nothing is free.
    """
    chosen = [_claim(network, held, address) for address in wish.addresses]
    families = {address.version for address in chosen}
    for subnet in network.subnets:
        if subnet.prefix.version not in families:
            chosen.append(interface(_lowest_free(network, subnet, held), subnet.prefix))
            families.add(subnet.prefix.version)
    return tuple(sorted(chosen, key=lambda address: address.version))


def _claim(network: Network, held: Holdings, address: Address) -> Interface:
    subnet = next((item for item in network.subnets if contains(item.prefix, address)), None)
    if subnet is None:
        raise InvalidParameter(
            f"invalid endpoint settings:\nno configured subnet contains IP address {address}"
        )
    if not subnet.chosen_by_user:
        raise InvalidParameter(
            "invalid endpoint settings:\nuser specified IP address is supported only when connecting to "
            "networks with user configured subnets"
        )
    if address in reserved(subnet.prefix):
        raise InvalidParameter(f"{address} is the network or broadcast address of {subnet.prefix}")
    if holder := held.holders.get(address):
        raise Forbidden(f"Address already in use: {address} is {holder}")
    return interface(address, subnet.prefix)


def _lowest_free(network: Network, subnet: Subnet, held: Holdings) -> Address:
    pool = subnet.ip_range or subnet.prefix
    blocked = {int(address) for address in reserved(subnet.prefix)}
    if network.predefined:
        # --fixed-cidr=172.17.1.1/24 is documented to give 172.17.1.1 to 172.17.1.254.
        blocked |= {int(address) for address in reserved(pool)}
    blocked |= {int(address) for address in held.holders if address.version == pool.version}
    first, last = int(pool.network_address), int(pool.broadcast_address)
    value = next((value for value in range(first, last + 1) if value not in blocked), None)
    if value is None:
        raise Unavailable(
            f"no available IPv{pool.version} addresses on this network's address pools: "
            f"{network.name} ({network.id})"
        )
    return type(pool.network_address)(value)
