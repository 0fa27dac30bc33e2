"""The default network as a function of options, pools and what is on the machine."""

import ipaddress
from dataclasses import replace
from typing import Any

import pytest

from bridgehead.core.drivers.bridge import BridgeDriver
from bridgehead.core.facts import HostFacts
from bridgehead.core.firewall.nft import NftSpelling
from bridgehead.core.firewall.spelling import NoFirewall
from bridgehead.core.ipam.pools import PREDEFINED_POOLS, Pool
from bridgehead.core.ipam.subnets import Occupied
from bridgehead.core.layout import Layout
from bridgehead.core.model.addresses import Interface
from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.model.ids import ContainerID, EndpointID, NetworkID, SandboxID
from bridgehead.core.model.network import BridgeOptions, Endpoint, EndpointWish, Network, Subnet
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.filtering import FirewallElement
from bridgehead.core.plan.objects import Bridge, LinkAddress, Sysctl
from bridgehead.core.predefined import established
from bridgehead.core.settings import DaemonOptions, DefaultBridge
from bridgehead.core.standing import Standing

IDS = [NetworkID(letter * 64) for letter in "abc"]
address, network, host = ipaddress.ip_interface, ipaddress.ip_network, ipaddress.ip_address


def facts(standing: Standing | None = None, **options: Any) -> HostFacts:
    return HostFacts(
        Layout("/d", "/e"),
        {},
        mtu=1450,
        options=DaemonOptions(bridge=DefaultBridge(**options)),
        bridge=standing,
    )


def default(given: HostFacts, snapshot: Snapshot | None = None) -> Network:
    found = established(snapshot or Snapshot(), given, IDS, "now").snapshot.network_named("bridge")
    assert found is not None
    return found


def refusal(given: HostFacts, snapshot: Snapshot | None = None) -> str:
    with pytest.raises(BridgeheadError) as refused:
        established(snapshot or Snapshot(), given, IDS, "now")
    return refused.value.message


def docker0(*addresses: str, ours: bool = True, ports: tuple[str, ...] = ()) -> Standing:
    found: tuple[Interface, ...] = tuple(map(address, addresses))
    return Standing(
        "docker0",
        is_bridge=True,
        ours=ours,
        own=found if ours else (),
        foreign=() if ours else found,
        ports=ports,
    )


def user_network(prefix: str, bridge: str = "br-user") -> Network:
    block = network(prefix)
    return Network(
        NetworkID("d" * 64), "user", "bridge", "", (Subnet(block, block[1]),), BridgeOptions(bridge)
    )


def with_container(where: Network) -> Snapshot:
    end = Endpoint(EndpointID("e"), where.id, SandboxID("s"), ContainerID("c"), EndpointWish())
    return Snapshot().put(where, end)


def test_without_options_it_is_dockers_first_block_and_the_mtu_of_the_uplink() -> None:
    found = default(facts())

    assert [(item.prefix, item.gateway) for item in found.subnets] == [
        (network("172.17.0.0/16"), host("172.17.0.1"))
    ]
    assert found.options["com.docker.network.driver.mtu"] == "1450"
    assert found.bridge == BridgeOptions("docker0", mtu=1450, is_default=True)


def test_host_and_none_are_made_once() -> None:
    first = established(Snapshot(), facts(), IDS, "now").snapshot
    second = established(first, facts(), [NetworkID(letter * 64) for letter in "xyz"], "later").snapshot

    assert second == first


def test_options_shape_it_and_its_inspection() -> None:
    found = default(facts(icc=False, masquerade=False, mtu=1300, host_address=host("127.0.0.1")))

    assert found.bridge == BridgeOptions(
        "docker0", icc=False, masquerade=False, mtu=1300, is_default=True, host_binding=host("127.0.0.1")
    )
    assert found.options == {
        "com.docker.network.bridge.default_bridge": "true",
        "com.docker.network.bridge.enable_icc": "false",
        "com.docker.network.bridge.enable_ip_masquerade": "false",
        "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1",
        "com.docker.network.bridge.name": "docker0",
        "com.docker.network.driver.mtu": "1300",
    }


def test_nothing_is_masqueraded_where_no_rules_may_be_made() -> None:
    given = facts()
    given = replace(given, options=replace(given.options, iptables=False))

    assert default(given).options["com.docker.network.bridge.enable_ip_masquerade"] == "false"


