"""The rules of names as tables: what is known, what is asked, what comes of it."""

import ipaddress
from dataclasses import replace

import pytest

from bridgehead.core.dns.message import Code, Question, Type
from bridgehead.core.dns.resolver import Answer, Forward, Refuse, resolve
from bridgehead.core.dns.zone import Zone
from bridgehead.core.plan.names import NameRecord, ResolverView, Upstream

WEB = NameRecord("e-web", "n1", "Front", ("web", "www", "0123456789ab"), ("10.1.0.2", "fd01::2"))
WEB_TOO = NameRecord("e-web2", "n1", "Front", ("web2", "WWW"), ("10.1.0.3",))
DB = NameRecord("e-db", "n2", "back.end", ("db", "www"), ("10.2.0.2",))
HIDDEN = NameRecord("e-hidden", "n3", "secret", ("hidden",), ("10.3.0.2",))
HOST = Upstream("192.0.2.1")
VIEW = ResolverView("s", "/ns", 5353, networks=("n1", "n2"), upstreams=(HOST,))


@pytest.fixture
def zone() -> Zone:
    zone = Zone()
    for record in (WEB, WEB_TOO, DB, HIDDEN):
        zone.put(record)
    return zone


def asked(
    zone: Zone, name: str, kind: int = Type.A, view: ResolverView = VIEW
) -> list[str] | Forward | Refuse:
    """Addresses as text where the answer is ours."""
    decision = resolve(zone, view, Question(name, kind, 1))
    if not isinstance(decision, Answer):
        return decision
    return [str(ipaddress.ip_address(record.data)) for record in decision.records]


@pytest.mark.parametrize(
    ("name", "kind", "addresses"),
    [
        ("web", Type.A, ["10.1.0.2"]),
        ("web", Type.AAAA, ["fd01::2"]),
        ("web", Type.ANY, ["10.1.0.2", "fd01::2"]),
        ("web.front", Type.A, ["10.1.0.2"]),
        ("0123456789ab", Type.A, ["10.1.0.2"]),
        ("db.back.end", Type.A, ["10.2.0.2"]),
        ("www", Type.A, ["10.1.0.2", "10.1.0.3", "10.2.0.2"]),
        ("www.front", Type.A, ["10.1.0.2", "10.1.0.3"]),
        ("db", Type.AAAA, []),
        ("web", 15, []),
    ],
)
def test_known_names_are_answered(zone: Zone, name: str, kind: int, addresses: list[str]) -> None:
    assert addresses == asked(zone, name, kind)


@pytest.mark.parametrize(
    "name", ["nobody", "hidden", "hidden.secret", "web.back.end", "a.web", "web.front.x", ""]
)
def test_unknown_names_go_outside(zone: Zone, name: str) -> None:
    assert Forward((HOST,)) == asked(zone, name)


def test_other_classes_go_outside(zone: Zone) -> None:
    assert Forward((HOST,)) == resolve(zone, VIEW, Question("web", Type.A, 3))


@pytest.mark.parametrize(
    ("links", "name", "expected"),
    [
        ((("n1", "Base", "web"),), "base", ["10.1.0.2"]),
        ((("n1", "base", "web"),), "base.front", ["10.1.0.2"]),
        ((("n1", "base", "web"), ("n1", "base", "web2")), "base", ["10.1.0.2", "10.1.0.3"]),
        ((("n1", "web2", "WEB"),), "web2", ["10.1.0.2"]),
        ((("n1", "web2", "later"),), "web2", Forward((HOST,))),
        ((("n2", "base", "web"),), "base", Forward((HOST,))),
        ((("n3", "base", "hidden"),), "base", Forward((HOST,))),
        ((("n1", "db", "web"),), "db", ["10.1.0.2", "10.2.0.2"]),
    ],
    ids=[
        "alias",
        "with network",
        "two targets",
        "hides",
        "hides early",
        "other network",
        "not ours",
        "merges",
    ],
)
def test_links_are_private_names(
    zone: Zone, links: tuple[tuple[str, str, str], ...], name: str, expected: list[str] | Forward
) -> None:
    assert expected == asked(zone, name, view=replace(VIEW, links=links))
    assert asked(zone, name) != ["10.1.0.2"]


