"""Published ports through the whole engine: who gets which, what is taken back, what moves."""

import asyncio
from ipaddress import ip_address

import pytest

from bridgehead.core.model.container import PortRequest
from bridgehead.core.model.errors import Conflict, HostRefused
from bridgehead.core.model.network import EndpointWish, PortBinding
from bridgehead.core.plan.filtering import FirewallElement
from bridgehead.core.plan.objects import PortHold, Veth
from tests.sim.world import World, begun

EVERYWHERE = (ip_address("0.0.0.0"), ip_address("::"))


def _wants(*pairs: tuple[int, int]) -> tuple[PortRequest, ...]:
    return tuple(PortRequest("tcp", inside, None, outside, outside) for inside, outside in pairs)


def _bindings(world: World, name: str) -> tuple[PortBinding, ...]:
    sandbox = world.engine.snapshot.container_sandbox(world.engine.snapshot.find_container(name).id)
    assert sandbox is not None
    return sandbox.ports


def _holds(world: World) -> set[tuple[str, int]]:
    found = (item for item in world.machine.present.values() if isinstance(item, PortHold))
    return {(str(item.address), item.port) for item in found}


def _elements(world: World, set_name: str) -> dict[tuple[str, ...], str]:
    found = (item for item in world.machine.present.values() if isinstance(item, FirewallElement))
    return {item.match: item.data for item in found if item.set == set_name}


async def test_a_port_is_bound_for_both_families_at_one_number() -> None:
    world = await begun()

    await world.run("web", "bridge", published_ports=_wants((80, 8080)))

    assert _bindings(world, "web") == tuple(PortBinding("tcp", 80, host, 8080) for host in EVERYWHERE)
    assert _holds(world) == {("0.0.0.0", 8080), ("::", 8080)}
    assert world.desired() == world.machine.present


async def test_a_port_of_another_container_is_refused_by_its_name_and_changes_nothing() -> None:
    world = await begun()
    await world.run("web", "bridge", published_ports=_wants((80, 8080)))
    before = dict(world.machine.present)

    with pytest.raises(Conflict, match=r"endpoint late .*0\.0\.0\.0:8080 failed.*container web"):
        await world.run("late", "bridge", published_ports=_wants((80, 8080)))

    held = {key: item for key, item in world.machine.present.items() if key[0] != "directory"}
    assert held == {key: item for key, item in before.items() if key[0] != "directory"}


async def test_ports_are_free_again_after_a_stop() -> None:
    world = await begun()
    await world.run("web", "bridge", published_ports=_wants((80, 8080)))

    await world.engine.containers.kill("web", "SIGKILL")
    await world.engine.containers.remove("web", force=True)

    assert _holds(world) == set()
    await world.run("next", "bridge", published_ports=_wants((80, 8080)))


async def test_whoever_wants_any_port_gets_each_once() -> None:
    world = await begun()
    wishes = tuple(PortRequest("tcp", inside) for inside in (80, 81))

    await world.run("one", "bridge", published_ports=wishes)
    await world.run("two", "bridge", exposed_ports=("80/tcp", "53/udp"), publish_all=True)

    numbers = [(port.protocol, port.host_port) for name in ("one", "two") for port in _bindings(world, name)]
    assert set(numbers) == {("tcp", 32768), ("tcp", 32769), ("tcp", 32770), ("udp", 32768)}
    assert len(numbers) == 2 * len(set(numbers))


async def test_a_spent_range_says_so() -> None:
    world = await begun()
    wish = (PortRequest("tcp", 80, None, 9000, 9001),)
    await world.run("one", "bridge", published_ports=wish)
    await world.run("two", "bridge", published_ports=wish)

    with pytest.raises(Conflict, match="all ports are allocated: no tcp port 9000-9001 is free"):
        await world.run("three", "bridge", published_ports=wish)


async def test_a_port_that_is_refused_takes_the_whole_start_back() -> None:
    world = await begun()
    wish = _wants((80, 8080))
    await world.create("web", "bridge", published_ports=wish)
    before = dict(world.machine.present)
    world.machine.refused = ("port-hold", "tcp", "::", "8080")

    with pytest.raises(HostRefused, match="driver failed programming external connectivity on endpoint web"):
        await world.engine.containers.start("web")

    assert before == world.machine.present


async def test_an_internal_network_leads_nothing_in_until_another_does() -> None:
    world = await begun()
    await world.network("closed", internal=True)
    await world.network("open")
    await world.run("web", "closed", published_ports=_wants((80, 8080)))
    assert _holds(world) == set()

    await world.engine.networks.connect("open", "web", EndpointWish())

    assert _holds(world) == {("0.0.0.0", 8080), ("::", 8080)}


async def test_ports_move_with_the_way_out() -> None:
    world = await begun()
    await world.network("one")
    await world.network("two")
    await world.run("web", "two", published_ports=_wants((80, 8080)))
    before = _elements(world, "everywhere4")

    await world.engine.networks.connect("one", "web", EndpointWish(gateway_priority=5))

    after = _elements(world, "everywhere4")
    assert before.keys() == after.keys() == {("tcp", "8080")}
    assert before != after
    assert world.desired() == world.machine.present
    assert [item.hairpin for item in world.machine.present.values() if isinstance(item, Veth)] == [True, True]


async def test_whom_a_container_would_answer_past_the_host_follows_its_other_legs() -> None:
    world = await begun()
    await world.network("one")
    await world.network("two")
    await world.run("web", "one", published_ports=_wants((80, 8080)))
    assert _elements(world, "shortcut4") == {}

    await world.engine.networks.connect("two", "web", EndpointWish())

    endpoints = {item.network: item for item in world.engine.snapshot.endpoints.values()}
    one, two = (world.engine.snapshot.find_network(name) for name in ("one", "two"))
    address = next(item.ip for item in endpoints[one.id].addresses if item.version == 4)
    assert _elements(world, "shortcut4") == {(str(two.subnets[0].prefix), f"{address}/32"): ""}
    await world.engine.networks.disconnect("two", "web", force=False)
    assert _elements(world, "shortcut4") == {}


async def test_a_way_in_that_comes_while_a_container_starts_keeps_its_ports() -> None:
    world = await begun()
    await world.network("inner", internal=True)
    await world.network("open")
    await world.create("web", "inner", published_ports=_wants((80, 8080)))
    identifier = world.engine.snapshot.find_container("web").id

    start = asyncio.ensure_future(world.engine.containers.start("web"))
    async with asyncio.timeout(5):
        while world.engine.snapshot.container_sandbox(identifier) is None:  # noqa: ASYNC110 - threads work
            await asyncio.sleep(0)
    await world.engine.networks.connect("open", "web", EndpointWish())
    await start

    assert [port.host_port for port in _bindings(world, "web")] == [8080, 8080]
    assert _holds(world) == {("0.0.0.0", 8080), ("::", 8080)}
    await world.engine.end()


async def test_a_connect_that_fails_takes_no_ports_from_one_that_did_not() -> None:
    world = await begun()
    await world.network("inner", internal=True)
    for name in ("first", "second"):
        await world.network(name)
    await world.run("web", "inner", published_ports=_wants((80, 8080)))
    world.switch.effects, world.switch.refuse_at = 0, 3

    outcomes = await asyncio.gather(
        *(world.engine.networks.connect(name, "web", EndpointWish()) for name in ("first", "second")),
        return_exceptions=True,
    )

    ways_in = [name for name, outcome in zip(("first", "second"), outcomes, strict=True) if outcome is None]
    assert bool(_bindings(world, "web")) == bool(ways_in)
    assert world.desired() == world.machine.present
    await world.engine.end()