@pytest.mark.parametrize(
    ("options", "prefix", "gateway", "ip_range"),
    [
        ({"bip": "192.168.100.5/24"}, "192.168.100.0/24", "192.168.100.5", None),
        ({"fixed_cidr": "172.17.1.0/24"}, "172.17.0.0/16", "172.17.0.1", "172.17.1.0/24"),
        ({"fixed_cidr": "172.19.1.0/24"}, "172.19.0.0/16", "172.19.0.1", "172.19.1.0/24"),
        (
            {"bip": "10.0.0.1/24", "fixed_cidr": "10.0.0.128/25"},
            "10.0.0.0/24",
            "10.0.0.1",
            "10.0.0.128/25",
        ),
        ({"bip": "10.0.0.1/24", "fixed_cidr": "10.0.0.0/24"}, "10.0.0.0/24", "10.0.0.1", None),
    ],
)
def test_address_and_range(options: dict[str, str], prefix: str, gateway: str, ip_range: str | None) -> None:
    parsers = {"bip": address, "fixed_cidr": network}
    (subnet,) = default(facts(**{key: parsers[key](text) for key, text in options.items()})).subnets

    assert (subnet.prefix, subnet.gateway) == (network(prefix), host(gateway))
    assert subnet.ip_range == (network(ip_range) if ip_range else None)


def test_own_pools_come_in_place_of_dockers() -> None:
    given = replace(facts(), pools=(Pool(network("10.0.0.0/8"), 24),))

    assert default(given).subnets[0].prefix == network("10.0.0.0/24")


def test_a_block_the_host_routes_is_left_alone() -> None:
    given = replace(facts(), occupied=(Occupied(network("172.17.0.0/16"), "a route"),))

    assert default(given).subnets[0].prefix == network("172.18.0.0/16")


def test_a_gateway_elsewhere_is_reserved_and_shown_as_docker_does() -> None:
    (subnet,) = default(facts(default_gateway=host("172.17.0.254"))).subnets

    assert subnet.router == host("172.17.0.254")
    assert subnet.auxiliary == {"DefaultGatewayIPv4": host("172.17.0.254")}


def test_ipv6_has_its_own_options() -> None:
    four, six = default(
        facts(ipv6=True, fixed_cidr_v6=network("fd00:1::/64"), default_gateway_v6=host("fd00:1::99"))
    ).subnets

    assert four.prefix == network("172.17.0.0/16")
    assert (six.prefix, six.gateway, six.ip_range) == (network("fd00:1::/64"), host("fd00:1::1"), None)
    assert six.auxiliary == {"DefaultGatewayIPv6": host("fd00:1::99")}


def test_ipv6_comes_from_the_pools_when_nothing_says_which() -> None:
    pools = (*PREDEFINED_POOLS, Pool(network("fd00:77::/48"), 64))
    _, six = default(replace(facts(ipv6=True), pools=pools)).subnets

    assert (six.prefix, six.gateway) == (network("fd00:77::/64"), host("fd00:77::1"))


def test_ipv6_bip_makes_the_fixed_block_a_part() -> None:
    _, six = default(
        facts(ipv6=True, bip6=address("fd00:1::5/64"), fixed_cidr_v6=network("fd00:1::/80"))
    ).subnets

    assert (six.prefix, six.gateway, six.ip_range) == (
        network("fd00:1::/64"),
        host("fd00:1::5"),
        network("fd00:1::/80"),
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (facts(fixed_cidr=network("10.1.0.0/24")), "10.1.0.0/24 is outside of 172.17.0.0/16"),
        (facts(bip=address("10.0.0.0/24")), "network or broadcast address of 10.0.0.0/24"),
        (
            facts(default_gateway=host("10.0.0.9")),
            "auxiliary address: (DefaultGatewayIPv4:10.0.0.9) must belong to the master pool: 172.17.0.0/16",
        ),
        (facts(name="br9"), "bridge device with non default name br9 must be created manually"),
        (
            facts(Standing("br0", is_bridge=False, ours=False), name="br0"),
            "existing interface br0 is not a bridge",
        ),
        (
            facts(docker0("172.17.0.1/16", ours=False, ports=("veth1", "veth2"))),
            "docker0 is used by veth1, veth2",
        ),
        (
            replace(facts(docker0("172.17.0.1/16", ours=False)), rival="dockerd (process 7)"),
            "docker0 is used by dockerd (process 7)",
        ),
        (facts(ipv6=True), "IPv6 is enabled for the default bridge, but no subnet is configured"),
    ],
)
def test_what_cannot_be_is_refused(given: HostFacts, words: str) -> None:
    assert words in refusal(given)


@pytest.mark.parametrize("ours", [True, False])
def test_bip_does_not_change_a_docker0_with_another_address(*, ours: bool) -> None:
    words = refusal(facts(docker0("172.17.0.1/16", ours=ours), bip=address("192.168.100.1/24")))

    assert "172.17.0.1/16 of docker0 does not match requested configuration 192.168.100.1/24" in words
    assert "ip link delete docker0" in words


def test_bip_fits_a_docker0_with_that_address() -> None:
    found = default(facts(docker0("10.9.0.1/24"), bip=address("10.9.0.1/24")))

    assert found.subnets[0].prefix == network("10.9.0.0/24")