def test_a_link_finds_its_target_when_it_comes(zone: Zone) -> None:
    view = replace(VIEW, links=(("n1", "base", "later"),))
    before = asked(zone, "base", view=view)

    zone.put(NameRecord("e-later", "n1", "Front", ("later",), ("10.1.0.9",)))

    assert (Forward((HOST,)), ["10.1.0.9"]) == (before, asked(zone, "base", view=view))


@pytest.mark.parametrize(
    ("address", "pointer"),
    [
        ("10.1.0.2", b"\3web\5Front\0"),
        ("fd01::2", b"\3web\5Front\0"),
        ("10.2.0.2", b"\2db\4back\3end\0"),
    ],
)
def test_addresses_are_named(zone: Zone, address: str, pointer: bytes) -> None:
    name = ipaddress.ip_address(address).reverse_pointer

    decision = resolve(zone, VIEW, Question(name, Type.PTR, 1))

    assert isinstance(decision, Answer)
    assert [(Type.PTR, pointer)] == [(record.type, record.data) for record in decision.records]


@pytest.mark.parametrize(("kind", "count"), [(Type.ANY, 1), (Type.A, 0), (16, 0)])
def test_the_name_of_a_known_address_is_ours_whatever_is_asked(zone: Zone, kind: int, count: int) -> None:
    name = ipaddress.ip_address("10.1.0.2").reverse_pointer

    decision = resolve(zone, VIEW, Question(name, kind, 1))

    assert isinstance(decision, Answer)
    assert [record.type for record in decision.records] == [Type.PTR] * count


SRV = 33


@pytest.mark.parametrize("name", ["_http._tcp.web", "_http._tcp.www.front", "_53._udp.db"])
def test_services_of_known_names_are_none(zone: Zone, name: str) -> None:
    assert asked(zone, name, SRV) == []


@pytest.mark.parametrize("name", ["_http._tcp.nobody", "_http.web", "http._tcp.web", "_http._tcp", "_._"])
def test_services_of_others_are_asked_outside(zone: Zone, name: str) -> None:
    assert Forward((HOST,)) == asked(zone, name, SRV)


@pytest.mark.parametrize("address", ["10.3.0.2", "10.1.0.99"])
def test_addresses_out_of_sight_go_outside(zone: Zone, address: str) -> None:
    name = ipaddress.ip_address(address).reverse_pointer

    assert Forward((HOST,)) == asked(zone, name, Type.PTR)


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("example.com", Type.A, Code.SERVFAIL),
        ("nobody", Type.AAAA, Code.SERVFAIL),
        ("9.9.9.9.in-addr.arpa", Type.PTR, Code.NXDOMAIN),
    ],
)
def test_without_a_world_outside(zone: Zone, name: str, kind: int, code: Code) -> None:
    assert Refuse(code) == asked(zone, name, kind, replace(VIEW, upstreams=()))


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("nobody", Type.A, []),
        ("nobody", Type.AAAA, []),
        ("nobody", 15, Forward((HOST,))),
        ("nobody.example", Type.A, Forward((HOST,))),
        ("web", Type.A, ["10.1.0.2"]),
    ],
)
def test_a_user_who_sets_ndots_keeps_short_names_at_home(
    zone: Zone, name: str, kind: int, expected: list[str] | Forward
) -> None:
    assert expected == asked(zone, name, kind, replace(VIEW, ndots_set=True))


def test_we_do_not_ask_ourselves(zone: Zone) -> None:
    ourselves, outer_docker = Upstream("127.0.0.11", from_sandbox=True), Upstream("127.0.0.11")

    assert Forward((HOST,)) == asked(zone, "x.y", view=replace(VIEW, upstreams=(ourselves, HOST)))
    assert Refuse(Code.SERVFAIL) == asked(zone, "x.y", view=replace(VIEW, upstreams=(ourselves,)))
    assert Forward((outer_docker,)) == asked(zone, "x.y", view=replace(VIEW, upstreams=(outer_docker,)))


def test_three_servers_are_enough(zone: Zone) -> None:
    servers = tuple(Upstream(f"192.0.2.{number}") for number in range(5))

    assert Forward(servers[:3]) == asked(zone, "x.y", view=replace(VIEW, upstreams=servers))
