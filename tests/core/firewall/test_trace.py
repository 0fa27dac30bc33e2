from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from bridgehead.core.firewall.rules import FamilyPolicy, LinkAccept, NetworkPolicy, Published
from bridgehead.core.firewall.trace import Outcome, Packet, Rulebook, trace
from bridgehead.core.model.network import GatewayMode

ONE = NetworkPolicy("br-one", (FamilyPolicy(ip_network("10.1.0.0/24")),))
TWO = NetworkPolicy("br-two", (FamilyPolicy(ip_network("10.2.0.0/24")),))
WEB, PEER, OTHER = ip_address("10.1.0.2"), ip_address("10.1.0.3"), ip_address("10.2.0.2")
HOST, OUTSIDE, LOOPBACK = ip_address("192.0.2.1"), ip_address("203.0.113.9"), ip_address("127.0.0.1")
ANYWHERE = ip_address("0.0.0.0")
WEB_PORT = Published(ONE, "tcp", ANYWHERE, 8080, WEB, 80)
LEGS_PORT = replace(WEB_PORT, host_port=8081, also=(TWO,))
GATEWAY = ip_address("10.2.0.1")  # the host on TWO
BOOK = Rulebook((ONE, TWO), (WEB_PORT, LEGS_PORT), (), frozenset({HOST, GATEWAY}))

FROM_OUTSIDE = Packet("tcp", OUTSIDE, HOST, 8080, "eth0")
FROM_PEER = Packet("tcp", PEER, WEB, 80, "br-one")
FROM_OTHER = Packet("tcp", OTHER, WEB, 80, "br-two")


@pytest.mark.parametrize(
    ("packet", "outcome", "reason"),
    [
        (FROM_OUTSIDE, Outcome.FORWARDED, "let in"),
        (replace(FROM_OUTSIDE, port=81), Outcome.HOST, "not published"),
        (replace(FROM_OUTSIDE, protocol="udp"), Outcome.HOST, "not published"),
        (replace(FROM_OUTSIDE, destination=WEB, port=80), Outcome.DROPPED, "not published"),
        (replace(FROM_OUTSIDE, destination=LOOPBACK), Outcome.DROPPED, "loopback"),
        (replace(FROM_OUTSIDE, destination=ip_address("198.18.0.1")), Outcome.NOT_OURS, "neither"),
        (Packet("tcp", HOST, HOST, 8080), Outcome.FORWARDED, "host itself"),
        (Packet("tcp", HOST, WEB, 81), Outcome.FORWARDED, "host itself"),
        (FROM_PEER, Outcome.FORWARDED, "both are on br-one"),
        (FROM_OTHER, Outcome.DROPPED, "separate networks"),
        (replace(FROM_OTHER, destination=HOST, port=8080), Outcome.FORWARDED, "let in"),
        (replace(FROM_PEER, destination=HOST, port=8080), Outcome.FORWARDED, "both are on br-one"),
        (replace(FROM_PEER, destination=OUTSIDE), Outcome.FORWARDED, "leaves our networks"),
        (replace(FROM_PEER, destination=HOST, port=22), Outcome.HOST, "not published"),
    ],
)
def test_each_packet_meets_what_the_model_says(packet: Packet, outcome: Outcome, reason: str) -> None:
    found = trace(BOOK, packet)

    assert outcome is found.outcome
    assert reason in " / ".join(found.steps)


def test_a_published_port_leads_to_its_container() -> None:
    found = trace(BOOK, FROM_OUTSIDE)

    assert (found.packet.destination, found.packet.port, found.packet.source) == (WEB, 80, OUTSIDE)
    assert not found.masqueraded


def test_a_binding_to_one_address_goes_before_one_to_all() -> None:
    exact = Published(TWO, "tcp", HOST, 8080, OTHER, 80)

    found = trace(replace(BOOK, published=(WEB_PORT, exact)), FROM_OUTSIDE)

    assert found.packet.destination == OTHER


def test_a_port_published_on_loopback_is_the_hosts_alone() -> None:
    book = replace(BOOK, published=(replace(WEB_PORT, host=LOOPBACK),))

    inside = trace(book, Packet("tcp", LOOPBACK, LOOPBACK, 8080))

    assert (inside.outcome, inside.masqueraded) == (Outcome.FORWARDED, True)
    assert Outcome.DROPPED is trace(book, replace(FROM_OUTSIDE, destination=LOOPBACK)).outcome
    assert Outcome.HOST is trace(book, FROM_OUTSIDE).outcome


