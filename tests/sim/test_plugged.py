"""Networks of plugins: whatever refuses, is away or dies, plugin and daemon agree in the end."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from bridgehead.core.model.errors import BridgeheadError, Forbidden, PluginRefused, PluginUnreachable
from bridgehead.core.model.network import EndpointWish, Phase
from bridgehead.core.model.plugged import Told
from bridgehead.core.model.requests import SubnetRequest
from tests.sim.plugin import NAME
from tests.sim.world import Act, World, begun, cut_at

SUBNET = (SubnetRequest("10.50.0.0/24"),)


async def plugged(world: World, name: str = "pn", **words: Any) -> None:
    chosen = {"driver": NAME, "ipam_driver": NAME, "subnets": SUBNET} | words
    await world.network(name, **chosen)


async def settled(world: World) -> None:
    """Until nothing is owed to the plugin any more."""
    for _ in range(200):
        snapshot = world.engine.snapshot
        leaving = [network for network in snapshot.networks.values() if network.phase is not Phase.READY]
        if not snapshot.farewells and not leaving and world.machine.present == world.desired():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"still owed: {list(snapshot.farewells.values())} {leaving}")


def agree(world: World) -> None:
    """What the plugin holds is what the snapshot says that it holds, and the machine shows it."""
    snapshot = world.engine.snapshot
    ours = {item.id: item for item in snapshot.networks.values() if item.plugged}
    assert world.plugin.networks == {item.id for item in ours.values() if item.driven_by_plugin}
    held = {
        str(subnet.prefix) for item in ours.values() if item.addressed_by_plugin for subnet in item.subnets
    }
    assert set(world.plugin.pools) == held
    ends = {item.id: item for item in snapshot.endpoints.values() if item.plugged}
    made = {item.id for item in ends.values() if ours[item.network].driven_by_plugin}
    assert set(world.plugin.endpoints) == made
    for identifier, told in world.plugin.endpoints.items():
        known = ends[identifier].plugged
        assert known is not None
        assert ("joined" in told, "external" in told) == (
            known.joined is Told.DONE,
            known.external is Told.DONE,
        )
    for item in ours.values():
        given = {
            str(address.ip) for end in ends.values() if end.network == item.id for address in end.addresses
        }
        own = {str(subnet.gateway) for subnet in item.subnets}
        for subnet in item.subnets if item.addressed_by_plugin else ():
            assert world.plugin.pools[str(subnet.prefix)] == given | own
    assert world.machine.present == world.desired()


async def running(world: World) -> None:
    await plugged(world)
    await world.run("c1", "pn")


async def connected(world: World) -> None:
    await world.network("bn")
    await world.run("c1", "bn")
    await plugged(world)
    await world.engine.networks.connect("pn", "c1", EndpointWish())


async def left(world: World) -> None:
    await connected(world)
    await world.engine.networks.disconnect("pn", "c1", force=False)


async def without_gateway(world: World) -> None:
    world.plugin.gateway = False
    await running(world)
    await world.network("bn")
    await world.engine.networks.connect("bn", "c1", EndpointWish())
    await world.engine.networks.disconnect("bn", "c1", force=False)


async def stopped(world: World) -> None:
    await running(world)
    await world.engine.containers.remove("c1", force=True)


async def removed(world: World) -> None:
    await stopped(world)
    await world.engine.networks.remove("pn")


async def addressed_only(world: World) -> None:
    await world.network("bn", ipam_driver=NAME, subnets=SUBNET)
    await world.run("c1", "bn")
    await world.engine.containers.remove("c1", force=True)
    await world.engine.networks.remove("bn")


ACTS: list[Act] = [plugged, running, connected, left, without_gateway, stopped, removed, addressed_only]


@pytest.mark.parametrize("act", ACTS)
async def test_plugin_and_daemon_agree_after_every_act(act: Act) -> None:
    world = await begun()

    await act(world)

    await settled(world)
    agree(world)
    await world.engine.end()


@pytest.mark.parametrize("act", ACTS)
async def test_a_daemon_killed_at_any_effect_comes_to_agree_with_the_plugin(act: Act) -> None:
    at = 0
    dark = True
    while dark:
        at += 1
        world = await begun()
        await cut_at(world, act, at)
        dark = world.switch.dark
        await world.reborn()
        await settled(world)
        agree(world)
        await world.engine.end()
    assert at > 5


@pytest.mark.parametrize("act", ACTS)
async def test_a_plugin_that_is_away_at_any_call_is_told_when_it_is_back(act: Act) -> None:
    calls = 0
    while True:
        world = await begun()
        _away_after(world, calls)
        with suppress(BridgeheadError):
            await act(world)
        was_away, world.plugin.away = world.plugin.away, False
        _stay(world)
        await settled(world)
        agree(world)
        await world.engine.end()
        if not was_away:
            break
        calls += 1
    assert calls > 3


def _away_after(world: World, calls: int) -> None:
    """The plugin goes away once it has answered so many calls."""
    whole = world.plugin.call
    answered = 0

    async def counted(*words: Any) -> Any:
        nonlocal answered
        if answered == calls:
            world.plugin.away = True
        answered += 1
        return await whole(*words)

    world.plugin.call = counted  # type: ignore[method-assign]


def _stay(world: World) -> None:
    del world.plugin.call


@pytest.mark.parametrize(
    "method", ["RequestPool", "RequestAddress", "CreateNetwork", "CreateEndpoint", "Join"]
)
async def test_a_refusal_reaches_the_user_in_the_plugins_words_and_leaves_nothing(method: str) -> None:
    world = await begun()
    world.plugin.refuses = {method}

    with pytest.raises(PluginRefused, match=f"remote: no {method}"):
        await running(world)

    world.plugin.refuses = set()
    await settled(world)
    agree(world)
    await world.engine.end()


async def test_a_network_that_its_plugin_does_not_let_go_stays_and_can_be_removed_later() -> None:
    world = await begun()
    await plugged(world)
    world.plugin.refuses = {"DeleteNetwork"}

    with pytest.raises(PluginRefused, match="no DeleteNetwork"):
        await world.engine.networks.remove("pn")

    assert world.engine.snapshot.find_network("pn").phase is Phase.LEAVING
    await world.create("c1", "pn")
    with pytest.raises(Forbidden, match="is being removed"):
        await world.engine.containers.start("c1")
    world.plugin.refuses = set()
    await world.engine.networks.remove("pn")
    agree(world)
    await world.engine.end()


async def test_without_its_plugin_a_network_is_removed_only_by_force() -> None:
    world = await begun()
    await plugged(world)
    before = world.engine.snapshot
    world.plugin.away = True

    with pytest.raises(PluginUnreachable):
        await world.engine.networks.remove("pn")

    assert world.engine.snapshot.networks == before.networks
    await world.engine.networks.remove("pn", force=True)
    assert "pn" not in {network.name for network in world.engine.snapshot.networks.values()}
    await world.engine.end()


async def test_a_plugin_that_is_down_at_boot_leaves_its_networks_and_is_told_apart() -> None:
    world = await begun()
    await running(world)
    world.plugin.away, world.plugin.replays = True, True
    await world.reborn()
    async with asyncio.timeout(10):
        while NAME not in world.engine.plugged.absent:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)

    assert world.engine.plugged.absent == {NAME: "plug is away"}
    assert world.engine.snapshot.find_network("pn").phase is Phase.READY
    world.plugin.away = False
    async with asyncio.timeout(10):
        while world.engine.plugged.absent:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    agree(world)
    await world.engine.end()


async def test_the_way_out_is_told_to_the_plugin_as_it_moves() -> None:
    world = await begun()
    await running(world)
    await world.network("an")
    world.plugin.heard.clear()

    await world.engine.networks.connect("an", "c1", EndpointWish())
    moved = list(world.plugin.heard)
    await world.engine.networks.disconnect("an", "c1", force=False)

    assert moved == ["RevokeExternalConnectivity", "EndpointOperInfo"]
    assert world.plugin.heard == [*moved, "ProgramExternalConnectivity", "EndpointOperInfo"]
    agree(world)
    await world.engine.end()


def service_endpoints(world: World) -> list[str]:
    snapshot = world.engine.snapshot
    return [snapshot.networks[item.network].name for item in snapshot.endpoints.values() if item.service]


@pytest.mark.parametrize("own_way_out", [False, True])
async def test_a_sandbox_whose_plugin_leads_nowhere_gets_a_way_out_unless_it_wants_none(
    own_way_out: bool,
) -> None:
    world = await begun()
    world.plugin.gateway, world.plugin.own_way_out = False, own_way_out
    await running(world)

    assert service_endpoints(world) == ([] if own_way_out else ["docker_gwbridge"])

    await world.network("bn")
    await world.engine.networks.connect("bn", "c1", EndpointWish())
    assert service_endpoints(world) == []
    await world.engine.networks.disconnect("bn", "c1", force=False)
    assert service_endpoints(world) == ([] if own_way_out else ["docker_gwbridge"])
    agree(world)
    await world.engine.end()
