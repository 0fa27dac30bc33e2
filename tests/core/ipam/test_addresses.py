import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.core.ipam import addresses
from bridgehead.core.model.addresses import Interface
from bridgehead.core.model.container import Container, ContainerSpec, ProcessSpec
from bridgehead.core.model.errors import Forbidden, InvalidParameter, Unavailable
from bridgehead.core.model.ids import ContainerID, EndpointID, ImageID, NetworkID, SandboxID
from bridgehead.core.model.network import Endpoint, EndpointWish, Network, Subnet
from bridgehead.core.model.snapshot import Snapshot

ME = ContainerID("me")


def network(prefix: str, ip_range: str = "") -> Network:
    block = ipaddress.ip_network(prefix)
    subnet = Subnet(
        block,
        block.network_address + 1,
        ipaddress.ip_network(ip_range) if ip_range else None,
        {"router": block.network_address + 5},
    )
    return Network(NetworkID("n"), "backend", "bridge", "", subnets=(subnet,))


def container(name: str, wish: EndpointWish | None = None) -> Container:
    spec = ContainerSpec(ProcessSpec(("sh",)), name)
    wishes = {"backend": wish} if wish else {}
    return Container(ContainerID(name), name, "", ImageID("i"), "busybox", spec, wishes)


def endpoint(owner: str, address: str) -> Endpoint:
    return Endpoint(
        EndpointID(f"e-{owner}-{address}"),
        NetworkID("n"),
        SandboxID("s"),
        ContainerID(owner),
        EndpointWish(),
        addresses=(ipaddress.ip_interface(address),),
    )


def ask(snapshot: Snapshot, where: Network, *wanted: str) -> tuple[Interface, ...]:
    wish = EndpointWish(tuple(ipaddress.ip_address(address) for address in wanted))
    return addresses.request(where, addresses.holdings(snapshot, where, ME), wish)


def test_the_lowest_free_address_is_given() -> None:
    snapshot = Snapshot().put(container("c1"), endpoint("c1", "10.5.0.2/24"))

    assert (ipaddress.ip_interface("10.5.0.3/24"),) == ask(snapshot, network("10.5.0.0/24"))


def test_dynamic_addresses_come_from_the_range_and_static_ones_from_anywhere() -> None:
    where = network("10.5.0.0/24", "10.5.0.128/25")

    assert (ipaddress.ip_interface("10.5.0.128/24"),) == ask(Snapshot(), where)
    assert (ipaddress.ip_interface("10.5.0.77/24"),) == ask(Snapshot(), where, "10.5.0.77")


def test_a_stopped_containers_static_address_is_kept_for_it() -> None:
    wish = EndpointWish((ipaddress.ip_address("10.5.0.2"),))
    snapshot = Snapshot().put(container("c1", wish))

    assert (ipaddress.ip_interface("10.5.0.3/24"),) == ask(snapshot, network("10.5.0.0/24"))
    with pytest.raises(Forbidden, match="reserved for container c1"):
        ask(snapshot, network("10.5.0.0/24"), "10.5.0.2")


@pytest.mark.parametrize(
    ("wanted", "kind", "words"),
    [
        ("10.5.0.2", Forbidden, "Address already in use: 10.5.0.2 is held by container c1"),
        ("10.5.0.1", Forbidden, "the gateway of network backend"),
        ("10.5.0.5", Forbidden, "auxiliary address router"),
        ("10.9.0.2", InvalidParameter, "no configured subnet contains IP address 10.9.0.2"),
        ("10.5.0.255", InvalidParameter, "network or broadcast address"),
    ],
)
def test_an_address_that_cannot_be_had_says_why(wanted: str, kind: type[Exception], words: str) -> None:
    snapshot = Snapshot().put(container("c1"), endpoint("c1", "10.5.0.2/24"))

    with pytest.raises(kind, match=words):
        ask(snapshot, network("10.5.0.0/24"), wanted)


