"""Subnets, addresses and interface names as the whole engine gives them out."""

import ipaddress

import pytest

from bridgehead.core.ipam.subnets import Occupied
from bridgehead.core.model.addresses import Address, Prefix
from bridgehead.core.model.errors import Forbidden, HostRefused, InvalidParameter
from bridgehead.core.model.network import EndpointWish
from bridgehead.core.model.requests import ContainerRequest, NetworkRequest, SubnetRequest
from bridgehead.core.plan.objects import Bridge, LinkAddress, Route, Sysctl, Veth
from tests.sim.world import World, begun

VPN = Occupied(ipaddress.ip_network("172.18.0.0/15"), "the route 172.18.0.0/15 via 10.8.0.1 dev tun0")


def subnet(world: World, name: str) -> Prefix:
    network = world.engine.snapshot.network_named(name)
    assert network is not None
    return network.subnets[0].prefix


def address(world: World, name: str) -> str:
    container = world.engine.snapshot.find_container(name)
    [endpoint] = [one for one in world.engine.snapshot.endpoints.values() if one.container == container.id]
    return str(endpoint.addresses[0].ip)


def static(text: str) -> EndpointWish:
    chosen: Address = ipaddress.ip_address(text)
    return EndpointWish((chosen,))


async def test_more_networks_than_docker_has_pools() -> None:
    world = await begun()

    for number in range(300):
        await world.network(f"n{number}")

    blocks = [subnet(world, f"n{number}") for number in range(300)]
    assert [str(block) for block in blocks[:2]] == ["172.18.0.0/16", "172.19.0.0/16"]
    assert sum(block.num_addresses for block in blocks) == sum(
        block.num_addresses
        for block in ipaddress.collapse_addresses(blocks)  # type: ignore[type-var]
    )
    await world.engine.end()


async def test_a_pool_never_overlaps_a_route_that_appeared_later() -> None:
    world = await begun()
    world.around.seen.append(VPN)

    await world.network("later")

    assert subnet(world, "later") == ipaddress.ip_network("172.20.0.0/16")
    await world.engine.end()


async def test_a_chosen_subnet_over_a_route_is_made_with_a_warning() -> None:
    world = await begun()
    world.around.seen.append(VPN)
    request = NetworkRequest("chosen", subnets=(SubnetRequest("172.18.7.0/24"),))

    network, warnings = await world.engine.networks.create(request)

    assert str(network.subnets[0].prefix) == "172.18.7.0/24"
    assert len(warnings) == 1
    assert VPN.by in warnings[0]
    await world.engine.end()


async def test_a_refused_network_burns_no_subnet() -> None:
    world = await begun()
    world.switch.effects, world.switch.refuse_at = 0, 2

    with pytest.raises(HostRefused):
        await world.network("refused")
    with pytest.raises(InvalidParameter):
        await world.engine.networks.create(
            NetworkRequest("bad", options={"com.docker.network.driver.mtu": "wide"})
        )
    await world.network("next")

    assert str(subnet(world, "next")) == "172.18.0.0/16"
    await world.engine.end()


async def test_ipv6_on_links_too_small_for_it_is_refused_before_anything_is_made() -> None:
    world = await begun()
    options = {"com.docker.network.driver.mtu": "1279"}

    with pytest.raises(InvalidParameter, match="1279: IPv6 needs 1280"):
        await world.engine.networks.create(NetworkRequest("small", options=options, ipv6=True))
    network, _ = await world.engine.networks.create(NetworkRequest("small", options=options))

    assert network.bridge
    assert network.bridge.mtu == 1279
    await world.engine.end()


async def test_a_static_address_of_a_stopped_container_is_kept() -> None:
    world = await begun()
    await world.network("lan")
    request = ContainerRequest(
        "keeper", "busybox", command=("sh",), network_mode="lan", networks={"lan": static("172.18.0.2")}
    )
    await world.engine.containers.create(request)

    await world.run("dynamic", "lan")
    with pytest.raises(Forbidden, match="reserved for container keeper"):
        await world.engine.networks.connect("lan", await stopped(world), static("172.18.0.2"))
    await world.engine.containers.start("keeper")

    assert address(world, "dynamic") == "172.18.0.3"
    assert address(world, "keeper") == "172.18.0.2"
    await world.engine.end()


