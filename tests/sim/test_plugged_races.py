"""A plugin that takes its time, and what happens meanwhile."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import pytest

from bridgehead.core.model.errors import BridgeheadError, Forbidden, NotFound, PluginUnreachable
from bridgehead.core.model.network import EndpointWish
from bridgehead.core.model.requests import SubnetRequest
from tests.sim.test_plugged import agree, plugged, settled
from tests.sim.world import World, begun, vanish


class Thinking:
    """A call of one method that the plugin is thinking about, from the first until `done`."""

    def __init__(self, world: World, method: str) -> None:
        self._plugin, self._method = world.plugin, method
        self._plugin.heard.clear()
        self._plugin.thinking[method] = asyncio.Event()

    async def begun(self) -> None:
        async with asyncio.timeout(5):
            while self._method not in self._plugin.heard:  # noqa: ASYNC110 - the plugin tells nobody
                await asyncio.sleep(0.001)

    def done(self) -> None:
        self._plugin.thinking.pop(self._method).set()


async def while_thinking(world: World, method: str, act: Coroutine[Any, Any, None]) -> tuple[Any, Thinking]:
    thinking = Thinking(world, method)
    task = asyncio.ensure_future(act)
    await thinking.begun()
    return task, thinking


async def ended(task: "asyncio.Future[None]") -> BridgeheadError | None:
    async with asyncio.timeout(5):
        try:
            await task
        except BridgeheadError as error:
            return error
    return None


async def some_turns() -> None:
    for _ in range(50):
        await asyncio.sleep(0.001)


def connect(world: World, network: str, container: str = "c1") -> Coroutine[Any, Any, None]:
    return world.engine.networks.connect(network, container, EndpointWish())


@pytest.mark.parametrize(
    "method", ["RequestAddress", "CreateEndpoint", "Join", "ProgramExternalConnectivity"]
)
async def test_a_container_that_ends_while_a_plugin_thinks_leaves_nothing(method: str) -> None:
    world = await begun()
    await plugged(world)
    await world.create("c1", "none")
    world.plugin.leases.clear()
    await world.network("an", internal=True)
    await world.run("c2", "an")
    task, thinking = await while_thinking(world, method, connect(world, "pn", "c2"))

    world.processes.die(world.engine.snapshot.find_container("c2").id, 0)
    await some_turns()
    thinking.done()
    await ended(task)

    await settled(world)
    agree(world)
    await world.engine.end()


@pytest.mark.parametrize("method", ["RequestAddress", "CreateEndpoint", "Join"])
async def test_two_connects_at_once_ask_once_for_each(method: str) -> None:
    world = await begun()
    await plugged(world, "p1")
    await plugged(world, "p2", subnets=(SubnetRequest("10.51.0.0/24"),))
    await world.network("an")
    await world.run("c1", "an")
    first, thinking = await while_thinking(world, method, connect(world, "p1"))
    second = asyncio.ensure_future(connect(world, "p2"))
    await some_turns()

    thinking.done()

    assert (await ended(first), await ended(second)) == (None, None)
    assert world.plugin.heard.count("RequestAddress") == 2
    assert world.plugin.heard.count("CreateEndpoint") == 2
    assert world.plugin.heard.count("Join") == 2
    agree(world)
    await world.engine.end()


async def test_a_connect_during_a_start_has_its_own_questions() -> None:
    world = await begun()
    await plugged(world, "p1")
    await plugged(world, "p2", subnets=(SubnetRequest("10.51.0.0/24"),))
    await world.create("c1", "p1")
    start, thinking = await while_thinking(world, "CreateEndpoint", world.engine.containers.start("c1"))
    meanwhile = asyncio.ensure_future(connect(world, "p2"))
    await some_turns()

    thinking.done()

    assert (await ended(start), await ended(meanwhile)) == (None, None)
    assert world.plugin.heard.count("Join") == 2
    agree(world)
    await world.engine.end()


async def test_a_sandbox_gets_one_way_out_however_many_ask_for_it() -> None:
    world = await begun()
    world.plugin.gateway = False
    await plugged(world, "p1")
    await plugged(world, "p2", subnets=(SubnetRequest("10.51.0.0/24"),))
    await world.network("an", internal=True)
    await world.run("c1", "an")

    await asyncio.gather(connect(world, "p1"), connect(world, "p2"))

    assert len([end for end in world.engine.snapshot.endpoints.values() if end.service]) == 1
    agree(world)
    await world.engine.end()


async def test_a_network_that_is_joined_while_it_is_to_go_stays() -> None:
    world = await begun()
    await plugged(world)
    await world.run("c1", "pn")
    thinking = Thinking(world, "Leave")
    gone = asyncio.ensure_future(world.engine.networks.disconnect("pn", "c1", force=False))
    await thinking.begun()
    await world.create("c2", "pn")
    removal = asyncio.ensure_future(world.engine.networks.remove("pn"))
    await some_turns()
    start = asyncio.ensure_future(world.engine.containers.start("c2"))
    await some_turns()

    thinking.done()

    refused = await ended(removal)
    assert isinstance(refused, Forbidden)
    assert "c2" in refused.message
    assert (await ended(gone), await ended(start)) == (None, None)
    agree(world)
    await world.engine.end()


async def test_a_network_that_two_remove_goes_once() -> None:
    world = await begun()
    await plugged(world)
    first, thinking = await while_thinking(world, "ReleasePool", world.engine.networks.remove("pn"))
    second = asyncio.ensure_future(world.engine.networks.remove("pn"))
    await some_turns()

    thinking.done()

    assert await ended(first) is None
    assert isinstance(await ended(second), NotFound)
    assert world.plugin.heard.count("ReleasePool") == 1
    assert world.plugin.heard.count("DeleteNetwork") == 1
    await world.engine.end()


async def test_a_slow_plugin_holds_up_the_end_of_its_own_containers_alone() -> None:
    world = await begun()
    await plugged(world)
    await world.network("an")
    await world.run("c1", "pn")
    await world.run("c2", "an")
    slow, thinking = await while_thinking(world, "Leave", world.engine.containers.remove("c1", force=True))

    async with asyncio.timeout(2):  # and not the patience that the other one has to have
        await world.engine.containers.remove("c2", force=True)

    thinking.done()
    assert await ended(slow) is None
    await world.engine.end()


async def test_a_slow_plugin_does_not_hold_up_the_daemons_start() -> None:
    world = await begun()
    await plugged(world)
    for name in ("c1", "c2", "c3"):
        await world.run(name, "pn")
    world.plugin.thinking = {"Leave": asyncio.Event()}
    await vanish()
    for container in list(world.processes.alive_):
        world.processes.die(container, 0)

    async with asyncio.timeout(4):
        await world.reborn()

    world.plugin.thinking.pop("Leave").set()
    await settled(world)
    agree(world)
    await world.engine.end()


@pytest.mark.parametrize(
    "method",
    ["RequestPool", "RequestAddress", "CreateNetwork", "CreateEndpoint", "Join", "Leave", "ReleaseAddress"],
)
async def test_what_a_plugin_did_without_saying_so_is_undone(method: str) -> None:
    world = await begun()
    world.plugin.mute = {method}
    with suppress(PluginUnreachable):
        await plugged(world)
        await world.run("c1", "pn")
        await world.engine.containers.remove("c1", force=True)

    world.plugin.mute = set()

    await settled(world)
    agree(world)
    await world.engine.end()


async def test_a_slow_plugin_holds_up_the_removal_of_a_container_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridgehead.engine.plugged.plugged._PATIENCE_S", 1.0)
    world = await begun()
    await plugged(world)
    await world.run("c1", "pn")
    begun_at = asyncio.get_running_loop().time()

    slow, thinking = await while_thinking(world, "Leave", world.engine.containers.remove("c1", force=True))
    await ended(slow)

    assert asyncio.get_running_loop().time() - begun_at < 1.9
    thinking.done()
    await settled(world)
    await world.engine.end()


async def test_what_a_plugin_has_to_say_of_an_endpoint_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridgehead.engine.plugged.plugged._PATIENCE_S", 0.1)
    world = await begun()
    await plugged(world)
    await world.create("c1", "pn")
    start, thinking = await while_thinking(world, "EndpointOperInfo", world.engine.containers.start("c1"))

    assert await ended(start) is None  # within less than the plugin is given

    thinking.done()
    agree(world)
    await world.engine.end()