def test_reservations_stand_by_name_or_id_also_before_the_network_is_made() -> None:
    where = replace(network("10.5.0.0/24"), id=NetworkID("abcdef" + "0" * 58))
    for reference in ("backend", where.id, "abcdef"):
        wish = EndpointWish((ipaddress.ip_address("10.5.0.2"),))
        early = replace(container("early"), networks={reference: wish})

        assert (ipaddress.ip_interface("10.5.0.3/24"),) == ask(Snapshot().put(early), where), reference


def test_a_reservation_on_a_network_named_like_an_id_is_no_other_networks() -> None:
    where = replace(network("10.5.0.0/24"), id=NetworkID("abcdef" + "0" * 58))
    named = replace(where, id=NetworkID("1" * 64), name="abcdef", subnets=())
    wish = EndpointWish((ipaddress.ip_address("10.5.0.2"),))
    snapshot = Snapshot().put(named, replace(container("c1"), networks={"abcdef": wish}))

    assert (ipaddress.ip_interface("10.5.0.2/24"),) == ask(snapshot, where)


def give(freed: addresses.Freed, who: str, prefix: str = "10.5.0.0/29") -> str:
    where = network(prefix)
    held = addresses.holdings(Snapshot(), where, ContainerID(who), freed)
    [address] = addresses.request(where, held, EndpointWish())
    return str(address.ip)


def test_a_freed_address_is_the_last_to_be_given_again() -> None:
    # The block has .1 to .6; .1 is the gateway, .5 auxiliary.
    freed = {ipaddress.ip_address(f"10.5.0.{last}"): ContainerID("gone") for last in (3, 2)}

    assert give(freed, "new") == "10.5.0.4"
    freed |= {ipaddress.ip_address(f"10.5.0.{last}"): ContainerID("gone") for last in (4, 6)}
    assert give(freed, "new") == "10.5.0.3"


def test_a_container_gets_the_address_back_that_it_had() -> None:
    freed = {ipaddress.ip_address(f"10.5.0.{last}"): ContainerID(f"c{last}") for last in (2, 3)}

    assert give(freed, "c3") == "10.5.0.3"


def test_what_was_freed_outside_the_range_does_not_come_back() -> None:
    where = network("10.5.0.0/24", "10.5.0.128/31")
    freed = {ipaddress.ip_address("10.5.0.7"): ME}

    [address] = addresses.request(where, addresses.holdings(Snapshot(), where, ME, freed), EndpointWish())

    assert str(address.ip) == "10.5.0.128"


def test_an_ipv6_block_is_searched_from_its_start() -> None:
    block = ipaddress.ip_network("fd00:5::/64")
    where = Network(NetworkID("n"), "six", "bridge", "", subnets=(Subnet(block, block.network_address + 1),))
    snapshot = Snapshot().put(container("c1"), endpoint("c1", "fd00:5::2/64"))

    assert (ipaddress.ip_interface("fd00:5::3/64"),) == ask(snapshot, where)


def test_a_container_without_ipv6_gets_no_ipv6_address() -> None:
    block = ipaddress.ip_network("fd00:5::/64")
    four = network("10.5.0.0/24").subnets
    where = Network(NetworkID("n"), "dual", "bridge", "", subnets=(*four, Subnet(block, None)))
    held = addresses.holdings(Snapshot(), where, ME)

    given_out = addresses.request(where, held, EndpointWish(), families=(4,))

    assert [address.version for address in given_out] == [4]


@given(st.integers(min_value=0, max_value=40))
def test_no_address_is_ever_given_twice(count: int) -> None:
    where = network("10.5.0.0/27")
    snapshot = Snapshot().put(container("c1"))
    given_out: list[Interface] = []

    for _ in range(count):
        try:
            [address] = ask(snapshot, where)
        except Unavailable:
            break
        given_out.append(address)
        snapshot = snapshot.put(endpoint("c1", str(address)))

    assert len(given_out) == len(set(given_out)) == min(count, 32 - 4)