def test_without_bip_docker0_keeps_what_it_has() -> None:
    assert default(facts(docker0("10.9.0.1/24"))).subnets[0].gateway == host("10.9.0.1")


def test_the_address_around_the_range_is_preferred() -> None:
    standing = docker0("10.9.0.1/24", "10.8.0.1/24")

    assert default(facts(standing, fixed_cidr=network("10.8.0.128/25"))).subnets[0].prefix == network(
        "10.8.0.0/24"
    )


def test_a_subnet_of_another_network_is_not_taken() -> None:
    snapshot = Snapshot().put(user_network("172.17.0.0/16"))

    assert default(facts(), snapshot).subnets[0].prefix == network("172.18.0.0/16")
    assert "overlaps 172.17.0.0/16 of network user" in refusal(facts(bip=address("172.17.9.1/24")), snapshot)


def test_a_bridge_of_another_network_is_not_taken() -> None:
    snapshot = Snapshot().put(user_network("10.0.0.0/24", "br0"))
    standing = Standing("br0", is_bridge=True, ours=True, own=(address("10.0.0.1/24"),))

    assert "br0 is the bridge of network user" in refusal(facts(standing, name="br0"), snapshot)


def test_a_bridge_of_the_users_is_used_and_not_touched() -> None:
    standing = Standing(
        "br0", is_bridge=True, ours=False, foreign=(address("188.18.0.1/16"),), ports=("vm1",)
    )
    found = default(facts(standing, name="br0"))

    assert found.bridge is not None
    assert (found.bridge.name, found.bridge.managed) == ("br0", False)
    assert found.subnets[0].prefix == network("188.18.0.0/16")
    assert list(BridgeDriver(NoFirewall()).network_objects(found)) == []
    others = [type(item) for item in BridgeDriver(NftSpelling()).network_objects(found)]
    assert set(others) == {FirewallElement, Sysctl}


def test_a_bridge_without_an_address_gets_one_and_nothing_else() -> None:
    found = default(facts(Standing("br0", is_bridge=True, ours=False), name="br0"))

    assert list(BridgeDriver(NoFirewall()).network_objects(found)) == [
        LinkAddress("", "br0", address("172.17.0.1/16"))
    ]


def test_docker0_of_ours_is_made_and_addressed() -> None:
    kinds = [type(item) for item in BridgeDriver(NoFirewall()).network_objects(default(facts()))]

    assert kinds == [Bridge, LinkAddress]


def test_none_leaves_it_out_and_forgets_a_stored_one() -> None:
    stored = Snapshot().put(default(facts()))
    outcome = established(stored, facts(name="none"), IDS, "now")

    assert sorted(item.name for item in outcome.snapshot.networks.values()) == ["host", "none"]
    assert outcome.warnings == ()


def test_unused_it_is_made_anew_and_keeps_its_id() -> None:
    stored = replace(default(facts()), id=NetworkID("f" * 64), created="before")
    found = default(facts(bip=address("10.0.0.1/24"), icc=False), Snapshot().put(stored))

    assert (found.id, found.created) == (stored.id, "before")
    assert (found.subnets[0].gateway, found.bridge and found.bridge.icc) == (host("10.0.0.1"), False)


def test_under_containers_all_but_the_place_may_change() -> None:
    snapshot = with_container(default(facts()))
    outcome = established(snapshot, facts(docker0("172.17.0.1/16"), icc=False, mtu=1300), IDS, "now")
    found = outcome.snapshot.network_named("bridge")

    assert outcome.warnings == ()
    assert found is not None
    assert found.bridge == BridgeOptions("docker0", icc=False, mtu=1300, is_default=True)


def test_under_containers_another_bridge_waits_and_is_named() -> None:
    stored = default(facts())
    standing = Standing("br0", is_bridge=True, ours=False, foreign=(address("188.18.0.1/16"),))
    outcome = established(with_container(stored), facts(standing, name="br0"), IDS, "now")

    assert outcome.snapshot.network_named("bridge") == stored
    assert "it is on docker0, not br0; it has 172.17.0.1/16, not 188.18.0.1/16" in outcome.warnings[0]


def test_under_containers_none_waits() -> None:
    outcome = established(with_container(default(facts())), facts(name="none"), IDS, "now")

    assert outcome.snapshot.network_named("bridge") is not None
    assert len(outcome.warnings) == 1


def test_a_docker0_that_went_away_under_containers_comes_back_the_same() -> None:
    stored = default(facts(bip=address("10.9.0.1/24")))
    outcome = established(with_container(stored), facts(), IDS, "now")

    assert outcome.snapshot.network_named("bridge") == stored
    assert outcome.warnings == ()


def test_under_containers_bip_with_another_address_is_refused() -> None:
    snapshot = with_container(default(facts()))

    assert "does not match" in refusal(facts(bip=address("10.0.0.1/24")), snapshot)
