"""Giving an endpoint its addresses: the ones its user chose, or the lowest free of each subnet.

An address that was given back is the last to be given again, so that whoever still remembers its former
holder does not meet a stranger; its former holder alone gets it back at once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bridgehead.core.ipam.subnets import contains, reserved
from bridgehead.core.model.addresses import Address, Interface, interface
from bridgehead.core.model.errors import Forbidden, InvalidParameter, Unavailable
from bridgehead.core.model.ids import ContainerID
from bridgehead.core.model.network import EndpointWish, Network, Subnet
from bridgehead.core.model.snapshot import Snapshot

Freed = Mapping[Address, ContainerID]


@dataclass(frozen=True, slots=True)
class Holdings:
    """Every address in use on one network, with words for who holds it.

    `freed`: given back lately, the longest free first. `own`: what the asking container had of those.
    """

    holders: Mapping[Address, str]
    freed: Collection[Address] = ()
    own: Collection[Address] = ()


def holdings(
    snapshot: Snapshot, network: Network, asking: ContainerID, freed: Freed | None = None
) -> Holdings:
    """What is taken, seen by one container: its own reservations do not count against it.

    Static addresses of stopped containers count as taken, so that a later start does not find them gone;
    also those asked for before the network was made.
    """
    holders: dict[Address, str] = {}
    for container in snapshot.containers.values():
        if container.id == asking:
            continue
        for reference, wish in container.networks.items():
            if wish.addresses and _means(snapshot, reference, network):
                holders |= dict.fromkeys(wish.addresses, f"reserved for container {container.name}")
    for endpoint in snapshot.network_endpoints(network.id):
        owner = snapshot.containers.get(endpoint.container)
        label = f"held by container {owner.name}" if owner else "held by an endpoint"
        holders |= dict.fromkeys((address.ip for address in endpoint.addresses), label)
    for subnet in network.subnets:
        if subnet.gateway is not None:
            holders[subnet.gateway] = f"the gateway of network {network.name}"
        holders |= {address: f"auxiliary address {name}" for name, address in subnet.auxiliary.items()}
    former = freed or {}
    return Holdings(holders, former.keys(), [address for address, who in former.items() if who == asking])


def _means(snapshot: Snapshot, reference: str, network: Network) -> bool:
    """Whether a start would find this network by what stands in a container's record."""
    if reference == network.name or not network.id.startswith(reference):
        return reference == network.name
    return reference == network.id or snapshot.network_named(reference) is None


def request(
    network: Network, held: Holdings, wish: EndpointWish, families: Collection[int] = (4, 6)
) -> tuple[Interface, ...]:
    """One address for each of these families that the network has, lowest free first; of several subnets of
    one family, the first that has room.

    Raises:
        InvalidParameter: a wished address is outside every subnet.
        Forbidden: it is in use; the holder is named.
        Unavailable: nothing is free.
    """
    chosen = [_claim(network, held, address) for address in wish.addresses if address.version in families]
    filled = {address.version for address in chosen}
    missing = {subnet.prefix.version for subnet in network.subnets}.intersection(families) - filled
    chosen += [_of_any(network, held, version) for version in missing]
    return tuple(sorted(chosen, key=lambda address: address.version))


def check_located(network: Network, wish: EndpointWish) -> None:
    """
    Raises:
        InvalidParameter: a wished address is outside every subnet.
    """
    for address in wish.addresses:
        _subnet_of(network, address)


def _subnet_of(network: Network, address: Address) -> Subnet:
    subnet = next((item for item in network.subnets if contains(item.prefix, address)), None)
    if subnet is None:
        raise InvalidParameter(
            f"invalid endpoint settings:\nno configured subnet contains IP address {address}"
        )
    return subnet


def _claim(network: Network, held: Holdings, address: Address) -> Interface:
    subnet = _subnet_of(network, address)
    if address in reserved(subnet.prefix):
        raise InvalidParameter(f"{address} is the network or broadcast address of {subnet.prefix}")
    if holder := held.holders.get(address):
        raise Forbidden(f"Address already in use: {address} is {holder}")
    return interface(address, subnet.prefix)


def _of_any(network: Network, held: Holdings, version: int) -> Interface:
    *others, last = (subnet for subnet in network.subnets if subnet.prefix.version == version)
    for subnet in others:
        try:
            return interface(_free(network, subnet, held), subnet.prefix)
        except Unavailable:
            continue
    return interface(_free(network, last, held), last.prefix)


def _free(network: Network, subnet: Subnet, held: Holdings) -> Address:
    pool = subnet.ip_range or subnet.prefix
    for address in held.own:
        if contains(pool, address) and address not in held.holders:
            return address
    blocked = {int(address) for address in reserved(subnet.prefix)}
    if network.predefined:
        # --fixed-cidr=172.17.1.1/24 is documented to give 172.17.1.1 to 172.17.1.254.
        blocked |= {int(address) for address in reserved(pool)}
    blocked |= {int(address) for address in held.holders if address.version == pool.version}
    freed = {int(address): None for address in held.freed if address.version == pool.version}
    candidates = range(int(pool.network_address), int(pool.broadcast_address) + 1)
    value = next((value for value in candidates if value not in blocked and value not in freed), None)
    if value is None:
        value = next((value for value in freed if value not in blocked and value in candidates), None)
    if value is None:
        raise Unavailable(
            f"no available IPv{pool.version} addresses on this network's address pools: "
            f"{network.name} ({network.id})"
        )
    return type(pool.network_address)(value)
