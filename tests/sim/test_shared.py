"""Containers in another's network, on a machine in memory: refused, cut off, left alone, found again."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest

from bridgehead.core.model.container import Container, PortRequest, RestartPolicy, Status
from bridgehead.core.model.errors import BridgeheadError, Conflict, HostRefused, InvalidParameter
from bridgehead.core.model.network import EndpointWish, Link, SandboxKind
from bridgehead.core.plan.diff import Delete, Op, diff
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.names import ResolverRedirect
from bridgehead.core.plan.objects import File, Namespace, Veth
from tests.sim.world import Act, World, begun, cut_at

Situation = Callable[[], Awaitable[World]]
PORTS = (PortRequest("tcp", 80, first=8080, last=8080),)


async def prepared() -> World:
    """lender (running, a port published); joiner (running) in its network; late, not started, in joiner's."""
    world = await begun()
    await world.network("backend")
    await world.network("frontend")
    await world.run("lender", "backend", published_ports=PORTS)
    await world.run("joiner", "container:lender")
    await world.create("late", "container:joiner")
    return world


async def left_alone() -> World:
    world = await prepared()
    await world.engine.containers.stop("lender")
    return world


def container(world: World, name: str) -> Container:
    return world.engine.snapshot.find_container(name)


def namespaces(world: World) -> set[str]:
    return {item.path for item in world.machine.present.values() if isinstance(item, Namespace)}


def interfaces(world: World) -> set[tuple[str, str]]:
    return {(item.namespace, item.peer) for item in world.machine.present.values() if isinstance(item, Veth)}


def hosts(world: World, identifier: str) -> str:
    return next(
        (
            item.content
            for item in world.machine.present.values()
            if isinstance(item, File) and item.path == f"/data/containers/{identifier}/hosts"
        ),
        "",
    )


def deaths(world: World) -> list[Key]:
    """What is deleted from here on; grows."""
    found: list[Key] = []
    apply = world.machine.apply

    def noting(ops: Sequence[Op]) -> Mapping[Key, Exception]:
        found.extend(op.object.key for op in ops if isinstance(op, Delete))
        return apply(ops)

    world.machine.apply = noting  # type: ignore[method-assign]
    return found


async def start_late(world: World) -> None:
    await world.engine.containers.start("late")


async def restart_lender(world: World) -> None:
    await world.engine.containers.restart("lender")


async def remove_lender(world: World) -> None:
    await world.engine.containers.remove("lender", force=True)


async def stop_joiner(world: World) -> None:
    await world.engine.containers.stop("joiner")


async def connect_lender(world: World) -> None:
    await world.engine.networks.connect("frontend", "lender", EndpointWish())


async def start_lender(world: World) -> None:
    await world.engine.containers.start("lender")


ACTS = [
    (prepared, start_late),
    (prepared, restart_lender),
    (prepared, remove_lender),
    (prepared, stop_joiner),
    (prepared, connect_lender),
    (left_alone, start_lender),
    (left_alone, stop_joiner),
    (left_alone, remove_lender),
]
each_act = pytest.mark.parametrize(("situation", "act"), ACTS)


async def test_a_joiner_has_its_lenders_network_and_none_of_its_own() -> None:
    world = await prepared()
    await start_late(world)

    boxes = [
        world.engine.snapshot.container_sandbox(container(world, name).id) for name in ("joiner", "late")
    ]
    lender = container(world, "lender")
    assert {(box.kind, box.namespace, box.lender) for box in boxes if box} == {
        (SandboxKind.SHARED, world.engine.snapshot.container_sandbox(lender.id).id, lender.id)  # type: ignore[union-attr]
    }
    assert container(world, "joiner").networks == {}
    assert container(world, "joiner").spec.network_mode == f"container:{lender.id}"
    assert container(world, "joiner").spec.hostname == lender.spec.hostname
    assert len(namespaces(world)) == len(interfaces(world)) == 1
    await world.engine.end()


async def test_what_the_lender_takes_along_comes_back_to_those_who_stayed() -> None:
    world = await prepared()
    lender = container(world, "lender").id
    stayed = namespaces(world)
    died = deaths(world)

    await world.engine.containers.stop("lender")

    assert interfaces(world) == set()
    assert (stayed, False) == (namespaces(world), "172.18.0.2" in hosts(world, lender))
    await world.engine.containers.start("lender")
    assert {(path, "eth0") for path in stayed} == interfaces(world)
    redirects = [item for item in world.machine.present.values() if isinstance(item, ResolverRedirect)]
    assert [item.namespace for item in redirects] == list(stayed)
    assert "172.18.0.2" in hosts(world, lender)
    assert not [key for key in died if key[0] in {"file", "namespace"}], "the joiner would see the old ones"
    await world.engine.containers.stop("lender")
    await stop_joiner(world)
    assert namespaces(world) == set()
    assert hosts(world, lender) == ""
    await world.engine.end()


async def test_the_lenders_namespace_is_its_own_again_once_nobody_else_is_in_it() -> None:
    world = await prepared()
    await restart_lender(world)
    await stop_joiner(world)

    await world.engine.containers.start("joiner")
    await restart_lender(world)

    assert world.desired() == world.machine.present
    assert len(namespaces(world)) == 1
    await world.engine.end()


async def test_a_joiner_that_leaves_while_the_lender_comes_takes_nothing_with_it() -> None:
    world = await prepared()
    await start_late(world)
    await world.engine.containers.stop("lender")
    died = deaths(world)

    await asyncio.gather(start_lender(world), stop_joiner(world))

    assert not [key for key in died if key[0] in {"file", "namespace"}]
    assert world.desired() == world.machine.present
    await world.engine.end()


