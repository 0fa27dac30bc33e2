"""Connections that are tracked, and are not any more; /proc is the witness that shares no code with us.

Everything happens on one loopback: clients, the host's addresses, the containers' and a stranger's beyond.
"""

import contextlib
import ipaddress
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridgehead.core.firewall.flows import Flow
from bridgehead.host.conntrack.cutting import Scissors
from tests.host.space import own_space

pytestmark = pytest.mark.host

CLIENT, HOST, SECOND, CONTAINER, OTHER, BEYOND = (
    *("198.51.100.7", "192.0.2.1", "192.0.2.2", "172.17.0.2", "172.17.0.3"),
    "203.0.113.8",  # not of this host: what goes there passes through
)
CLIENT6, HOST6, CONTAINER6, OTHER6 = "2001:db8:1::7", "2001:db8::1", "fd00::2", "fd00::3"
PUBLISHED = f"""
table inet published {{
    map to {{ type ipv4_addr . inet_service : ipv4_addr
        elements = {{ {HOST} . 53 : {CONTAINER}, {HOST} . 54 : {OTHER}, {SECOND} . 53 : {CONTAINER} }} }}
    map to6 {{ type ipv6_addr . inet_service : ipv6_addr
        elements = {{ {HOST6} . 53 : {CONTAINER6}, {HOST6} . 54 : {OTHER6} }} }}
    chain output {{
        type nat hook output priority -100
        dnat ip to ip daddr . th dport map @to
        dnat ip6 to ip6 daddr . th dport map @to6
    }}
}}
"""


@pytest.fixture
def scissors() -> Iterator[Scissors]:
    with own_space():
        for address in (CLIENT, HOST, SECOND, CONTAINER, OTHER):
            subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
        for address in (CLIENT6, HOST6, CONTAINER6, OTHER6):
            subprocess.run(["ip", "address", "add", f"{address}/128", "dev", "lo", "nodad"], check=True)
        subprocess.run(["ip", "route", "add", BEYOND, "dev", "lo"], check=True)
        subprocess.run(["nft", "-f", "-"], input=PUBLISHED, text=True, check=True)
        made = Scissors()
        yield made
        made.close()


def send(source: str, destination: str, port: int, protocol: str = "udp") -> None:
    """Nobody needs to answer: a connection is tracked from its first packet on."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(family, kind) as client:
        client.bind((source, 0))
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            client.connect((destination, port))
        if protocol == "udp":
            client.send(b"x")


def listen(address: str, port: int) -> socket.socket:
    """A refused connection is forgotten by itself."""
    server = socket.socket()
    server.bind((address, port))
    server.listen()
    return server


def tracked() -> set[tuple[str, str, int]]:
    """(protocol, destination, port) of the original direction of each."""
    found = set()
    for line in Path("/proc/thread-self/net/nf_conntrack").read_text().splitlines():
        words = line.split()
        fields = dict(reversed([word.split("=", 1) for word in words if "=" in word]))
        if words[2] in {"tcp", "udp"}:
            found.add((words[2], str(ipaddress.ip_address(fields["dst"])), int(fields["dport"])))
    return found


def flow(protocol: str, address: str, port: int) -> Flow:
    return Flow(protocol, ipaddress.ip_address(address), port)


def test_only_what_was_begun_to_the_port_is_cut(scissors: Scissors) -> None:
    with listen(CONTAINER, 53):
        send(CLIENT, HOST, 53, "tcp")
    send(CLIENT, HOST, 53)
    send(CLIENT, HOST, 54)
    send(CLIENT, SECOND, 53)
    rest = tracked() - {("udp", HOST, 53)}
    assert len(rest) == 3

    count = scissors.cut([flow("udp", HOST, 53)])

    assert count == 1
    assert tracked() == rest


def test_every_address_means_every_one_of_this_host(scissors: Scissors) -> None:
    send(CLIENT, HOST, 53)
    send(CLIENT, "127.0.0.1", 53)
    send(CLIENT, BEYOND, 53)

    count = scissors.cut([flow("udp", "0.0.0.0", 53)])

    assert count == 2
    assert tracked() == {("udp", BEYOND, 53)}


def test_both_families_are_cut_and_neither_by_the_other(scissors: Scissors) -> None:
    send(CLIENT, HOST, 53)
    send(CLIENT6, HOST6, 53)

    assert scissors.cut([flow("udp", "::", 53)]) == 1
    assert tracked() == {("udp", HOST, 53)}
    assert scissors.cut([flow("udp", "0.0.0.0", 53), flow("udp", "::", 53)]) == 1
    assert tracked() == set()


def test_many_ports_are_cut_at_once(scissors: Scissors) -> None:
    for port in range(999, 1100):
        send(CLIENT, HOST, port)

    count = scissors.cut([flow("udp", HOST, port) for port in range(1000, 1100)])

    assert count == 100
    assert tracked() == {("udp", HOST, 999)}


def test_nothing_to_cut_is_no_error(scissors: Scissors) -> None:
    assert scissors.cut([]) == 0
    assert scissors.cut([flow("udp", "0.0.0.0", 53), flow("sctp", "::", 53)]) == 0


def test_a_udp_client_that_never_pauses_reaches_the_next_container(scissors: Scissors) -> None:
    """The whole story with real packets: the rule moves, and so does the flow once it is cut."""
    old, new, client = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3))
    with old, new, client:
        old.bind((CONTAINER, 53))
        new.bind((OTHER, 53))
        for end in (old, new, client):
            end.settimeout(5)
        client.sendto(b"first", (HOST, 53))
        assert old.recv(100) == b"first"
        elements = f"{{ {HOST} . 53 }}", f"{{ {HOST} . 53 : {OTHER} }}"
        move = "delete element inet published to {}; add element inet published to {}".format(*elements)
        subprocess.run(["nft", move], check=True)
        client.sendto(b"second", (HOST, 53))
        assert old.recv(100) == b"second"  # this is the complaint

        scissors.cut([flow("udp", HOST, 53)])

        client.sendto(b"third", (HOST, 53))
        assert new.recv(100) == b"third"
