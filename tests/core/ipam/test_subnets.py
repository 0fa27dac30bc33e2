import ipaddress

import pytest

from bridgehead.core.ipam.pools import PREDEFINED_POOLS, Pool, with_own_ipv6
from bridgehead.core.ipam.subnets import Occupied, Space, clashes, passed_over, request
from bridgehead.core.model.errors import Forbidden, InvalidParameter
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import Network, Subnet
from bridgehead.core.model.requests import SubnetRequest

NOTHING = Space(())


POOLS = with_own_ipv6(PREDEFINED_POOLS, "a host")


def ask(
    *wanted: SubnetRequest, space: Space = NOTHING, families: tuple[int, ...] = (4,)
) -> tuple[Subnet, ...]:
    return request(wanted, space, POOLS, families)


def test_a_network_without_wishes_gets_a_block_and_its_first_address_as_gateway() -> None:
    [subnet] = ask()

    assert ipaddress.ip_network("172.17.0.0/16") == subnet.prefix
    assert ipaddress.ip_address("172.17.0.1") == subnet.gateway


def test_everything_asked_for_is_kept() -> None:
    [subnet] = ask(SubnetRequest("10.5.0.0/16", "10.5.7.0/24", "10.5.0.254", {"router": "10.5.0.9"}))

    assert ipaddress.ip_network("10.5.7.0/24") == subnet.ip_range
    assert ipaddress.ip_address("10.5.0.254") == subnet.gateway
    assert {"router": ipaddress.ip_address("10.5.0.9")} == subnet.auxiliary


def test_the_gateway_steps_over_auxiliary_addresses() -> None:
    [subnet] = ask(SubnetRequest("10.5.0.0/29", auxiliary={"a": "10.5.0.1", "b": "10.5.0.2"}))

    assert ipaddress.ip_address("10.5.0.3") == subnet.gateway