async def test_another_container_of_the_lenders_name_is_not_the_lender() -> None:
    world = await prepared()
    await remove_lender(world)
    stayed = namespaces(world)

    await world.run("lender", "backend")

    assert len(namespaces(world)) == 2
    assert [path for path, _ in interfaces(world)] == list(namespaces(world) - stayed)
    with pytest.raises(Conflict, match="which was removed"):
        await start_late(world)
    await stop_joiner(world)
    with pytest.raises(HostRefused, match="joining network namespace of container: No such container"):
        await world.engine.containers.start("joiner")
    assert world.desired() == world.machine.present
    await world.engine.end()


@pytest.mark.parametrize("mode", ["host", "none"])
async def test_the_modes_without_a_network_can_be_joined(mode: str) -> None:
    world = await begun()
    await world.run("lender", mode)
    await world.run("joiner", "container:lender")
    lender = container(world, "lender").id
    died = deaths(world)

    await restart_lender(world)

    assert len(namespaces(world)) == (mode == "none")
    assert not [key for key in died if key[0] in {"file", "namespace"}]
    box = world.engine.snapshot.container_sandbox(container(world, "joiner").id)
    assert box is not None
    assert (box.lender, box.kind is SandboxKind.HOST) == (lender, mode == "host")
    assert world.desired() == world.machine.present
    await world.engine.end()


async def test_the_hosts_network_comes_with_the_hosts_names_as_they_are_now() -> None:
    world = await begun()
    await world.run("early", "host")
    world.around.hostname, world.around.hosts = "renamed", "10.0.0.7\tdb\n"

    await world.run("late", "host")

    early, late = container(world, "early"), container(world, "late")
    assert (early.spec.hostname, late.spec.hostname) == ("host", "renamed")
    assert hosts(world, early.id) == hosts(world, late.id) == "10.0.0.7\tdb\n"
    await world.engine.end()


async def test_a_lender_that_is_removed_when_it_ends_leaves_the_joiner_alone() -> None:
    world = await begun()
    await world.network("backend")
    await world.run("lender", "backend", auto_remove=True)
    await world.run("joiner", "container:lender")
    lender = container(world, "lender").id

    await world.engine.containers.stop("lender")
    async with asyncio.timeout(5):
        while lender in world.engine.snapshot.containers:  # noqa: ASYNC110
            await asyncio.sleep(0)

    assert (1, set()) == (len(namespaces(world)), interfaces(world))
    assert container(world, "joiner").state.status is Status.RUNNING
    await world.engine.end()


async def test_refusals_say_what_stands_in_the_way_and_change_nothing() -> None:
    world = await prepared()
    before = world.disk.snapshot

    with pytest.raises(InvalidParameter, match=r"^joining network [a-z ]*: No such container: nobody$"):
        await world.create("bad", "container:nobody")
    with pytest.raises(InvalidParameter, match="cannot be connected to any other network"):
        await world.engine.networks.connect("frontend", "joiner", EndpointWish())
    assert before == world.disk.snapshot
    await stop_joiner(world)
    machine = dict(world.machine.present)
    with pytest.raises(Conflict, match="non running container: container joiner is exited"):
        await start_late(world)
    assert machine == world.machine.present
    await world.engine.end()


async def test_a_link_to_a_joiner_leads_to_its_lender() -> None:
    world = await begun()
    await world.run("lender", "bridge")
    await world.run("joiner", "container:lender")

    await world.create("web", "bridge", links=(Link("joiner", "db"),))

    assert container(world, "web").spec.links == (Link(container(world, "lender").id, "db"),)
    await world.engine.end()


async def test_a_joiner_with_a_restart_policy_waits_for_its_lender() -> None:
    world = await prepared()
    await world.run("back", "container:lender", restart=RestartPolicy("always"))
    back = container(world, "back").id
    await world.engine.containers.stop("lender")

    world.processes.die(back, 1)
    async with asyncio.timeout(10):
        while container(world, "back").state.status is not Status.RESTARTING:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.sleep(0.3)  # long enough for two attempts
        assert container(world, "back").state.status is Status.RESTARTING
        await start_lender(world)
        while container(world, "back").state.status is not Status.RUNNING:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert len(namespaces(world)) == 1
    await world.engine.end()


async def effects_of(situation: Situation, act: Act) -> int:
    world = await situation()
    world.switch.effects = 0
    await act(world)
    count = world.switch.effects
    await world.engine.end()
    return count


@each_act
async def test_what_was_refused_on_the_way_is_mended(situation: Situation, act: Act) -> None:
    for effect in range(1, await effects_of(situation, act) + 1):
        world = await situation()
        world.switch.effects, world.switch.refuse_at = 0, effect

        with contextlib.suppress(BridgeheadError):
            await act(world)
        await world.engine.repair()

        assert world.desired() == world.machine.present, f"effect {effect}"
        await world.engine.end()


@each_act
async def test_a_crash_at_any_effect_is_recovered(situation: Situation, act: Act) -> None:
    for effect in range(1, await effects_of(situation, act) + 1):
        world = await situation()
        died = deaths(world)

        await cut_at(world, act, effect)
        await world.reborn()

        assert world.desired() == world.machine.present, f"effect {effect}"
        assert diff(world.machine.observe(), world.desired()) == []
        lives = container(world, "joiner").state.status is Status.RUNNING
        assert lives or act is stop_joiner
        assert not lives or not [key for key in died if key[0] == "namespace"], "the joiner is in it"
        await world.engine.end()
