import ipaddress

import pytest

from bridgehead.core.ipam.pools import PREDEFINED_POOLS
from bridgehead.core.ipam.subnets import Space, request
from bridgehead.core.model.errors import Forbidden, InvalidParameter
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import Network, Subnet
from bridgehead.core.model.requests import SubnetRequest

NOTHING = Space(())


def ask(*wanted: SubnetRequest, space: Space = NOTHING) -> tuple[Subnet, ...]:
    return request(wanted, space, PREDEFINED_POOLS)


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
    ],
)
def test_a_malformed_wish_is_named(wanted: SubnetRequest, fault: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        ask(wanted)

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
