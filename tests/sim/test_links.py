"""Links on the default bridge, on a machine in memory: refused, cut off, followed, brought back."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from bridgehead.core.model.container import Container, RestartPolicy, Status
from bridgehead.core.model.errors import BridgeheadError, Conflict, InvalidParameter, NotFound
from bridgehead.core.model.network import Link
from bridgehead.core.model.requests import ContainerRequest
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.objects import File
from bridgehead.engine.former import FormerAddresses
from bridgehead.engine.world import Bundle
from tests.sim.world import Act, World, begun, cut_at


async def create(world: World, name: str, *links: Link, **words: object) -> Container:
    request = ContainerRequest(
        name, "busybox", command=("sh",), exposed_ports=("80/tcp",), network_mode="bridge", links=links
    )
    container, _ = await world.engine.containers.create(replace(request, **words))  # type: ignore[arg-type]
    return container


async def prepared() -> World:
    """web (running) knows db (running) as webdb; late, not started, knows both."""
    world = await begun()
    await create(world, "db")
    await world.engine.containers.start("db")
    await create(world, "web", Link("db", "webdb"))
    await world.engine.containers.start("web")
    await create(world, "late", Link("db", "one"), Link("web", "two"))
    return world


def hosts(world: World, name: str) -> str:
    """As the machine has it; '' when there is no such file."""
    path = f"/data/containers/{world.engine.snapshot.find_container(name).id}/hosts"
    return next(
        (
            item.content
            for item in world.machine.present.values()
            if isinstance(item, File) and item.path == path
        ),
        "",
    )


async def start_late(world: World) -> None:
    await world.engine.containers.start("late")


async def restart_source(world: World) -> None:
    await world.engine.containers.restart("db")


async def remove_source(world: World) -> None:
    await world.engine.containers.remove("db", force=True)


async def unlink(world: World) -> None:
    await world.engine.containers.remove_link("web/webdb")


ACTS = [start_late, restart_source, remove_source, unlink]


async def test_a_source_must_exist() -> None:
    world = await prepared()

    with pytest.raises(InvalidParameter) as refusal:
        await create(world, "bad", Link("nobody", "y"))

    assert refusal.value.message == "could not get container for nobody: No such container: nobody"
    await world.engine.end()


async def test_a_source_that_is_down_refuses_the_start_and_nothing_is_half_made() -> None:
    world = await prepared()
    await world.engine.containers.stop("web")
    machine = dict(world.machine.present)

    with pytest.raises(Conflict) as refusal:
        await world.engine.containers.start("late")

    assert refusal.value.message == "Cannot link to a non running container: /web AS /late/two"
    assert machine == world.machine.present
    late = world.engine.snapshot.find_container("late")
    assert (Status.CREATED, refusal.value.message) == (late.state.status, late.state.error)
    await world.engine.end()


async def test_a_source_that_ends_in_the_middle_of_the_start_undoes_all_of_it() -> None:
    world = await prepared()
    create_process = world.processes.create

    async def create_late(bundle: Bundle) -> int:
        raise AssertionError("the container was made")

    settle = world.intent.reconciler.settle

    async def settle_then_lose_the_source(owners: list[str]) -> None:
        await settle(owners)
        world.intent.reconciler.settle = settle  # type: ignore[method-assign]
        await world.engine.containers.stop("db")

    world.intent.reconciler.settle = settle_then_lose_the_source  # type: ignore[assignment, method-assign]
    world.processes.create = create_late  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="non running container: /db AS /late/one"):
        await world.engine.containers.start("late")
    world.processes.create = create_process  # type: ignore[method-assign]

    assert world.desired() == world.machine.present
    assert hosts(world, "late") == ""
    await world.engine.end()


async def test_recipients_follow_the_source_to_its_new_address() -> None:
    world = await prepared()
    await world.engine.containers.stop("db")
    assert "webdb" not in hosts(world, "web")
    world.intent.former = FormerAddresses()  # else the address would be kept for db as long as it can be
    await create(world, "other")
    await world.engine.containers.start("other")

    await world.engine.containers.start("db")

    assert "172.17.0.2" not in hosts(world, "web")
    assert "172.17.0.4\twebdb " in hosts(world, "web")
    assert world.desired() == world.machine.present
    await world.engine.end()


async def test_a_renamed_source_stays_linked() -> None:
    world = await prepared()

    await world.engine.containers.rename("db", "data")

    assert hosts(world, "web").splitlines()[-2].endswith(" data")
    assert world.engine.snapshot.find_container("web/webdb").name == "data"
    await world.engine.end()


async def test_removing_a_link_leaves_both_containers() -> None:
    world = await prepared()

    await unlink(world)

    assert "webdb" not in hosts(world, "web")
    assert world.engine.snapshot.find_container("web").state.status is Status.RUNNING
    assert world.engine.snapshot.find_container("db").state.status is Status.RUNNING
    with pytest.raises(NotFound):
        await unlink(world)
    with pytest.raises(Conflict):
        await world.engine.containers.remove_link("db")
    await world.engine.end()


async def test_a_recipient_with_a_restart_policy_waits_for_its_source() -> None:
    world = await prepared()
    web = await create(world, "back", Link("db", "x"), restart=RestartPolicy("always"), exposed_ports=())
    await world.engine.containers.start("back")
    await world.engine.containers.stop("db")

    world.processes.die(web.id, 1)
    async with asyncio.timeout(10):
        while world.engine.snapshot.containers[web.id].state.status is not Status.RESTARTING:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.sleep(0.3)  # long enough for two attempts
        assert world.engine.snapshot.containers[web.id].state.status is Status.RESTARTING
        await world.engine.containers.start("db")
        while world.engine.snapshot.containers[web.id].state.status is not Status.RUNNING:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert world.engine.snapshot.containers[web.id].state.restarts == 1
    assert "\tx " in hosts(world, "back")
    await world.engine.end()


async def effects_of(act: Act) -> int:
    world = await prepared()
    world.switch.effects = 0
    await act(world)
    count = world.switch.effects
    await world.engine.end()
    return count


async def test_a_start_refused_at_any_effect_leaves_nothing_half_made() -> None:
    for effect in range(1, await effects_of(start_late) + 1):
        world = await prepared()
        sandboxes = world.disk.snapshot.sandboxes
        world.switch.effects, world.switch.refuse_at = 0, effect

        try:
            await start_late(world)
        except BridgeheadError:
            assert sandboxes == world.disk.snapshot.sandboxes
        assert world.desired() == world.machine.present, f"effect {effect}"
        await world.engine.end()


@pytest.mark.parametrize("act", [restart_source, remove_source, unlink])
async def test_what_was_refused_on_the_way_is_mended(act: Act) -> None:
    for effect in range(1, await effects_of(act) + 1):
        world = await prepared()
        world.switch.effects, world.switch.refuse_at = 0, effect

        with contextlib.suppress(BridgeheadError):
            await act(world)
        await world.engine.repair()

        assert world.desired() == world.machine.present, f"effect {effect}"
        await world.engine.end()


@pytest.mark.parametrize("act", ACTS)
async def test_a_crash_at_any_effect_is_recovered(act: Act) -> None:
    for effect in range(1, await effects_of(act) + 1):
        world = await prepared()

        await cut_at(world, act, effect)
        await world.reborn()

        assert world.desired() == world.machine.present, f"effect {effect}"
        assert diff(world.machine.observe(), world.desired()) == []
        await world.engine.end()
