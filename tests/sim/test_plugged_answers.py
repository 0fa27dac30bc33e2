"""Plugins that forget, lie or do not let go: nothing of ours breaks, nothing is blocked for ever."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bridgehead.core.model.container import RestartPolicy, Status
from bridgehead.core.model.errors import Conflict, Forbidden, PluginAnswer, PluginRefused, PluginUnreachable
from bridgehead.core.model.network import EndpointWish
from bridgehead.core.model.plugged import Told
from bridgehead.core.model.requests import SubnetRequest
from bridgehead.core.remote import protocol as p
from tests.sim.plugin import NAME, Plugin
from tests.sim.test_plugged import agree, plugged, service_endpoints, settled
from tests.sim.world import World, begun

Change = Callable[[Plugin], None]


def answers(plugin: Plugin, method: str, answer: Callable[[Any], Any]) -> None:
    setattr(plugin, f"_on_{method}", answer)


def as_it_was(plugin: Plugin) -> None:
    for name in [name for name in vars(plugin) if name.startswith("_on_")]:
        delattr(plugin, name)


async def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


def nonsense(_: object) -> None:
    raise PluginAnswer("that makes no sense")


async def test_an_address_that_makes_no_sense_blocks_nothing() -> None:
    world = await begun()
    await plugged(world)
    await world.create("c1", "pn")
    answers(world.plugin, "RequestAddress", nonsense)

    with pytest.raises(PluginAnswer):
        await world.engine.containers.start("c1")

    await settled(world)
    as_it_was(world.plugin)
    await world.engine.containers.start("c1")
    agree(world)
    await world.engine.end()


async def test_an_address_that_another_container_has_is_refused_and_stays_its_own() -> None:
    world = await begun()
    await plugged(world)
    await world.run("c1", "pn")
    answers(world.plugin, "RequestAddress", lambda _: p.GivenAddress(address="10.50.0.2/24"))

    with pytest.raises(PluginAnswer, match=r"gave 10\.50\.0\.2 of network pn, which is held by container c1"):
        await world.run("c2", "pn")

    as_it_was(world.plugin)
    await settled(world)
    agree(world)
    await world.engine.containers.start("c2")
    agree(world)
    await world.engine.end()


async def test_an_address_from_elsewhere_is_refused_and_given_back() -> None:
    world = await begun()
    await plugged(world)
    answers(world.plugin, "RequestAddress", lambda _: p.GivenAddress(address="192.0.2.7/24"))

    with pytest.raises(PluginAnswer, match=r"192\.0\.2\.7, which is in no subnet of network pn"):
        await world.run("c1", "pn")

    await settled(world)
    assert world.plugin.heard[-1] == "ReleaseAddress"
    await world.engine.end()


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("RequestAddress", p.GivenAddress(address="fd00::1/64")),
        (
            "RequestPool",
            p.Pool(
                pool_id="10.50.0.0/24",
                pool="10.50.0.0/24",
                data={"com.docker.network.gateway": "192.0.2.1/24"},
            ),
        ),
    ],
)
async def test_a_gateway_from_elsewhere_is_refused_and_leaves_nothing(method: str, answer: p.Answer) -> None:
    world = await begun()
    world.plugin.pools["10.50.0.0/24"] = set()
    answers(world.plugin, method, lambda _: answer)

    with pytest.raises(PluginAnswer, match=r"not in its pool 10\.50\.0\.0/24"):
        await plugged(world)

    assert world.engine.snapshot.network_named("pn") is None
    assert world.plugin.pools == {}
    await world.engine.end()


async def test_a_pool_that_another_network_has_is_refused_for_a_bridge_of_ours() -> None:
    world = await begun()
    await world.network("an", subnets=(SubnetRequest("10.50.0.0/16"),))

    with pytest.raises(Forbidden, match=r"overlaps 10\.50\.0\.0/16 of network an"):
        await plugged(world, driver="bridge")

    assert world.plugin.pools == {}
    await plugged(world)  # a plugin's own network is its own affair
    await world.engine.end()


async def test_a_pool_that_is_everywhere_leaves_room_for_others() -> None:
    world = await begun()
    answers(world.plugin, "RequestPool", lambda _: p.Pool(pool_id="all", pool="0.0.0.0/0"))
    answers(world.plugin, "RequestAddress", lambda _: p.GivenAddress(address="192.0.2.1/32"))
    await plugged(world, subnets=())
    answers(world.plugin, "RequestAddress", lambda _: p.GivenAddress(address="192.0.2.7/32"))

    await world.run("c1", "pn")
    await world.network("an")
    await world.network("bn", subnets=(SubnetRequest("10.9.0.0/24"),))

    (endpoint,) = world.engine.snapshot.network_endpoints(world.engine.snapshot.find_network("pn").id)
    assert [str(address) for address in endpoint.addresses] == ["192.0.2.7/32"]
    await world.engine.end()


async def test_by_force_a_network_goes_that_its_plugin_does_not_let_go() -> None:
    world = await begun()
    await plugged(world)
    world.plugin.refuses = {"DeleteNetwork"}
    with pytest.raises(PluginRefused):
        await world.engine.networks.remove("pn")

    await world.engine.networks.remove("pn", force=True)

    assert world.engine.snapshot.network_named("pn") is None
    await world.engine.end()


async def test_nobody_waits_for_a_plugin_whose_networks_are_gone() -> None:
    world = await begun()
    await plugged(world)
    await world.run("c1", "pn")
    world.plugin.away = True
    await world.engine.containers.remove("c1", force=True)
    await eventually(lambda: NAME in world.engine.plugged.absent)

    await world.engine.networks.remove("pn", force=True)

    assert world.engine.plugged.absent == {}
    await world.engine.end()


async def test_a_plugin_that_forgot_hears_it_again_before_it_is_asked_for_more() -> None:
    world = await begun()
    world.plugin.replays = True
    await plugged(world)
    await world.run("c1", "pn")
    world.plugin.pools, world.plugin.leases, world.plugin.life = {}, {}, 2

    await world.run("c2", "pn")

    agree(world)
    await world.engine.end()


async def test_a_pool_that_has_another_name_after_that_is_known_by_it() -> None:
    world = await begun()
    world.plugin.replays = True
    _name_pools_anew(world)
    await plugged(world)
    await world.run("c1", "pn")
    world.plugin.pools, world.plugin.leases, world.plugin.life = {}, {}, 2

    await world.run("c2", "pn")
    for name in ("c1", "c2"):
        await world.engine.containers.remove(name, force=True)
    await world.engine.networks.remove("pn")

    assert world.plugin.pools == {}
    await world.engine.end()


def _name_pools_anew(world: World) -> None:
    """Each life has another length of the same pool for its name, which the fake can count with."""

    def pool(request: p.RequestPool) -> p.Pool:
        name = f"10.50.0.0/{24 + world.plugin.life}"
        world.plugin.pools[name] = set()
        return p.Pool(pool_id=name, pool="10.50.0.0/24")

    answers(world.plugin, "RequestPool", pool)


async def test_a_container_that_is_to_be_restarted_waits_for_its_plugin() -> None:
    world = await begun()
    await plugged(world)
    await world.run("c1", "pn", restart=RestartPolicy("always"))
    world.plugin.away = True

    world.processes.die(world.engine.snapshot.find_container("c1").id, 1)
    await eventually(lambda: NAME in world.engine.plugged.absent)
    await asyncio.sleep(0.5)
    waiting = world.engine.snapshot.find_container("c1").state
    world.plugin.away = False

    assert waiting.status is Status.RESTARTING
    assert "plug is away" in waiting.error
    await eventually(lambda: world.engine.snapshot.find_container("c1").state.status is Status.RUNNING)
    agree(world)
    await world.engine.end()


async def test_a_refused_revocation_does_not_keep_the_next_way_out_closed() -> None:
    world = await begun()
    await plugged(world, "zn")
    await world.run("c1", "zn")
    world.plugin.refuses = {"RevokeExternalConnectivity"}

    await plugged(world, "an", subnets=(SubnetRequest("10.51.0.0/24"),))
    await world.engine.networks.connect("an", "c1", EndpointWish())

    snapshot = world.engine.snapshot
    told = {
        snapshot.networks[end.network].name: end.plugged and end.plugged.external
        for end in snapshot.endpoints.values()
    }
    assert told == {"zn": Told.NOTHING, "an": Told.DONE}
    await world.engine.end()


@pytest.mark.parametrize(
    "words", [{"internal": True}, {"driver": NAME, "subnets": (SubnetRequest("10.52.0.0/24"),)}]
)
async def test_a_docker_gwbridge_that_leads_nowhere_is_named(words: dict[str, Any]) -> None:
    world = await begun()
    world.plugin.gateway = False
    await world.network("docker_gwbridge", **words)
    await plugged(world)
    await world.create("c1", "pn")

    with pytest.raises(Conflict, match="network docker_gwbridge of driver"):
        await world.engine.containers.start("c1")

    await settled(world)
    agree(world)
    await world.engine.networks.remove("docker_gwbridge")
    await world.engine.containers.start("c1")
    assert service_endpoints(world) == ["docker_gwbridge"]
    await world.engine.end()


async def test_a_plugin_that_dies_in_the_middle_of_a_connect_leaves_the_container_as_it_was() -> None:
    world = await begun()
    await plugged(world)
    await world.network("an")
    await world.run("c1", "an")
    world.plugin.mute = {"Join"}

    with pytest.raises(PluginUnreachable):
        await world.engine.networks.connect("pn", "c1", EndpointWish())

    world.plugin.mute = set()
    assert list(world.engine.snapshot.find_container("c1").networks) == ["an"]
    await settled(world)
    agree(world)
    await world.engine.end()
