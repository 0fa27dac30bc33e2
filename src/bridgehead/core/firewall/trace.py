"""What happens to this packet? Answered from the model alone, in the order in which the kernel asks.

Both spellings must agree with this: tests send real packets through either and compare. It judges a packet
that begins a conversation; whatever belongs to one that was let through is let through as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bridgehead.core.firewall.rules import LinkAccept, NetworkPolicy, Published
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.network import GatewayMode


class Outcome(StrEnum):
    FORWARDED = "forwarded"  # to `destination` through the bridge or uplink it leads to
    HOST = "host"  # delivered to the host itself, where only its own firewall filters
    DROPPED = "dropped"
    NOT_OURS = "not ours"  # neither end is on a bridge of ours: we have no say


@dataclass(frozen=True, slots=True)
class Packet:
    """`arrives`: the interface it comes in by; '' if the host itself sends it. `port` is 0 for icmp."""

    protocol: str  # tcp | udp | sctp | icmp
    source: Address
    destination: Address
    port: int = 0
    arrives: str = ""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that was asked of the firewall, and the addresses that are the host's own."""

    networks: Sequence[NetworkPolicy] = ()
    published: Sequence[Published] = ()
    links: Sequence[LinkAccept] = ()
    host_addresses: frozenset[Address] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Trace:
    """`packet` is as it leaves, translated; `masqueraded`: its source becomes the host's address.

    `steps` are sentences for people, in order; the last one says why it ended so.
    """

    outcome: Outcome
    packet: Packet
    steps: tuple[str, ...]
    masqueraded: bool = False


def trace(book: Rulebook, packet: Packet) -> Trace:
    origin = _on_bridge(book, packet.arrives)
    if packet.destination.is_loopback and packet.arrives:
        return _end(Outcome.DROPPED, packet, "nobody but the host itself reaches its loopback addresses")
    if not packet.destination.is_loopback and packet.destination not in book.host_addresses:
        return _forward(book, packet, origin, None, ())
    found = _translation(book, packet)
    if found is None:
        return _end(Outcome.HOST, packet, f"{_target(packet)} is the host's own and not published")
    moved = replace(packet, destination=found.container, port=found.container_port)
    step = f"port {packet.port}/{packet.protocol} of the host is published: it leads to {_target(moved)}"
    return _forward(book, moved, origin, found, (step,))


def _translation(book: Rulebook, packet: Packet) -> Published | None:
    """The binding to this very address goes before one to every address. ::1 is carried over by hand."""
    if packet.destination.version == 6 and packet.destination.is_loopback:
        return None
    fitting = [
        item
        for item in book.published
        if (item.protocol, item.host_port) == (packet.protocol, packet.port)
        and item.host_port
        and (item.host == packet.destination or _everywhere(item.host, packet.destination))
    ]
    return min(fitting, key=lambda item: item.host.is_unspecified, default=None)


def _everywhere(host: Address, destination: Address) -> bool:
    return host.is_unspecified and host.version == destination.version


def _forward(
    book: Rulebook,
    packet: Packet,
    origin: NetworkPolicy | None,
    translated: Published | None,
    steps: tuple[str, ...],
) -> Trace:
    target = _leading_to(book, packet.destination)
    if not packet.arrives:
        reason = "the host itself may reach everything"
    elif origin is None and target is None:
        return _end(Outcome.NOT_OURS, packet, "neither end is on a network of ours", steps)
    elif target is not None:
        allowed, reason = _entry(book, packet, origin, target, translated)
        if not allowed:
            return _end(Outcome.DROPPED, packet, reason, steps)
    elif origin is not None and origin.internal:
        return _end(Outcome.DROPPED, packet, f"{origin.bridge} is internal: nothing leaves it", steps)
    else:
        reason = "it leaves our networks"
    hidden = _hides_source(book, packet, target, translated)
    last = (f"its source becomes the host's address: {hidden}",) if hidden else ()
    return Trace(Outcome.FORWARDED, packet, (*steps, reason, *last), bool(hidden))


def _entry(
    book: Rulebook,
    packet: Packet,
    origin: NetworkPolicy | None,
    target: NetworkPolicy,
    translated: Published | None,
) -> tuple[bool, str]:
    """Whether it may go out by the bridge of `target`, and why."""
    if origin is target:
        return _within(book, packet, target, translated)
    if target.internal or (origin is not None and origin.internal):
        inner = target if target.internal or origin is None else origin
        return False, f"{inner.bridge} is internal: nothing enters or leaves it"
    if translated is not None:
        return True, "what is published is let in"
    family = target.family(packet.destination.version)
    mode = family.mode if family else GatewayMode.NAT
    if mode is GatewayMode.UNPROTECTED:
        return True, f"{target.bridge} is unprotected: whoever has a route may enter"
    if mode is GatewayMode.ROUTED and packet.protocol == "icmp":
        return True, f"{target.bridge} is routed and answers pings"
    direct = mode is GatewayMode.ROUTED or target.direct_routing or packet.arrives in target.trusted
    if direct and any(_opens(item, packet) for item in book.published):
        return True, "the container's own port is open to those who route there"
    if origin is not None:
        return False, f"{origin.bridge} and {target.bridge} are separate networks"
    return False, f"{_target(packet)} is not published, and {target.bridge} takes nothing else from outside"


def _within(
    book: Rulebook, packet: Packet, network: NetworkPolicy, translated: Published | None
) -> tuple[bool, str]:
    if network.icc:
        return True, f"both are on {network.bridge}"
    if translated is not None:
        return True, "what is published is let in, also from its own network"
    if any(_links(link, packet) for link in book.links):
        return True, "a link opens this port"
    return (
        False,
        f"containers on {network.bridge} may not talk to each other (icc=false), and no link says so",
    )


def _links(link: LinkAccept, packet: Packet) -> bool:
    ends = link.recipient, link.source
    return ends == (packet.source, packet.destination) and (link.protocol, link.port) == (
        packet.protocol,
        packet.port,
    )


def _opens(item: Published, packet: Packet) -> bool:
    return (item.container, item.protocol, item.container_port) == (
        packet.destination,
        packet.protocol,
        packet.port,
    )


def _hides_source(
    book: Rulebook, packet: Packet, target: NetworkPolicy | None, translated: Published | None
) -> str:
    """Why its source becomes the host's address; '' if it stays. The source tells, not the bridge."""
    if translated is not None and any(packet.source in prefix for prefix in translated.shortcuts):
        return "the container has a leg in its network too, and would answer past the host"
    if target is not None:
        if packet.source.is_loopback:
            return f"{packet.source} means nothing beyond the host"
        itself = packet.source == packet.destination
        return "a container takes no answer from its own address" if itself else ""
    home = _leading_to(book, packet.source)
    family = home.family(packet.source.version) if home and not home.internal else None
    return f"{home.bridge} goes out under it" if home and family and family.masquerade else ""


def _on_bridge(book: Rulebook, interface: str) -> NetworkPolicy | None:
    return next((item for item in book.networks if item.bridge == interface), None)


def _leading_to(book: Rulebook, address: Address) -> NetworkPolicy | None:
    for network in book.networks:
        family = network.family(address.version)
        if family is not None and address in family.prefix:
            return network
    return None


def _end(outcome: Outcome, packet: Packet, reason: str, steps: tuple[str, ...] = ()) -> Trace:
    return Trace(outcome, packet, (*steps, reason))


def _target(packet: Packet) -> str:
    return f"{packet.destination}:{packet.port}/{packet.protocol}" if packet.port else str(packet.destination)
