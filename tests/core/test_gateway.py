import ipaddress
from dataclasses import replace

from bridgehead.core.gateway import EVERYWHERE, default_gateways, gateway_order
from bridgehead.core.model.ids import ContainerID, EndpointID, NetworkID, SandboxID
from bridgehead.core.model.network import Endpoint, EndpointWish, Network, Subnet
from bridgehead.core.model.snapshot import Snapshot


def network(name: str, number: int, *, internal: bool = False) -> Network:
    prefix = ipaddress.ip_network(f"10.{number}.0.0/24")
    subnet = Subnet(prefix, prefix.network_address + 1)
    return Network(NetworkID(name), name, "bridge", "", subnets=(subnet,), internal=internal)


def endpoint(where: Network, interface: str, priority: int = 0) -> Endpoint:
    address = ipaddress.ip_interface(f"{where.subnets[0].prefix.network_address + 9}/24")
    return Endpoint(
        EndpointID(f"e-{where.name}"),
        where.id,
        SandboxID("s"),
        ContainerID("c"),
        EndpointWish(gateway_priority=priority),
        interface=interface,
        addresses=(address,),
    )


INNER, ALPHA, BETA = network("a-inner", 1, internal=True), network("alpha", 2), network("beta", 3)


def names(*endpoints: Endpoint) -> list[str]:
    snapshot = Snapshot().put(INNER, ALPHA, BETA)
    return [where.name for _, where in gateway_order(snapshot, endpoints)]


def test_networks_that_lead_outside_come_first_then_the_name_decides() -> None:
    order = names(endpoint(INNER, "eth0"), endpoint(BETA, "eth1"), endpoint(ALPHA, "eth2"))

    assert order == ["alpha", "beta", "a-inner"]


def test_priority_outweighs_everything() -> None:
    assert names(endpoint(ALPHA, "eth0"), endpoint(BETA, "eth1", priority=7)) == ["beta", "alpha"]


def test_one_default_route_a_family_and_none_through_an_internal_network() -> None:
    pairs = [
        (endpoint(INNER, "eth0"), INNER),
        (endpoint(ALPHA, "eth1"), ALPHA),
        (endpoint(BETA, "eth2"), BETA),
    ]

    routes = list(default_gateways(pairs))

    assert [(EVERYWHERE[4], ipaddress.ip_address("10.2.0.1"), "eth1")] == routes
    assert list(default_gateways(pairs[:1])) == []


SIX = ipaddress.ip_network("fd00:4::/64")
DUAL = replace(
    network("zz-dual", 4), subnets=(*network("zz-dual", 4).subnets, Subnet(SIX, SIX.network_address + 1))
)


def test_a_network_that_leads_out_in_both_families_comes_first() -> None:
    snapshot = Snapshot().put(ALPHA, DUAL)
    order = gateway_order(snapshot, [endpoint(ALPHA, "eth0"), endpoint(DUAL, "eth1")])

    assert [where.name for _, where in order] == ["zz-dual", "alpha"]


def test_each_family_may_have_a_way_out_of_its_own() -> None:
    both = replace(
        endpoint(DUAL, "eth1"),
        addresses=(*endpoint(DUAL, "eth1").addresses, ipaddress.ip_interface("fd00:4::9/64")),
    )

    routes = list(default_gateways([(endpoint(ALPHA, "eth0", priority=1), ALPHA), (both, DUAL)]))

    assert [(str(gateway), interface) for _, gateway, interface in routes] == [
        ("10.2.0.1", "eth0"),
        ("fd00:4::1", "eth1"),
    ]