@pytest.mark.parametrize(
    ("packet", "masqueraded"),
    [
        (replace(FROM_PEER, destination=OUTSIDE), True),
        (replace(FROM_PEER, destination=OUTSIDE, source=ip_address("172.30.0.1")), False),
        (FROM_PEER, False),
        (replace(FROM_PEER, destination=HOST, port=8080), False),
        (replace(FROM_PEER, source=WEB, destination=HOST, port=8080), True),
        (Packet("tcp", LOOPBACK, LOOPBACK, 8080), True),
        (Packet("tcp", HOST, HOST, 8080), False),
        (replace(FROM_OTHER, destination=HOST, port=8080), False),
        (replace(FROM_OTHER, destination=HOST, port=8081), True),
        (replace(FROM_PEER, destination=HOST, port=8081), False),
        (replace(FROM_OUTSIDE, port=8081), False),
        (Packet("tcp", GATEWAY, GATEWAY, 8081), True),
        (Packet("tcp", GATEWAY, GATEWAY, 8080), False),
        (Packet("tcp", GATEWAY, OUTSIDE, 80), True),
    ],
    ids=[
        "out",
        "not its own",
        "inside",
        "hairpin",
        "to itself",
        "from loopback",
        "from the host",
        "from another network",
        "where the server has a leg too",
        "from the network of a server with another leg",
        "from outside to a server with another leg",
        "from the host where the server has a leg too",
        "from the host on another network",
        "out from the host by a network's address",
    ],
)
def test_a_source_is_hidden_only_where_it_must_be(packet: Packet, masqueraded: bool) -> None:
    found = trace(BOOK, packet)

    assert masqueraded is found.masqueraded
    assert masqueraded is ("source becomes the host's address" in found.steps[-1])


@pytest.mark.parametrize(
    ("network", "packet", "outcome"),
    [
        (replace(ONE, internal=True), replace(FROM_PEER, destination=OUTSIDE), Outcome.DROPPED),
        (replace(ONE, internal=True), FROM_OUTSIDE, Outcome.DROPPED),
        (replace(ONE, internal=True), FROM_PEER, Outcome.FORWARDED),
        (replace(ONE, icc=False), FROM_PEER, Outcome.DROPPED),
        (replace(ONE, icc=False), replace(FROM_PEER, destination=HOST, port=8080), Outcome.FORWARDED),
        (
            replace(ONE, direct_routing=True),
            replace(FROM_OUTSIDE, destination=WEB, port=80),
            Outcome.FORWARDED,
        ),
        (
            replace(ONE, direct_routing=True),
            replace(FROM_OUTSIDE, destination=WEB, port=81),
            Outcome.DROPPED,
        ),
        (replace(ONE, trusted=("eth0",)), replace(FROM_OUTSIDE, destination=WEB, port=80), Outcome.FORWARDED),
        (replace(ONE, trusted=("eth1",)), replace(FROM_OUTSIDE, destination=WEB, port=80), Outcome.DROPPED),
    ],
)
def test_a_networks_own_words_decide(network: NetworkPolicy, packet: Packet, outcome: Outcome) -> None:
    book = replace(BOOK, networks=(network, TWO), published=(replace(WEB_PORT, network=network),))

    assert outcome is trace(book, packet).outcome


@pytest.mark.parametrize(
    ("mode", "protocol", "port", "outcome"),
    [
        (GatewayMode.NAT, "tcp", 80, Outcome.DROPPED),
        (GatewayMode.UNPROTECTED, "tcp", 81, Outcome.FORWARDED),
        (GatewayMode.ROUTED, "tcp", 80, Outcome.FORWARDED),
        (GatewayMode.ROUTED, "tcp", 81, Outcome.DROPPED),
        (GatewayMode.ROUTED, "icmp", 0, Outcome.FORWARDED),
        (GatewayMode.NAT, "icmp", 0, Outcome.DROPPED),
    ],
)
def test_gateway_modes_differ_in_what_routing_reaches(
    mode: GatewayMode, protocol: str, port: int, outcome: Outcome
) -> None:
    network = replace(ONE, families=(FamilyPolicy(ip_network("10.1.0.0/24"), mode),))
    open_port = replace(WEB_PORT, network=network, host_port=0)

    found = trace(
        replace(BOOK, networks=(network, TWO), published=(open_port,)),
        Packet(protocol, OUTSIDE, WEB, port, "eth0"),
    )

    assert outcome is found.outcome


def test_a_link_opens_one_port_one_way() -> None:
    network = replace(ONE, icc=False)
    book = replace(BOOK, networks=(network,), links=(LinkAccept(network, PEER, WEB, "tcp", 80),))

    assert Outcome.FORWARDED is trace(book, FROM_PEER).outcome
    assert Outcome.DROPPED is trace(book, replace(FROM_PEER, port=81)).outcome
    assert Outcome.DROPPED is trace(book, replace(FROM_PEER, source=WEB, destination=PEER)).outcome
