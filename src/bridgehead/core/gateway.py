"""Which endpoint leads outside, and the order in which a sandbox looks at its networks.

Best first: higher priority; networks that lead outside before internal ones; those that lead there for both
families before those for one, and these before those for none; then the network's name. Source:
behaviour.md 2.8.
"""

import ipaddress
from collections.abc import Iterable, Iterator

from bridgehead.core.model.addresses import Address, Prefix
from bridgehead.core.model.network import Endpoint, Network, Subnet
from bridgehead.core.model.snapshot import Snapshot

EVERYWHERE: dict[int, Prefix] = {4: ipaddress.ip_network("0.0.0.0/0"), 6: ipaddress.ip_network("::/0")}


def gateway_order(snapshot: Snapshot, endpoints: Iterable[Endpoint]) -> list[tuple[Endpoint, Network]]:
    pairs = [(endpoint, snapshot.networks[endpoint.network]) for endpoint in endpoints]
    return sorted(pairs, key=lambda pair: rank(pair[1], pair[0].wish.gateway_priority))


def rank(network: Network, priority: int) -> tuple[int, bool, int, str]:
    families = {subnet.prefix.version for subnet in network.subnets if subnet.gateway or _is_routed(network)}
    return (-priority, network.internal, -len(families), network.name)


def default_gateways(
    attached: Iterable[tuple[Endpoint, Network]],
) -> Iterator[tuple[Prefix, Address | None, str]]:
    """(destination, gateway, interface), at most one for each address family; gateway None: the link itself
    leads there.
    """
    found: set[int] = set()
    for endpoint, network in attached:
        if network.internal:
            continue
        for subnet in network.subnets:
            family = subnet.prefix.version
            if family in found or not _is_in(endpoint, subnet):
                continue
            way_out = None if _is_routed(network) else subnet.router or subnet.gateway
            if way_out is not None or _is_routed(network):
                found.add(family)
                yield EVERYWHERE[family], way_out, endpoint.interface


def _is_routed(network: Network) -> bool:
    return network.lan is not None and network.lan.routed


def _is_in(endpoint: Endpoint, subnet: Subnet) -> bool:
    """Of several subnets of one family, an endpoint is in one."""
    return any(
        address.version == subnet.prefix.version and address.ip in subnet.prefix
        for address in endpoint.addresses
    )
