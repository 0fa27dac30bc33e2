"""Which endpoint leads outside, and the order in which a sandbox looks at its networks.

Best first: higher priority; networks that lead outside before internal ones; those with a gateway for both
families before those with one, and these before those without; then the network's name. Source:
behaviour.md 2.8.
"""

import ipaddress
from collections.abc import Iterable, Iterator

from bridgehead.core.model.addresses import Address, Prefix
from bridgehead.core.model.network import Endpoint, Network
from bridgehead.core.model.snapshot import Snapshot

EVERYWHERE: dict[int, Prefix] = {4: ipaddress.ip_network("0.0.0.0/0"), 6: ipaddress.ip_network("::/0")}


def gateway_order(snapshot: Snapshot, endpoints: Iterable[Endpoint]) -> list[tuple[Endpoint, Network]]:
    pairs = [(endpoint, snapshot.networks[endpoint.network]) for endpoint in endpoints]
    return sorted(pairs, key=lambda pair: rank(pair[1], pair[0].wish.gateway_priority))


def rank(network: Network, priority: int) -> tuple[int, bool, int, str]:
    gateways = sum(1 for subnet in network.subnets if subnet.gateway)
    return (-priority, network.internal, -gateways, network.name)


def default_gateways(
    attached: Iterable[tuple[Endpoint, Network]],
) -> Iterator[tuple[Prefix, Address, str]]:
    """(destination, gateway, interface), at most one for each address family."""
    found: set[int] = set()
    for endpoint, network in attached:
        if network.internal:
            continue
        families = {address.version for address in endpoint.addresses}
        for subnet in network.subnets:
            family = subnet.prefix.version
            way_out = subnet.router or subnet.gateway
            if way_out is not None and family in families and family not in found:
                found.add(family)
                yield EVERYWHERE[family], way_out, endpoint.interface
