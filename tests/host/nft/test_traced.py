"""What the model says of a packet (`core.firewall.trace`) and what the kernel does with it are the same."""

from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from bridgehead.core.firewall.trace import Outcome, Packet, Rulebook, Trace, trace
from tests.host.nft.world import (
    BRIDGES,
    CLOSED,
    LINKED,
    ON_LOOPBACK,
    ON_UPLINK,
    PLACES,
    PORT,
    PUBLISHED,
    SECOND_LEG,
    VERSIONS,
    World,
    address,
    furnished,
    links,
    policies,
    published,
)

pytestmark = pytest.mark.host

HOSTS = [address(bridge, version) for bridge in BRIDGES for version in VERSIONS]
# The driver publishes nothing on internal networks; should it be asked to, the spelling does not either.
PORTS = [item for item in published() if not item.network.internal]
BOOK = Rulebook(policies(), PORTS, list(links()), frozenset(map(ip_address, HOSTS)))
SOURCES = ["", *PLACES]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with furnished(tmp_path_factory.mktemp("netns"), bridged=True, silence_s=0.03) as made:
        yield made


def sent(source: str, destination: str, port: int, protocol: str, version: int) -> Packet:
    """As the sender's own routing makes it."""
    bridge = PLACES[source][0] if source else ""
    if source == "multi" and destination == address("loose", version):
        bridge, own = "br-loose", SECOND_LEG[version]
    elif source:
        own = address(source, version)
    else:
        # The host takes the address it sends to, or the one it has on the way there.
        place = next((name for name in PLACES if address(name, version) == destination), "")
        own = address(PLACES[place][0], version) if place else destination
    return Packet(protocol, ip_address(own), ip_address(destination), port, bridge)


def seen_by_the_model(packet: Packet, target: str, version: int) -> str | None:
    """The address that the target sees; None if nothing reaches it."""
    found: Trace = trace(BOOK, packet)
    reached = found.outcome in {Outcome.FORWARDED, Outcome.NOT_OURS}
    if not reached or str(found.packet.destination) != address(target, version):
        return None
    if not found.masqueraded:
        return str(found.packet.source)
    network = next((item for item in BOOK.networks if item.bridge == packet.arrives), None)
    family = network.family(version) if network else None
    if family and family.source and PLACES[target][0] != packet.arrives:
        return str(family.source)
    return address(PLACES[target][0], version)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("protocol", "version"), [("udp", 4), ("tcp", 6)])
def test_at_containers_own_addresses(world: World, source: str, protocol: str, version: int) -> None:
    wrong = []
    for target in PLACES:
        ports = (PORT, CLOSED, LINKED) if "apart" in source + target else (PORT, CLOSED)
        for port in ports if target != source else ():
            destination = address(target, version)
            model = seen_by_the_model(sent(source, destination, port, protocol, version), target, version)

            seen = world.seen(source, target, destination, port, protocol=protocol, version=version)

            if seen != model:
                wrong.append(f"{source} to {target}:{port}: model {model}, kernel {seen}")
    assert wrong == []


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("protocol", "version"), [("tcp", 4), ("udp", 6)])
def test_at_the_hosts_addresses(world: World, source: str, protocol: str, version: int) -> None:
    own = PLACES[source][0] if source else "br-foreign"
    wrong = []
    for bridge in {"br-uplink", "br-pub", own}:
        for port in (*PUBLISHED, ON_LOOPBACK, ON_UPLINK):
            target = PUBLISHED.get(port, "pub1")
            destination = address(bridge, version)
            model = seen_by_the_model(sent(source, destination, port, protocol, version), target, version)

            seen = world.seen(source, target, destination, port, protocol=protocol, version=version)

            if seen != model:
                wrong.append(f"{source} to {bridge}:{port} ({target}): model {model}, kernel {seen}")
    assert wrong == []
