"""Which port of the host a container gets."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import pytest
from hypothesis import given as whatever
from hypothesis import strategies as st

from bridgehead.core.model.addresses import Address
from bridgehead.core.model.container import PortRequest
from bridgehead.core.model.errors import Conflict
from bridgehead.core.model.network import PortBinding
from bridgehead.core.ports import assign

ALL4, ALL6 = ip_address("0.0.0.0"), ip_address("::")
HOME4, HOME6, LAN = ip_address("127.0.0.1"), ip_address("::1"), ip_address("192.0.2.1")
BOTH = (ALL4, ALL6)
EPHEMERAL = range(32768, 32778)


@dataclass(frozen=True)
class Ports:
    """A host by what it uses."""

    used: Collection[tuple[str, Address, int]] = ()
    to_choose_from: Sequence[int] = EPHEMERAL

    def busy(self) -> Collection[tuple[str, Address, int]]:
        return self.used

    def ephemeral(self) -> Sequence[int]:
        return self.to_choose_from

    def everywhere(self) -> tuple[Address, ...]:
        return BOTH


def given(
    wanted: Iterable[PortRequest],
    everywhere: Sequence[Address] = BOTH,
    taken: Mapping[PortBinding, str] | None = None,
    busy: Collection[tuple[str, Address, int]] = (),
    ephemeral: Sequence[int] = EPHEMERAL,
) -> tuple[PortBinding, ...]:
    return assign(wanted, everywhere, taken or {}, Ports(busy, ephemeral))


def request(text: str, container: int = 80, host: str | None = None) -> PortRequest:
    """`text` as after `-p`, on the host's side: "8080/tcp", "9000-9010/udp", "/tcp"."""
    ports, _, protocol = text.partition("/")
    first, _, last = ports.partition("-")
    address = None if host is None else ip_address(host)
    return PortRequest(protocol, container, address, int(first or 0), int(last or first or 0))


def binding(port: int, host: Address = ALL4, protocol: str = "tcp", container: int = 80) -> PortBinding:
    return PortBinding(protocol, container, host, port)


def taken(*bindings: PortBinding) -> dict[PortBinding, str]:
    return dict.fromkeys(bindings, "other")


def given_out(bindings: Iterable[PortBinding]) -> list[int]:
    return [item.host_port for item in bindings if item.host.version == 4]


def test_a_request_without_an_address_has_one_port_on_all() -> None:
    assert given([request("8080/tcp")], BOTH) == (binding(8080, ALL4), binding(8080, ALL6))


def test_a_request_with_an_address_has_it_there_alone() -> None:
    assert given([request("8080/tcp", host="::1")], BOTH) == (binding(8080, HOME6),)


@pytest.mark.parametrize(
    ("theirs", "ours", "conflict"),
    [
        (ALL4, "0.0.0.0", True),
        (ALL4, "127.0.0.1", True),
        (HOME4, "0.0.0.0", True),
        (HOME4, "127.0.0.1", True),
        (HOME4, "192.0.2.1", False),
        (ALL6, "::1", True),
        (HOME6, "::", True),
        (ALL6, "0.0.0.0", False),
        (ALL4, "::", False),
    ],
)
def test_an_address_and_all_addresses_of_its_family_exclude_each_other(
    theirs: Address, ours: str, conflict: bool
) -> None:
    wanted = [request("8080/tcp", host=ours)]

    if conflict:
        with pytest.raises(Conflict) as refusal:
            given(wanted, BOTH, taken=taken(binding(8080, theirs)))
        where = f"[{ours}]" if ":" in ours else ours
        assert (
            refusal.value.message
            == f"Bind for {where}:8080 failed: port is already allocated (by container other)"
        )
    else:
        assert given(wanted, BOTH, taken=taken(binding(8080, theirs)))


def test_protocols_have_ports_of_their_own() -> None:
    assert given([request("53/udp")], [ALL4], taken=taken(binding(53)))


def test_one_port_wanted_twice_for_different_ends_is_refused() -> None:
    with pytest.raises(Conflict, match="by the same container"):
        given([request("8080/tcp", 80), request("8080/tcp", 81)], BOTH)


def test_the_same_wish_twice_is_one() -> None:
    assert len(given([request("8080/tcp")] * 2, [ALL4])) == 1


def test_an_exact_port_of_the_hosts_is_left_to_the_binding() -> None:
    assert given([request("22/tcp")], [ALL4], busy=[("tcp", ALL4, 22)])


def test_a_range_gives_its_first_free_port_on_all_addresses() -> None:
    bindings = given(
        [request("9000-9005/tcp")],
        BOTH,
        taken=taken(binding(9000, ALL6), binding(9001, HOME4)),
        busy=[("tcp", LAN, 9002), ("udp", ALL4, 9003)],
    )

    assert {item.host_port for item in bindings} == {9003}


def test_a_range_with_nothing_left_says_which() -> None:
    with pytest.raises(Conflict, match="all ports are allocated: no tcp port 9000-9001 is free"):
        given([request("9000-9001/tcp", container) for container in (1, 2, 3)], [ALL4])


