"""What to say to one question asked in one sandbox: the rules of names, without a socket.

Unlike Docker we do not stop at the first network that knows a name: who is on two networks with the asker
is answered with the addresses on both.
"""

from dataclasses import dataclass

from bridgehead.core.dns.message import INTERNET, Code, Question, Record, Type
from bridgehead.core.dns.zone import REVERSE, Zone, fold, reverse_address
from bridgehead.core.plan.names import ResolverView, Upstream

LISTEN_ADDRESS = "127.0.0.11"
MOST_UPSTREAMS = 3

_NO_ADDRESSES: tuple[bytes, ...] = ()
_FAMILIES = {4: Type.A, 16: Type.AAAA}


@dataclass(frozen=True, slots=True)
class Answer:
    """From our own names; no records: the name exists, but not with this type."""

    records: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Forward:
    upstreams: tuple[Upstream, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    code: int


Decision = Answer | Forward | Refuse


def resolve(zone: Zone, view: ResolverView, question: Question) -> Decision:
    if question.cls != INTERNET:
        return _elsewhere(view, question)
    if pointer := _pointer(zone, view, question.name):
        asked = question.type in {Type.PTR, Type.ANY}
        return Answer((Record(Type.PTR, pointer),) if asked else ())
    addresses = _known(zone, view, question.name)
    if addresses is not None:
        return Answer(_records(addresses, question.type))
    if (owner := _owner_of_service(question.name)) and _known(zone, view, owner) is not None:
        return Answer()  # we know whom it is about, and no service of theirs has a name
    return _elsewhere(view, question)


def _pointer(zone: Zone, view: ResolverView, name: str) -> bytes | None:
    if not name.endswith(REVERSE) or (address := reverse_address(name)) is None:
        return None
    found = (zone.pointer(network, address) for network in view.networks)
    return next(filter(None, found), None)


def _owner_of_service(name: str) -> str:
    """`web` of `_http._tcp.web`, as SRV is asked; '' of any other name."""
    service, _, rest = name.partition(".")
    protocol, _, owner = rest.partition(".")
    return owner if service.startswith("_") and protocol.startswith("_") else ""


def _known(zone: Zone, view: ResolverView, name: str) -> tuple[bytes, ...] | None:
    """Addresses over all networks, each once, in the view's order; None: nobody is called that."""
    found = [
        addresses
        for network in view.networks
        if (addresses := _known_on(zone, view, network, name)) is not None
    ]
    return tuple(dict.fromkeys(sum(found, _NO_ADDRESSES))) if found else None


def _known_on(zone: Zone, view: ResolverView, network: str, name: str) -> tuple[bytes, ...] | None:
    targets = _link_targets(zone, view, network, name)
    if not targets:
        return zone.addresses(network, name)
    # A link hides whoever else bears its alias, even while its own target is not there yet.
    found = [found for target in targets if (found := zone.addresses(network, target)) is not None]
    return sum(found, _NO_ADDRESSES) if found else None


def _link_targets(zone: Zone, view: ResolverView, network: str, name: str) -> list[str]:
    return [
        fold(target)
        for linked_network, alias, target in view.links
        if linked_network == network and name in _spellings(zone, network, fold(alias))
    ]


def _spellings(zone: Zone, network: str, alias: str) -> tuple[str, ...]:
    network_name = zone.network_name(network)
    return (alias, f"{alias}.{network_name}") if network_name else (alias,)


def _records(addresses: tuple[bytes, ...], wanted: int) -> tuple[Record, ...]:
    records = (Record(_FAMILIES[len(address)], address) for address in addresses)
    return tuple(record for record in records if wanted in {record.type, Type.ANY})


def _elsewhere(view: ResolverView, question: Question) -> Decision:
    if view.ndots_set and question.type in {Type.A, Type.AAAA} and "." not in question.name:
        return Answer()
    upstreams = tuple(upstream for upstream in view.upstreams if not _is_ourselves(upstream))
    if upstreams:
        return Forward(upstreams[:MOST_UPSTREAMS])
    # musl waits out its whole timeout on SERVFAIL; for a reverse query, where callers fall back to the
    # number anyway, "no such name" is both quick and true as far as this sandbox can see.
    return Refuse(Code.NXDOMAIN if question.type == Type.PTR else Code.SERVFAIL)


def _is_ourselves(upstream: Upstream) -> bool:
    """Seen from the host, 127.0.0.11 is another daemon's resolver (Docker in Docker) and no loop."""
    return upstream.from_sandbox and upstream.address == LISTEN_ADDRESS