def test_both_addresses_of_a_point_to_point_subnet_may_be_used() -> None:
    [subnet] = ask(SubnetRequest("10.5.0.0/31"))

    assert ipaddress.ip_address("10.5.0.0") == subnet.gateway


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        (SubnetRequest("999.1.1.1/24"), "invalid subnet 999.1.1.1/24: invalid CIDR block notation"),
        (SubnetRequest("10.5.0.0"), "invalid subnet 10.5.0.0: invalid CIDR block notation"),
        (SubnetRequest("10.5.0.7/24"), "invalid subnet 10.5.0.7/24: it should be 10.5.0.0/24"),
        (
            SubnetRequest("10.5.0.0/24", gateway="10.6.0.1"),
            "invalid gateway 10.6.0.1: parent subnet 10.5.0.0/24 doesn't contain this address",
        ),
        (SubnetRequest("10.5.0.0/24", gateway="10.5.0.255"), "network or broadcast address"),
        (
            SubnetRequest("10.5.0.0/24", ip_range="10.6.0.0/25"),
            "parent subnet 10.5.0.0/24 doesn't contain ip-range",
        ),
        (SubnetRequest("10.5.0.0/24", ip_range="10.0.0.0/8"), "CIDR block is bigger than its parent subnet"),
        (SubnetRequest("10.5.0.0/24", ip_range="fd00::/64"), "parent subnet is an IPv4 block"),
        (SubnetRequest("10.5.0.0/24", auxiliary={"x": "zz"}), "invalid auxiliary address x: zz"),
        (SubnetRequest("10.5.0.0/24", gateway="10.5.0.9", auxiliary={"x": "10.5.0.9"}), "is the gateway"),
        (SubnetRequest(gateway="10.5.0.1"), "need a subnet"),
        (SubnetRequest("127.0.0.0/8"), "no container can have such an address"),
        (SubnetRequest("ff02::/16"), "no container can have such an address"),
        (SubnetRequest("fe80::%eth0/64"), "invalid CIDR block notation"),
        (SubnetRequest("fe80::/64", gateway="fe80::1%eth0"), "invalid gateway fe80::1%eth0: invalid address"),
    ],
)
def test_a_malformed_wish_is_named(wanted: SubnetRequest, fault: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        ask(wanted, families=(4, 6))

    assert fault in refusal.value.message


def test_every_fault_is_named_in_one_answer() -> None:
    with pytest.raises(InvalidParameter) as refusal:
        ask(SubnetRequest("10.5.0.7/24"), SubnetRequest("zz/8"))

    assert len(refusal.value.message.splitlines()) == 3


def test_an_overlap_names_the_network_in_the_way() -> None:
    subnet = Subnet(ipaddress.ip_network("10.5.0.0/16"), None)
    holder = Network(NetworkID("a" * 64), "backend", "bridge", "", subnets=(subnet,))

    with pytest.raises(Forbidden, match=r"10\.5\.3\.0/24 overlaps 10\.5\.0\.0/16 of network backend"):
        ask(SubnetRequest("10.5.3.0/24"), space=Space((holder,)))


def test_two_ranges_of_one_subnet_are_an_overlap() -> None:
    [held] = ask(SubnetRequest("10.5.0.0/16", "10.5.1.0/24"))
    holder = Network(NetworkID("a" * 64), "backend", "bridge", "", subnets=(held,))

    with pytest.raises(Forbidden, match="of network backend"):
        ask(SubnetRequest("10.5.0.0/16", "10.5.2.0/24"), space=Space((holder,)))


def test_both_families_are_filled_from_the_pools() -> None:
    four, six = ask(families=(4, 6))

    assert (four.prefix.version, six.prefix.version) == (4, 6)
    assert six.gateway == six.prefix.network_address + 1


def test_a_network_of_ipv6_alone_has_no_ipv4_block() -> None:
    [six] = ask(families=(6,))

    assert six.prefix.version == 6


def test_ipv6_range_gateway_and_auxiliary_addresses_are_kept() -> None:
    [_, six] = ask(
        SubnetRequest("fd00:5::/64", "fd00:5::100/120", "fd00:5::fe", {"a": "fd00:5::1"}), families=(4, 6)
    )

    assert ipaddress.ip_network("fd00:5::100/120") == six.ip_range
    assert ipaddress.ip_address("fd00:5::fe") == six.gateway
    assert {"a": ipaddress.ip_address("fd00:5::1")} == six.auxiliary


def test_what_is_asked_for_a_family_that_is_off_is_passed_over_aloud() -> None:
    wanted = SubnetRequest("fd00:5::/64")

    [four] = ask(wanted)

    assert four.prefix.version == 4
    assert passed_over([wanted], (4,)) == ["subnet fd00:5::/64 is not used: IPv6 is off in this network"]


@pytest.mark.parametrize(
    ("wanted", "expected"), [("0.0.0.0/24", "172.17.0.0/24"), ("0.0.0.0/16", "172.17.0.0/16")]
)
def test_an_address_of_zeros_means_any_free_block_of_that_size(wanted: str, expected: str) -> None:
    [subnet] = ask(SubnetRequest(wanted))

    assert ipaddress.ip_network(expected) == subnet.prefix


def test_any_free_ipv6_block_of_a_size() -> None:
    [_, six] = ask(SubnetRequest("::/80"), families=(4, 6))

    assert six.prefix.prefixlen == 80


@pytest.mark.parametrize("wanted", ["0.0.0.0", "0.0.0.0/x", "0.0.0.0/0", "0.0.0.0/33", "::/129"])
def test_an_impossible_size_is_refused(wanted: str) -> None:
    with pytest.raises(InvalidParameter):
        ask(SubnetRequest(wanted), families=(4, 6))


def test_a_gateway_is_not_kept_where_none_is_needed() -> None:
    without = request([SubnetRequest("10.5.0.0/31")], NOTHING, POOLS, (4,), without_gateway=(4,))
    asked_for = request(
        [SubnetRequest("10.5.0.0/24", gateway="10.5.0.9")], NOTHING, POOLS, (4,), without_gateway=(4,)
    )

    assert without[0].gateway is None
    assert ipaddress.ip_address("10.5.0.9") == asked_for[0].gateway


VPN = Occupied(ipaddress.ip_network("10.5.0.0/16"), "the route 10.5.0.0/16 dev tun0")


def test_a_chosen_subnet_over_a_route_is_allowed_and_said() -> None:
    subnets = ask(SubnetRequest("10.5.3.0/24"), space=Space((), (VPN,)))

    [warning] = clashes(subnets, (VPN,))
    assert "subnet 10.5.3.0/24 overlaps the route 10.5.0.0/16 dev tun0" in warning


def test_spent_pools_are_said_with_their_holders_and_the_way_out() -> None:
    pools = (Pool(ipaddress.ip_network("10.5.0.0/23"), 24),)
    [held] = request((), Space((), (VPN,)), (Pool(ipaddress.ip_network("10.6.0.0/24"), 24),))
    holder = Network(NetworkID("a" * 64), "backend", "bridge", "", subnets=(held,))

    with pytest.raises(InvalidParameter) as refusal:
        request((), Space((holder,), (VPN,)), pools)

    for words in (
        "all predefined address pools have been fully subnetted",
        "1 networks hold blocks of the pools (backend)",
        "keep clear of the route 10.5.0.0/16 dev tun0",
        "docker network prune",
        "--default-address-pool",
    ):
        assert words in refusal.value.message
