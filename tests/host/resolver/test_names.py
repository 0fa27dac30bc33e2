"""What a container is told about its neighbours, asked of the real process in a real namespace."""

import ipaddress
from dataclasses import replace

import dns.flags
import dns.rcode
import pytest

from bridgehead.core.plan.diff import Create, Delete, Update
from bridgehead.core.plan.names import NameRecord, ResolverView
from bridgehead.host.resolver.plane import ResolverPlane
from tests.host.resolver.asking import addresses, ask, exchange, question
from tests.host.space import make_namespace

pytestmark = pytest.mark.host

WEB = NameRecord("e1", "n1", "net", ("web", "www"), ("10.1.0.2", "fd01::2"))
WEB_TOO = NameRecord("e2", "n1", "net", ("web2", "www"), ("10.1.0.3",))
DB = NameRecord("e3", "n2", "back", ("db", "www"), ("10.2.0.2",))


def feed(plane: ResolverPlane, *objects: NameRecord | ResolverView) -> None:
    assert plane.apply([Create(item) for item in objects]) == {}


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_names_are_answered(plane: ResolverPlane, view: ResolverView, tcp: bool) -> None:
    feed(plane, WEB, WEB_TOO, DB, replace(view, links=(("n1", "base", "web2"),)))

    def told(name: str, kind: str = "A") -> set[str]:
        message = ask(view.namespace, name, kind, tcp=tcp)
        assert message.rcode() == dns.rcode.NOERROR
        assert message.flags & dns.flags.RA
        return set(addresses(message))

    assert {"10.1.0.2"} == told("WEB")
    assert {"10.1.0.2"} == told("web.net")
    assert {"fd01::2"} == told("web", "AAAA")
    assert {"10.1.0.2", "10.1.0.3", "10.2.0.2"} == told("www")
    assert {"10.1.0.3"} == told("base")
    assert set() == told("db", "AAAA")
    assert set() == told("db", "MX")
    assert {"web.net."} == told(ipaddress.ip_address("10.1.0.2").reverse_pointer, "PTR")
    assert {"web.net."} == told(ipaddress.ip_address("fd01::2").reverse_pointer, "PTR")
    assert ask(view.namespace, "unknown.example", tcp=tcp).rcode() == dns.rcode.SERVFAIL


def test_every_address_comes_first_in_its_turn(plane: ResolverPlane, view: ResolverView) -> None:
    feed(plane, WEB, WEB_TOO, DB, view)

    first = [addresses(ask(view.namespace, "www"))[0] for _ in range(6)]

    assert {"10.1.0.2", "10.1.0.3", "10.2.0.2"} == set(first[:3]) == set(first[3:])


def test_a_long_answer_is_cut_for_udp_and_whole_over_tcp(plane: ResolverPlane, view: ResolverView) -> None:
    many = tuple(f"10.1.1.{number}" for number in range(1, 101))
    feed(plane, NameRecord("e1", "n1", "net", ("many",), many), view)

    cut, whole = ask(view.namespace, "many"), ask(view.namespace, "many", tcp=True)

    assert cut.flags & dns.flags.TC
    assert 0 < len(addresses(cut)) < 100
    assert sorted(many) == sorted(addresses(whole))


def test_a_change_is_told_at_once(plane: ResolverPlane, view: ResolverView) -> None:
    feed(plane, WEB, view)
    moved = replace(WEB, addresses=("10.1.0.99",))
    told = [addresses(ask(view.namespace, "web"))]

    plane.apply([Update(WEB, moved)])
    told.append(addresses(ask(view.namespace, "web")))
    plane.apply([Update(view, replace(view, networks=("n2",)))])
    told.append(addresses(ask(view.namespace, "web")))
    plane.apply([Update(view, view), Delete(moved)])
    told.append(addresses(ask(view.namespace, "web")))

    assert told == [["10.1.0.2"], ["10.1.0.99"], [], []]


def test_each_sandbox_has_its_own_sight(plane: ResolverPlane, view: ResolverView, tmp_path_factory) -> None:
    other = make_namespace(tmp_path_factory.mktemp("other") / "sandbox")
    feed(plane, WEB, DB, replace(view, networks=("n1",)), replace(view, sandbox="s2", namespace=other))

    assert addresses(ask(view.namespace, "db")) == []
    assert addresses(ask(other, "db")) == ["10.2.0.2"]


def test_the_clients_bytes_come_back_as_they_were(plane: ResolverPlane, view: ResolverView) -> None:
    feed(plane, WEB, view)
    packets = [question("WeB"), question("wEb"), question("WeB")]

    replies = [exchange(view.namespace, packet) for packet in packets]

    assert [packet[:2] for packet in packets] == [reply[:2] for reply in replies]
    assert [packet[12:] for packet in packets] == [
        reply[12 : len(packet)] for packet, reply in zip(packets, replies, strict=True)
    ]
