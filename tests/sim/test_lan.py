"""macvlan and ipvlan on the machine in memory: what this kernel cannot make is made here."""

import ipaddress

import pytest

from bridgehead.core.drivers.api import HostLink
from bridgehead.core.model.errors import Forbidden, InvalidParameter
from bridgehead.core.model.network import EndpointWish
from bridgehead.core.model.requests import SubnetRequest
from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.core.plan.notice import LinkGone
from bridgehead.core.plan.objects import Route
from tests.sim.test_vigil import until, watched
from tests.sim.world import World, begun

VLAN = {"parent": "eth9.50"}


def parents(world: World) -> set[str]:
    return {item.name for item in world.machine.present.values() if isinstance(item, ParentLink)}


def sublinks(world: World) -> list[SubLink]:
    return [item for item in world.machine.present.values() if isinstance(item, SubLink)]


def default_routes(world: World) -> set[tuple[str, str]]:
    return {
        (item.link, str(item.gateway))
        for item in world.machine.present.values()
        if isinstance(item, Route) and item.destination.prefixlen == 0
    }


def seen(world: World) -> None:
    """As the kernel would show what was made."""
    for name in parents(world):
        world.parents.present[name] = HostLink(name)


async def test_a_made_parent_goes_with_the_last_of_its_networks_and_survives_every_start() -> None:
    world = await begun()
    await world.network("first", driver="macvlan", options=VLAN)
    seen(world)
    await world.network("second", driver="macvlan", options=VLAN)
    assert parents(world) == {"eth9.50"}

    await world.engine.networks.remove("first")
    assert parents(world) == {"eth9.50"}
    await world.engine.end()
    await world.reborn()
    assert parents(world) == {"eth9.50"}
    await world.run("one", "second")
    assert [link.lower for link in sublinks(world)] == ["eth9.50"]

    await world.engine.containers.remove("one", force=True)
    await world.engine.networks.remove("second")
    assert parents(world) == set()
    assert world.machine.present == world.desired()
    await world.engine.end()


async def test_a_parent_that_was_there_is_left_there() -> None:
    world = await begun()
    world.parents.present["eth9.50"] = HostLink("eth9.50")
    await world.network("first", driver="macvlan", options=VLAN)
    await world.network("second", driver="macvlan", options=VLAN)

    assert parents(world) == set()
    await world.engine.end()


async def test_a_network_without_a_parent_has_a_dummy_and_no_way_out() -> None:
    world = await begun()
    await world.network("alone", driver="macvlan")
    await world.run("one", "alone")
    await world.run("two", "alone")

    [dummy] = parents(world)
    assert dummy.startswith("dm-")
    assert {link.lower for link in sublinks(world)} == {dummy}
    assert default_routes(world) == set()
    assert world.engine.snapshot.find_network("alone").internal
    assert world.machine.present == world.desired()
    await world.engine.end()


@pytest.mark.parametrize(("mode", "gateway"), [("l2", "172.18.0.1"), ("l3", "None"), ("l3s", "None")])
async def test_the_way_out_of_ipvlan_is_a_gateway_or_the_link_itself(mode: str, gateway: str) -> None:
    world = await begun()
    await world.network("lan", driver="ipvlan", options={"parent": "eth9", "ipvlan_mode": mode}, ipv6=True)
    await world.run("one", "lan")

    [link] = sublinks(world)
    assert (link.mode, link.flag, link.mac) == (mode, "bridge", "")
    assert ("eth0", gateway) in default_routes(world)
    subnets = world.engine.snapshot.find_network("lan").subnets
    assert {bool(subnet.gateway) for subnet in subnets} == {mode == "l2"}
    await world.engine.end()


async def test_a_routed_network_and_a_bridge_take_turns_by_priority() -> None:
    world = await begun()
    await world.network("a-bridge")
    await world.network("b-routed", driver="ipvlan", options={"parent": "eth9", "ipvlan_mode": "l3"})
    await world.run("one", "a-bridge")
    assert default_routes(world) == {("eth0", "172.18.0.1")}

    await world.engine.networks.connect("b-routed", "one", EndpointWish(gateway_priority=1))

    assert default_routes(world) == {("eth1", "None")}
    await world.engine.networks.disconnect("b-routed", "one", force=False)
    assert default_routes(world) == {("eth0", "172.18.0.1")}
    await world.engine.end()


