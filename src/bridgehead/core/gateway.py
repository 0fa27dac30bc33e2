"""Which endpoint leads outside, and the order in which a sandbox looks at its networks.

Best first: higher priority; what users asked for before docker_gwbridge; networks that lead outside before
internal ones; those that lead there for both families before those for one, and these before those for none;
then the network's name. Source: behaviour.md 2.8.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from bridgehead.core.model.addresses import Address, Prefix
from bridgehead.core.model.network import Endpoint, Network, Subnet
from bridgehead.core.model.snapshot import Snapshot

Attached = tuple[Endpoint, Network]
EVERYWHERE: dict[int, Prefix] = {4: ipaddress.ip_network("0.0.0.0/0"), 6: ipaddress.ip_network("::/0")}


def gateway_order(snapshot: Snapshot, endpoints: Iterable[Endpoint]) -> list[Attached]:
    pairs = [(endpoint, snapshot.networks[endpoint.network]) for endpoint in endpoints]
    return sorted(
        pairs,
        key=lambda pair: (
            -pair[0].wish.gateway_priority,
            pair[0].service,
            rank(pair[1], pair[0].wish.gateway_priority, pair[0]),
        ),
    )


def rank(network: Network, priority: int, endpoint: Endpoint | None = None) -> tuple[int, bool, int, str]:
    """`endpoint`: one that is there, since a plugin tells of a gateway only when it is joined."""
    families: set[int] = {
        subnet.prefix.version for subnet in network.subnets if subnet.gateway or _is_routed(network)
    }
    if network.driven_by_plugin:
        families = set(_gateways(endpoint, network)) if endpoint else set()
    return (-priority, network.internal, -len(families), network.name)


def ways_out(attached: Iterable[Attached]) -> Mapping[int, Attached]:
    """By address family, what leads outside; `attached` in gateway order."""
    found: dict[int, Attached] = {}
    for endpoint, network in attached:
        for family in _gateways(endpoint, network):
            found.setdefault(family, (endpoint, network))
    return found


def default_gateways(attached: Iterable[Attached]) -> Iterator[tuple[Prefix, Address | None, str]]:
    """(destination, gateway, interface), at most one for each address family; gateway None: the link itself
    leads there.
    """
    for family, (endpoint, network) in ways_out(attached).items():
        yield EVERYWHERE[family], _gateways(endpoint, network)[family], endpoint.interface


def _gateways(endpoint: Endpoint, network: Network) -> Mapping[int, Address | None]:
    """By address family, where the endpoint sends what leaves."""
    if network.internal:
        return {}
    if network.driven_by_plugin:
        return {gateway.version: gateway for gateway in endpoint.plugged.gateways} if endpoint.plugged else {}
    found: dict[int, Address | None] = {}
    for subnet in network.subnets:
        family, gateway = subnet.prefix.version, subnet.router or subnet.gateway
        if family not in found and _is_in(endpoint, subnet) and (gateway or _is_routed(network)):
            found[family] = None if _is_routed(network) else gateway
    return found


def _is_routed(network: Network) -> bool:
    return network.lan is not None and network.lan.routed


def _is_in(endpoint: Endpoint, subnet: Subnet) -> bool:
    """Of several subnets of one family, an endpoint is in one."""
    return any(
        address.version == subnet.prefix.version and address.ip in subnet.prefix
        for address in endpoint.addresses
    )