def test_exact_ports_are_given_before_ranges_and_any() -> None:
    wanted = [
        request("9000-9001/tcp", 1),
        request("/tcp", 2),
        request("9000/tcp", 3),
        request("32768/tcp", 4),
    ]

    bindings = given(wanted, [ALL4])

    assert {item.container_port: item.host_port for item in bindings} == {
        1: 9001,
        2: 32769,
        3: 9000,
        4: 32768,
    }


def test_any_port_is_given_by_container_port_then_protocol() -> None:
    wanted = [request("/udp", 53), request("/tcp", 443), request("/tcp", 80), request("/tcp", 53)]

    bindings = given(wanted, [ALL4])

    assert [(item.container_port, item.protocol, item.host_port) for item in bindings] == [
        (53, "tcp", 32768),
        (53, "udp", 32768),
        (80, "tcp", 32769),
        (443, "tcp", 32770),
    ]


@pytest.mark.parametrize(
    ("others", "busy", "expected"),
    [
        ([], [], [32768, 32769]),
        ([32770], [], [32771, 32772]),
        ([32777], [], [32768, 32769]),
        ([32776, 32768], [], [32777, 32769]),
        ([8080], [], [32768, 32769]),
        ([], [32768, 32775], [32769, 32770]),
    ],
)
def test_any_port_follows_the_highest_given_out_and_wraps(
    others: list[int], busy: list[int], expected: list[int]
) -> None:
    bindings = given(
        [request("/tcp", 80), request("/tcp", 81)],
        BOTH,
        taken=taken(*map(binding, others)),
        busy=[("tcp", ALL4, port) for port in busy],
    )

    assert given_out(bindings) == expected


def test_ports_that_an_administrator_keeps_are_passed_over() -> None:
    ephemeral = [32768, 32771, 32772]

    bindings = given([request("/tcp", container) for container in range(3)], [ALL4], ephemeral=ephemeral)

    assert given_out(bindings) == ephemeral


@pytest.mark.parametrize("ephemeral", [range(32768, 32770), []])
def test_no_port_left_at_all_is_said(ephemeral: list[int]) -> None:
    with pytest.raises(Conflict, match="all ports are allocated"):
        given([request("/tcp", port) for port in (1, 2, 3)], [ALL4], ephemeral=ephemeral)


def meet(one: PortBinding, other: PortBinding) -> bool:
    same = (one.protocol, one.host_port, one.host.version) == (
        other.protocol,
        other.host_port,
        other.host.version,
    )
    return same and (one.host == other.host or int(one.host) == 0 or int(other.host) == 0)


protocols = st.sampled_from(["tcp", "udp", "sctp"])
addresses = st.sampled_from([ALL4, ALL6, HOME4, HOME6, LAN])
ports = st.integers(32766, 32780)


@st.composite
def requests(draw: st.DrawFn) -> PortRequest:
    first, last = draw(
        st.one_of(
            st.just((0, 0)),
            ports.map(lambda port: (port, port)),
            st.tuples(ports, ports).map(lambda pair: (min(pair), max(pair))),
        )
    )
    return PortRequest(draw(protocols), draw(st.integers(1, 5)), draw(st.none() | addresses), first, last)


containers = st.lists(requests(), max_size=4)
sockets = st.lists(st.tuples(protocols, addresses, ports), max_size=5)


@whatever(st.lists(st.tuples(containers, st.booleans()), max_size=8), sockets)
def test_no_schedule_of_starts_and_ends_gives_a_port_twice(
    schedule: list[tuple[list[PortRequest], bool]], busy: list[tuple[str, Address, int]]
) -> None:
    standing: dict[PortBinding, str] = {}
    for number, (wanted, oldest_ends) in enumerate(schedule):
        if oldest_ends and standing:
            name = next(iter(standing.values()))
            standing = {item: holder for item, holder in standing.items() if holder != name}
        try:
            mine = given(wanted, BOTH, taken=standing, busy=busy)
        except Conflict:
            continue

        every = [*standing, *mine]
        assert not any(meet(one, other) for place, one in enumerate(every) for other in every[place + 1 :])
        standing |= dict.fromkeys(mine, f"c{number}")


@whatever(containers, sockets)
def test_every_wish_is_met_as_it_was_said_or_all_are_refused(
    wanted: list[PortRequest], busy: list[tuple[str, Address, int]]
) -> None:
    try:
        bindings = given(wanted, BOTH, busy=busy)
    except Conflict:
        return

    for one in wanted:
        hosts = BOTH if one.host is None else (one.host,)
        choices = range(one.first, one.last + 1) if one.first else EPHEMERAL
        met = {
            port
            for port in choices
            if all(PortBinding(one.protocol, one.container_port, host, port) in bindings for host in hosts)
        }
        assert met
        if one.first != one.last or not one.first:
            free = [binding(port, host, one.protocol) for port in met for host in hosts]
            others = [binding(port, host, protocol) for protocol, host, port in busy]
            assert any(not any(meet(item, other) for other in others) for item in free)