async def stopped(world: World) -> str:
    await world.engine.containers.create(ContainerRequest("other", "busybox", command=("sh",)))
    return "other"


async def test_a_static_address_on_a_network_made_later_is_kept() -> None:
    world = await begun()
    request = ContainerRequest(
        "early", "busybox", command=("sh",), network_mode="lan", networks={"lan": static("172.18.0.2")}
    )
    await world.engine.containers.create(request)
    await world.network("lan")

    await world.run("dynamic", "lan")
    await world.engine.containers.start("early")

    assert (address(world, "dynamic"), address(world, "early")) == ("172.18.0.3", "172.18.0.2")
    await world.engine.end()


async def test_an_address_given_back_is_not_given_away_at_once() -> None:
    world = await begun()
    await world.network("lan")
    await world.run("one", "lan")
    await world.run("two", "lan")

    await world.engine.containers.remove("one", force=True)
    await world.run("three", "lan")

    assert (address(world, "two"), address(world, "three")) == ("172.18.0.3", "172.18.0.4")
    await world.engine.end()


async def test_a_container_that_starts_again_has_its_address_again() -> None:
    world = await begun()
    await world.network("lan")
    await world.run("one", "lan")

    await world.engine.containers.stop("one", timeout_s=0)
    await world.run("two", "lan")
    await world.engine.containers.start("one")

    assert (address(world, "one"), address(world, "two")) == ("172.18.0.2", "172.18.0.3")
    await world.engine.end()


async def test_an_isolated_network_has_no_address_outside_and_no_gateway() -> None:
    world = await begun()
    mode = {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}

    await world.engine.networks.create(NetworkRequest("sealed", options=mode, internal=True))
    await world.run("one", "sealed")

    network = world.engine.snapshot.network_named("sealed")
    assert network is not None
    assert network.bridge is not None
    assert network.subnets[0].gateway is None
    assert address(world, "one") == "172.18.0.1"
    present = world.machine.present.values()
    assert any(isinstance(item, Bridge) and item.name == network.bridge.name for item in present)
    assert not any(isinstance(item, LinkAddress) and item.link == network.bridge.name for item in present)
    assert not any(isinstance(item, Route) for item in present)
    await world.engine.end()


async def test_ipv6_is_forwarded_once_a_network_has_it() -> None:
    world = await begun()
    forwarding = Sysctl("net/ipv6/conf/all/forwarding", "1")
    before = forwarding in world.machine.present.values()

    await world.engine.networks.create(NetworkRequest("six", ipv4=False, ipv6=True))

    assert not before
    assert forwarding in world.machine.present.values()
    assert subnet(world, "six").version == 6
    await world.engine.end()


async def test_an_interface_name_asked_for_twice_is_refused_before_anything_is_made() -> None:
    world = await begun()
    await world.network("one")
    await world.network("two")
    wish = EndpointWish(driver_options={"com.docker.network.endpoint.ifname": "wan0"})
    request = ContainerRequest("c1", "busybox", network_mode="one", networks={"one": wish, "two": wish})

    with pytest.raises(InvalidParameter, match="wan0 is asked for twice: one, two"):
        await world.engine.containers.create(request)

    assert world.engine.snapshot.containers == {}
    await world.engine.end()


async def test_settings_of_an_interface_are_born_with_it() -> None:
    world = await begun()
    setting = "net.ipv4.conf.IFNAME.log_martians=1"
    wish = EndpointWish(driver_options={"com.docker.network.endpoint.sysctls": setting})
    await world.network("lan")
    await world.engine.containers.create(
        ContainerRequest("c1", "busybox", command=("sh",), network_mode="lan", networks={"lan": wish})
    )

    await world.engine.containers.start("c1")

    [veth] = [item for item in world.machine.present.values() if isinstance(item, Veth)]
    assert veth.sysctls == (setting,)
    await world.engine.end()
