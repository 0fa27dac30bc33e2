"""What the model says of a packet (`core.firewall.trace`) and what the kernel does with it are the same.

Every place asks every server, on both backends and over both address families, at the server's own address
and at the host's.
"""

from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest

from bridgehead.core.firewall.iptables import IptablesSpelling
from bridgehead.core.firewall.nft import GuardSpelling, NftSpelling
from bridgehead.core.firewall.spelling import Spelling
from bridgehead.core.firewall.trace import Outcome, Packet, Trace, trace
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.network import GatewayMode
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.objects import state
from bridgehead.host.iptables.plane import IptablesPlane
from bridgehead.host.iptables.programs import Programs, Variant
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.nft.plane import FirewallPlane
from tests.host.firewall.asking import HOST, Answer, Question, ask
from tests.host.firewall.matrix import (
    CLOSED,
    KINDS,
    LINKED,
    LOOPBACK,
    OPEN,
    OWNERS,
    PLACES,
    PROTOCOLS,
    SERVERS,
    UPLINK,
    VERSIONS,
    Kind,
    bridge_of,
    built,
    host,
    ports,
    rulebook,
    rules,
)

pytestmark = pytest.mark.host

BOOK = rulebook()
BACKENDS: dict[str, tuple[Spelling, Variant]] = {
    "nftables": (NftSpelling(), Variant.NFT),
    "iptables-nft": (IptablesSpelling(), Variant.NFT),
    "iptables-legacy and the guard": (IptablesSpelling(guard=GuardSpelling()), Variant.LEGACY),
}
# Where a client is does not matter beyond this, unless it is on the server's own network.
ORIGINS = [
    bridge_of(kind)
    for kind in (
        Kind(),
        Kind(source=True),
        Kind(masquerade=False),
        Kind(icc=False),
        Kind(GatewayMode.UNPROTECTED),
        Kind(GatewayMode.ROUTED, masquerade=False),
        Kind(internal=True, reach="direct"),
    )
]
# All that `trace` says, but for the one thing that takes crafted packets: another's loopback address.
REASONS = (
    "is the host's own and not published",
    "is published: it leads to",
    "the host itself may reach everything",
    "neither end is on a network of ours",
    "is internal: nothing leaves it",
    "is internal: nothing enters or leaves it",
    "it leaves our networks",
    "what is published is let in",
    "what is published is let in, also from its own network",
    "is unprotected",
    "is routed and answers pings",
    "open to those who route there",
    "are separate networks",
    "takes nothing else from outside",
    "both are on",
    "a link opens this port",
    "may not talk to each other",
    "would answer past the host",
    "means nothing beyond the host",
    "takes no answer from its own address",
    "goes out under it",
)
Answers = dict[Question, Answer]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("netns")
    with built(folder):
        yield folder


@pytest.fixture(scope="module", params=BACKENDS)
def answers(request: pytest.FixtureRequest, world: Path) -> Iterator[Answers]:
    spelling, variant = BACKENDS[request.param]
    iptables = IptablesPlane(Programs(variant))
    with closing(FirewallPlane(str(world), socket_in)) as nftables:
        wanted = [*rules(spelling, BOOK)]
        for plane in (nftables, iptables):
            own = state(*(item for item in wanted if type(item) in plane.kinds))
            assert plane.apply(diff(plane.observe(), own)) == {}
        yield _asked(world)
        for plane in (nftables, iptables):
            assert plane.apply(diff(plane.observe(), {})) == {}


def _asked(world: Path) -> Answers:
    listening = {name: [OPEN, CLOSED, LINKED] for name in (*SERVERS, "outside")}
    listening |= {f"peer-{bridge}": [LINKED] for bridge, kind in KINDS.items() if not kind.icc}
    listening[HOST] = [port for server in SERVERS for port in ports(server).values()]
    return ask(world, [*questions()], listening, silence_s=0.3)


def questions() -> Iterator[Question]:
    for server, bridge in SERVERS.items():
        near = [f"peer-{leg}" for leg in PLACES[server].legs]
        far = [f"peer-{origin}" for origin in ORIGINS]
        for source in dict.fromkeys((HOST, "outside", "friend", "nomad", "twice", *near, *far, server)):
            for version in VERSIONS:
                yield from _at_its_own_address(source, server, version)
                yield from _at_the_hosts(source, server, bridge, version)
    for version in VERSIONS:
        yield Question("friend", PLACES["outside"].address(version), OPEN)
    for bridge, version in product(KINDS, VERSIONS):
        outside = PLACES["outside"].address(version)
        for protocol, port in (("icmp", 0), *product(PROTOCOLS, (OPEN,))):
            yield Question(f"peer-{bridge}", outside, port, protocol)
        yield Question(HOST, outside, OPEN, own=host(bridge, version))
        if not KINDS[bridge].icc:
            yield Question(f"server-{bridge}", PLACES[f"peer-{bridge}"].address(version), LINKED)


def _at_its_own_address(source: str, server: str, version: int) -> Iterator[Question]:
    asked = (("icmp", 0), *product(PROTOCOLS, (OPEN, CLOSED, LINKED)))
    for protocol, port in asked if source != server else ():
        yield Question(source, PLACES[server].address(version), port, protocol)


def _at_the_hosts(source: str, server: str, bridge: str, version: int) -> Iterator[Question]:
    own = PLACES[source].bridge if source else bridge
    legs = PLACES[server].legs if source in {HOST, server} else ()
    for at in dict.fromkeys((UPLINK, own, *legs)):
        for port in ports(server).values():
            yield Question(source, host(at, version), port)
        yield Question(source, host(at, version), ports(server)["everywhere"], "tcp")
    if source == HOST:
        yield Question(source, LOOPBACK[version], ports(server)["everywhere"])
        yield Question(source, LOOPBACK[version], ports(server)["loopback"])


def told(question: Question, own: Address) -> Trace:
    arrives = OWNERS[own][1] if question.source else ""
    return trace(BOOK, Packet(question.protocol, own, question.destination, question.port, arrives))


def expected(question: Question, own: Address) -> Answer:
    found = told(question, own)
    if found.outcome is Outcome.DROPPED:
        return Answer(own)
    if found.outcome is Outcome.HOST:
        return Answer(own, HOST, own)
    place, bridge = OWNERS[found.packet.destination]
    seen = _hidden(own, bridge) if found.masqueraded else found.packet.source
    return Answer(own, place, seen)


def _hidden(own: Address, bridge: str) -> Address:
    """What stands for the client's own address on this bridge."""
    families = (network.family(own.version) for network in BOOK.networks)
    source = next((family.source for family in families if family and own in family.prefix), None)
    return source if source is not None and bridge not in KINDS else host(bridge, own.version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_kernel_does_what_the_model_says(answers: Answers, version: int) -> None:
    wrong = [
        _difference(question, kernel)
        for question, kernel in answers.items()
        if question.destination.version == version and expected(question, kernel.own) != kernel
    ]

    assert wrong == []


def _difference(question: Question, kernel: Answer) -> str:
    model, found = expected(question, kernel.own), told(question, kernel.own)
    kind = KINDS.get(OWNERS.get(found.packet.destination, ("", ""))[1])
    return f"{question} in {kind}: model {model}, kernel {kernel}; {found.steps}"


def test_everything_that_the_model_can_say_was_asked(answers: Answers) -> None:
    """Or the comparison would prove less than it seems to."""
    found = [told(question, answer.own) for question, answer in answers.items()]

    steps = " / ".join({step for item in found for step in item.steps})
    assert {item.outcome for item in found} == set(Outcome)
    assert [reason for reason in REASONS if reason not in steps] == []