async def test_ipvlan_takes_no_mac_address() -> None:
    world = await begun()
    await world.network("lan", driver="ipvlan", options={"parent": "eth9"})
    wish = EndpointWish(mac="02:00:00:00:00:01")

    with pytest.raises(InvalidParameter, match="ipvlan interfaces do not support custom mac address"):
        await world.create("one", "lan", networks={"lan": wish})
    await world.run("two", "bridge")
    with pytest.raises(InvalidParameter, match="ipvlan interfaces do not support custom mac address"):
        await world.engine.networks.connect("lan", "two", wish)
    await world.engine.end()


async def test_a_second_endpoint_does_not_fit_through_and_changes_nothing() -> None:
    world = await begun()
    await world.network("lan", driver="macvlan", options={"parent": "eth9", "macvlan_mode": "passthru"})
    await world.run("one", "lan")
    await world.run("two", "bridge")
    before = dict(world.machine.present)

    with pytest.raises(Forbidden, match="to one container alone, and one has it"):
        await world.engine.networks.connect("lan", "two", EndpointWish())

    assert before == world.machine.present
    await world.engine.end()


async def test_a_mac_address_in_use_upon_the_parent_is_said_with_its_holder() -> None:
    world = await begun()
    for name in ("first", "second"):
        await world.network(name, driver="macvlan", options={"parent": "eth9"})
    wish = EndpointWish(mac="02:00:00:00:00:01")
    await world.run("one", "first", networks={"first": wish})
    await world.run("two", "bridge")

    with pytest.raises(Forbidden, match="MAC address 02:00:00:00:00:01 is in use upon eth9: container one"):
        await world.engine.networks.connect("second", "two", wish)
    await world.engine.end()


async def test_a_vlan_that_somebody_deleted_comes_back_with_all_upon_it() -> None:
    async with watched() as (world, ear):
        await world.network("tagged", driver="macvlan", options=VLAN)
        await world.run("one", "tagged")
        whole = dict(world.machine.present)
        for item in [item for item in whole.values() if isinstance(item, ParentLink | SubLink)]:
            world.machine._delete(item)

        ear.tell(LinkGone("eth9.50", "somebody (pid 7)"))

        await until(lambda: world.machine.present == whole)


async def test_a_parent_that_is_gone_is_told_for_each_of_its_networks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with watched() as (world, ear):
        await world.network("tagged", driver="macvlan", options=VLAN)
        await world.network("plain", driver="macvlan", options={"parent": "eth9"})

        ear.tell(LinkGone("eth9"))

        await until(lambda: "network plain: parent interface eth9 is gone; 0 endpoints" in caplog.text)
        assert "network tagged: parent interface eth9 is gone" in caplog.text


async def test_a_full_subnet_is_followed_by_the_next() -> None:
    world = await begun()
    subnets = (SubnetRequest("10.0.0.0/30"), SubnetRequest("10.0.1.0/30"))
    await world.network("lan", driver="macvlan", options={"parent": "eth9"}, subnets=subnets)

    for name in ("one", "two"):
        await world.run(name, "lan")

    given = {
        address for endpoint in world.engine.snapshot.endpoints.values() for address in endpoint.addresses
    }
    assert given == {ipaddress.ip_interface("10.0.0.2/30"), ipaddress.ip_interface("10.0.1.2/30")}
    assert default_routes(world) == {("eth0", "10.0.0.1"), ("eth0", "10.0.1.1")}
    await world.engine.end()


async def test_null_ipam_gives_nothing_and_bridge_does_without_it() -> None:
    world = await begun()
    await world.network("bare", driver="macvlan", options={"parent": "eth9"}, ipam_driver="null")
    await world.run("one", "bare")

    [endpoint] = world.engine.snapshot.endpoints.values()
    assert endpoint.addresses == ()
    assert world.machine.present == world.desired()
    with pytest.raises(InvalidParameter, match="ipv4 pool is empty"):
        await world.network("wrong", ipam_driver="null")
    await world.engine.end()
