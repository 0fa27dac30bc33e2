"""Which endpoint brings a sandbox's published ports in, and what that means on the machine.

Ports belong to the sandbox. They come in where the sandbox's traffic goes out, for each address family by
itself, so they move when the way out does; a routed network opens them at the container's own address anyway.
Source: behaviour.md 2.8 and 2.9.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bridgehead.core.facts import HostFacts
from bridgehead.core.gateway import Attached, gateway_order, ways_out
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.network import Endpoint, GatewayMode, Network, PortBinding, Sandbox
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.objects import KernelObject, PortHold
from bridgehead.core.ports import Relays


def carriers(attached: Sequence[Attached]) -> Mapping[int, Attached]:
    """By address family, the endpoint through which published ports come in; `attached` in gateway order.

    Where a plugin's endpoint leads outside, it is the plugin that brings them in.
    """
    found: dict[int, Attached] = {}
    taken = {family for family, (_, network) in ways_out(attached).items() if network.driven_by_plugin}
    for endpoint, network in attached:
        if network.bridge is not None and not network.internal:
            for address in endpoint.addresses:
                if address.version not in taken:
                    found.setdefault(address.version, (endpoint, network))
    return found


def mode(network: Network, version: int) -> GatewayMode:
    if network.bridge is None:
        return GatewayMode.NAT
    return network.bridge.mode4 if version == 4 else network.bridge.mode6


def published_objects(
    sandbox: Sandbox, attached: Sequence[Attached], facts: HostFacts
) -> Iterator[KernelObject]:
    """The firewall's part."""
    chosen = carriers(attached)
    for endpoint, network in attached:
        ports = [
            port
            for port in sandbox.ports
            if chosen.get(port.host.version) == (endpoint, network)
            or (not network.internal and mode(network, port.host.version) is GatewayMode.ROUTED)
        ]
        also = [other for _, other in attached if other.id != network.id and other.bridge is not None]
        yield from facts.driver(network.driver).published_objects(network, endpoint, ports, also)


def port_holds(sandbox: Sandbox, attached: Sequence[Attached], facts: HostFacts) -> Iterator[PortHold]:
    """The ports of the host that must be kept; none for a routed network, which uses no port of the host."""
    chosen = carriers(attached)
    for port in sandbox.ports:
        own = chosen.get(port.host.version)
        if own is not None and mode(own[1], port.host.version) is GatewayMode.ROUTED:
            continue
        carrier = own or next(iter(chosen.values()), None)
        if carrier is None or (own is None and facts.relays is Relays.NONE):
            continue
        by_hand = own is None or _only_by_hand(port, facts.relays)
        target = _address(carrier[0], port.host.version)
        relay = (target, port.container_port) if by_hand else None
        yield PortHold(port.protocol, port.host, port.host_port, relay)


def _only_by_hand(port: PortBinding, relays: Relays) -> bool:
    """The kernel routes nothing from ::1 to a bridge, so rules cannot lead the host's own connections in."""
    from_loopback = port.host.version == 6 and (port.host.is_unspecified or port.host.is_loopback)
    return relays is Relays.ALL or (from_loopback and relays is not Relays.NONE)


def _address(endpoint: Endpoint, version: int) -> Address:
    """Of this family if it has one, else of the other."""
    return min((item.ip for item in endpoint.addresses), key=lambda address: address.version != version)


def in_force(
    snapshot: Snapshot, sandbox: Sandbox, endpoints: Iterable[Endpoint], *, by_hand: bool
) -> tuple[PortBinding, ...]:
    """The sandbox's ports as they can be reached now: one of a routed network has no port of the host (0).

    `by_hand`: whether one family is carried over to the other.
    """
    chosen = carriers(gateway_order(snapshot, endpoints))
    reached = [port for port in sandbox.ports if port.host.version in chosen or (chosen and by_hand)]
    return tuple(_shown(port, chosen) for port in reached)


def _shown(port: PortBinding, chosen: Mapping[int, Attached]) -> PortBinding:
    carrier = chosen.get(port.host.version)
    if carrier is None or mode(carrier[1], port.host.version) is not GatewayMode.ROUTED:
        return port
    return PortBinding(port.protocol, port.container_port, port.host, 0)
