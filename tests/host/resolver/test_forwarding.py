"""Questions about the world outside, with worlds in which much goes wrong."""

import socket
import time
from contextlib import ExitStack
from dataclasses import replace

import dns.message
import dns.rcode
import pytest

from bridgehead.core.plan.diff import Create, Update
from bridgehead.core.plan.names import ResolverView, Upstream
from bridgehead.host.resolver.forwarder import LIMIT_S, MOST_OUTSTANDING, PATIENCE_S
from bridgehead.host.resolver.plane import ResolverPlane
from tests.host.resolver.asking import (
    Behaviour,
    addresses,
    ask,
    client,
    exchange,
    exchange_tcp,
    knows,
    name_server,
    question,
    refuses,
    silent,
)

pytestmark = pytest.mark.host

# All of 127/8 is local everywhere, in the resolver's own namespace as in the sandbox.
ONE, TWO, THREE = "127.0.1.1", "127.0.1.2", "127.0.1.3"


def outside(plane: ResolverPlane, view: ResolverView, *servers: str, from_sandbox: bool = False) -> None:
    upstreams = tuple(Upstream(server, from_sandbox) for server in servers)
    assert plane.apply([Create(replace(view, upstreams=upstreams))]) == {}


@pytest.mark.parametrize("from_sandbox", [False, True], ids=["from the host", "from the sandbox"])
@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_the_question_is_passed_on_unchanged(
    plane: ResolverPlane, view: ResolverView, from_sandbox: bool, tcp: bool
) -> None:
    outside(plane, view, ONE, from_sandbox=from_sandbox)
    packet = question("Known.Example", use_edns=0, payload=1400, want_dnssec=True)

    with name_server(view.namespace if from_sandbox else "", ONE, knows("203.0.113.7")) as asked:
        reply = exchange_tcp(view.namespace, packet)[0] if tcp else exchange(view.namespace, packet)

    assert [packet[2:]] == [seen[2:] for seen in asked]
    assert packet[:2] == reply[:2]
    assert addresses(dns.message.from_wire(reply)) == ["203.0.113.7"]


def test_no_such_name_is_an_answer(plane: ResolverPlane, view: ResolverView) -> None:
    outside(plane, view, ONE, TWO)

    with name_server("", ONE, refuses(dns.rcode.NXDOMAIN)), name_server("", TWO, knows("203.0.113.7")):
        message = ask(view.namespace, "nobody.example")

    assert message.rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize(
    "first",
    [refuses(dns.rcode.SERVFAIL), refuses(dns.rcode.REFUSED), None],
    ids=["fails", "refuses", "is not there"],
)
@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_a_server_that_cannot_answer_costs_no_time(
    plane: ResolverPlane, view: ResolverView, first: Behaviour | None, tcp: bool
) -> None:
    outside(plane, view, ONE, TWO)

    with ExitStack() as running:
        running.enter_context(name_server("", TWO, knows("203.0.113.7")))
        if first is not None:
            running.enter_context(name_server("", ONE, first))
        start = time.monotonic()
        message = ask(view.namespace, "known.example", tcp=tcp)
        taken = time.monotonic() - start

    assert addresses(message) == ["203.0.113.7"]
    assert taken < PATIENCE_S


def test_a_dead_first_server_is_waited_for_once(plane: ResolverPlane, view: ResolverView) -> None:
    outside(plane, view, ONE, TWO)
    taken = []

    with name_server("", ONE, silent), name_server("", TWO, knows("203.0.113.7")):
        for name in ("a.example", "b.example"):
            start = time.monotonic()
            assert addresses(ask(view.namespace, name)) == ["203.0.113.7"]
            taken.append(time.monotonic() - start)

    assert PATIENCE_S <= taken[0] < 2 * PATIENCE_S
    assert taken[1] < PATIENCE_S / 2


def test_a_lost_packet_is_sent_again(plane: ResolverPlane, view: ResolverView) -> None:
    outside(plane, view, ONE)
    seen: list[bytes] = []

    def loses_the_first(packet: bytes) -> list[bytes]:
        seen.append(packet)
        return knows("203.0.113.7")(packet) if len(seen) > 1 else []

    with name_server("", ONE, loses_the_first):
        message = ask(view.namespace, "known.example")

    assert addresses(message) == ["203.0.113.7"]
    assert seen[0][:2] != seen[1][:2]


def test_forged_replies_are_not_believed(plane: ResolverPlane, view: ResolverView) -> None:
    outside(plane, view, ONE)

    def lies_first(packet: bytes) -> list[bytes]:
        wrong_id = bytes((packet[0] ^ 1,)) + packet[1:]
        wrong_name = packet.replace(b"known", b"other")
        forged = [knows("203.0.113.66")(lie)[0] for lie in (wrong_id, wrong_name)]
        return [b"", packet, *forged, *knows("203.0.113.7")(packet)]

    with name_server("", ONE, lies_first):
        message = ask(view.namespace, "known.example")

    assert addresses(message) == ["203.0.113.7"]


def test_the_resolver_does_not_ask_itself(plane: ResolverPlane, view: ResolverView) -> None:
    outside(plane, view, "127.0.0.11", from_sandbox=True)

    assert ask(view.namespace, "known.example").rcode() == dns.rcode.SERVFAIL


@pytest.mark.parametrize(
    "address", ["no address", "fe80::1%99999999999999", "2001:db8::1", "1.1.1.1\0", "192.0.2.1"]
)
def test_servers_out_of_reach_are_a_failure_at_once(
    plane: ResolverPlane, view: ResolverView, address: str
) -> None:
    outside(plane, view, address)

    assert ask(view.namespace, "known.example").rcode() == dns.rcode.SERVFAIL
    assert ask(view.namespace, "known.example", tcp=True).rcode() == dns.rcode.SERVFAIL


def test_a_tcp_client_may_ask_much_at_once(plane: ResolverPlane, view: ResolverView) -> None:
    outside(plane, view, ONE)
    packets = [question(f"name{number}.example") for number in range(20)]

    with name_server("", ONE, knows("203.0.113.7")):
        replies = exchange_tcp(view.namespace, *packets)

    assert {packet[:2] for packet in packets} == {reply[:2] for reply in replies}


def test_questions_under_way_are_bounded_in_number_and_time(plane: ResolverPlane, view: ResolverView) -> None:
    outside(plane, view, ONE)

    with name_server("", ONE, silent), client(view.namespace, socket.SOCK_DGRAM) as asker:
        start = time.monotonic()
        for number in range(MOST_OUTSTANDING + 100):
            asker.send(question(f"name{number}.example"))
            if number % 50 == 0:
                # Its receive buffer is no part of this test.
                time.sleep(0.03)
        codes = []
        while dns.rcode.SERVFAIL not in codes:
            codes.append(dns.message.from_wire(asker.recv(512)).rcode())
        taken = time.monotonic() - start

    assert set(codes[:-1]) == {dns.rcode.REFUSED}
    assert taken >= LIMIT_S


def test_new_servers_are_used_at_once(plane: ResolverPlane, view: ResolverView) -> None:
    outside(plane, view, ONE)

    with name_server("", ONE, knows("203.0.113.1")), name_server("", TWO, knows("203.0.113.2")):
        before = addresses(ask(view.namespace, "known.example"))
        plane.apply([Update(view, replace(view, upstreams=(Upstream(TWO),)))])
        after = addresses(ask(view.namespace, "known.example"))

    assert (before, after) == (["203.0.113.1"], ["203.0.113.2"])
