"""The whole engine on a machine in memory: refused at every effect, cut off at every effect, restarted."""

import asyncio

import pytest

from bridgehead.core.model.container import Status
from bridgehead.core.model.errors import BridgeheadError, Conflict, Forbidden, HostRefused, NotFound
from bridgehead.core.model.network import EndpointWish, Phase
from bridgehead.core.model.requests import ContainerRequest
from bridgehead.core.plan.diff import diff
from bridgehead.engine.intent import StaleDecision
from tests.sim.world import Act, World, begun, cut_at


async def prepared() -> World:
    world = await begun()
    await world.network("backend")
    await world.network("frontend")
    await world.run("c1", "backend")
    await world.run("c2", "backend")
    return world


async def create(world: World) -> None:
    await world.network("extra")


async def connect(world: World) -> None:
    await world.engine.networks.connect("frontend", "c1", EndpointWish())


async def disconnect(world: World) -> None:
    await world.engine.networks.disconnect("backend", "c2", force=False)


async def start(world: World) -> None:
    await world.run("c3", "frontend")


async def remove(world: World) -> None:
    await world.engine.containers.remove("c2", force=True)


async def remove_network(world: World) -> None:
    await world.engine.networks.remove("frontend")


ACTS = [create, connect, disconnect, start, remove, remove_network]


async def effects_of(act: Act) -> int:
    world = await prepared()
    world.switch.effects = 0
    await act(world)
    return world.switch.effects


@pytest.mark.parametrize("act", ACTS)
async def test_every_act_leaves_the_machine_as_intended(act: Act) -> None:
    world = await prepared()

    await act(world)

    assert world.desired() == world.machine.present
    await world.engine.end()


@pytest.mark.parametrize("act", [create, connect])
async def test_a_refusal_at_any_effect_is_taken_back_exactly(act: Act) -> None:
    for effect in range(1, await effects_of(act) + 1):
        world = await prepared()
        before, machine = world.disk.snapshot, dict(world.machine.present)
        world.switch.effects, world.switch.refuse_at = 0, effect

        with pytest.raises(HostRefused):
            await act(world)

        after = world.disk.snapshot
        assert machine == world.machine.present, f"effect {effect}"
        assert before.networks == after.networks or act is not create
        assert before.endpoints == after.endpoints
        assert world.desired() == world.machine.present
        await world.engine.end()


async def test_a_refused_start_leaves_the_container_and_nothing_else() -> None:
    for effect in range(3, await effects_of(start) - 1):
        world = await prepared()
        sandboxes = world.disk.snapshot.sandboxes
        world.switch.effects, world.switch.refuse_at = 0, effect

        try:
            await start(world)
        except BridgeheadError:
            assert sandboxes == world.disk.snapshot.sandboxes
        assert world.desired() == world.machine.present, f"effect {effect}"
        await world.engine.end()


@pytest.mark.parametrize("act", ACTS)
async def test_a_crash_at_any_effect_is_recovered(act: Act) -> None:
    for effect in range(1, await effects_of(act) + 1):
        world = await prepared()
        survivor = world.disk.snapshot.find_container("c1")

        await cut_at(world, act, effect)
        await world.reborn()

        assert world.desired() == world.machine.present, f"{act.__name__} cut before {effect}"
        assert diff(world.machine.observe(), world.desired()) == []
        kept = world.engine.snapshot.find_container("c1")
        assert Status.RUNNING is kept.state.status
        assert survivor.id in world.processes.alive_
        assert world.processes.alive_.keys() == {
            box.container for box in world.engine.snapshot.sandboxes.values()
        }
        await world.engine.end()


async def test_what_was_acknowledged_outlives_a_crash() -> None:
    world = await prepared()
    await create(world)
    await connect(world)

    await world.reborn()

    snapshot = world.engine.snapshot
    assert snapshot.find_network("extra")
    assert (
        len(snapshot.sandbox_endpoints(snapshot.container_sandbox(snapshot.find_container("c1").id).id)) == 2
    )  # type: ignore[union-attr]
    await world.engine.end()


async def test_a_second_recovery_finds_nothing_to_do() -> None:
    world = await prepared()
    await world.reborn()
    world.switch.effects = 0

    await world.engine.repair()

    assert world.switch.effects == 0
    await world.engine.end()


async def test_an_end_nobody_watched_is_recorded() -> None:
    world = await prepared()
    world.processes.die(world.engine.snapshot.find_container("c2").id, 7)

    await world.reborn()

    state = world.engine.snapshot.find_container("c2").state
    assert (state.status, state.exit_code) == (Status.EXITED, 7)
    assert world.desired() == world.machine.present
    await world.engine.end()


async def test_a_network_in_use_names_its_users() -> None:
    world = await prepared()

    with pytest.raises(Forbidden, match=r'name:"c1".*name:"c2"'):
        await world.engine.networks.remove("backend")

    await world.engine.end()


async def test_a_taken_name_names_its_holder() -> None:
    world = await prepared()
    holder = world.engine.snapshot.find_container("c1").id

    with pytest.raises(Conflict, match=holder):
        await world.run("c1", "backend")

    await world.engine.end()


async def test_interfaces_take_the_lowest_free_name() -> None:
    world = await prepared()
    await connect(world)
    await world.engine.networks.disconnect("backend", "c1", force=False)

    await world.engine.networks.connect("backend", "c1", EndpointWish())

    container = world.engine.snapshot.find_container("c1")
    names = {
        world.engine.snapshot.networks[endpoint.network].name: endpoint.interface
        for endpoint in world.engine.snapshot.endpoints.values()
        if endpoint.container == container.id
    }
    assert names == {"frontend": "eth1", "backend": "eth0"}
    await world.engine.end()


async def test_containers_that_end_at_one_moment_do_not_undo_each_other() -> None:
    world = await prepared()
    for number in range(6):
        await world.run(f"crowd{number}", "frontend")

    await asyncio.gather(
        *(world.engine.containers.remove(f"crowd{number}", force=True) for number in range(6))
    )

    assert {"c1", "c2"} == {container.name for container in world.engine.snapshot.containers.values()}
    assert world.desired() == world.machine.present
    await world.engine.end()


async def test_a_decision_on_an_old_snapshot_is_never_written() -> None:
    world = await prepared()
    old = world.engine.snapshot.drop(world.engine.snapshot.find_network("frontend"))
    await create(world)

    with pytest.raises(StaleDecision):
        world.intent.commit(old)

    await world.engine.end()


@pytest.mark.parametrize("act", ACTS)
async def test_a_client_that_goes_away_leaves_nothing_half_done(act: Act) -> None:
    world = await prepared()

    request = asyncio.ensure_future(act(world))
    await asyncio.sleep(0)
    request.cancel()
    await asyncio.wait([request])
    await world.engine.end()

    pending = [item for item in world.engine.snapshot.networks.values() if item.phase is Phase.PENDING]
    assert pending == []
    assert world.desired() == world.machine.present


async def test_parallel_changes_of_one_container_agree() -> None:
    pairs = [
        ("stop", lambda c: c.stop("c2"), lambda c: c.stop("c2")),
        ("stop, remove", lambda c: c.stop("c2"), lambda c: c.remove("c2", force=True)),
        ("restart, remove", lambda c: c.restart("c2"), lambda c: c.remove("c2", force=True)),
        ("kill, restart", lambda c: c.kill("c2", "KILL"), lambda c: c.restart("c2")),
        ("pause, kill", lambda c: c.pause("c2", frozen=True), lambda c: c.kill("c2", "KILL")),
    ]
    for name, one, other in pairs:
        world = await prepared()
        containers = world.engine.containers

        await asyncio.gather(one(containers), other(containers), return_exceptions=True)
        await asyncio.sleep(0.01)

        running = {
            item.id for item in world.engine.snapshot.containers.values() if item.state.status.has_process
        }
        assert running == {box.container for box in world.engine.snapshot.sandboxes.values()}, name
        assert running == world.processes.alive_.keys(), name
        assert world.desired() == world.machine.present, name
        await world.engine.end()


async def test_an_end_is_recorded_although_the_store_refuses_at_first() -> None:
    world = await prepared()
    container = world.engine.snapshot.find_container("c2")
    await asyncio.sleep(0.01)
    world.switch.effects, world.switch.refuse_at = 0, 1

    world.processes.die(container.id, 3)
    code = await asyncio.wait_for(world.engine.containers.wait("c2", "not-running"), 2)

    assert code == 3
    assert Status.EXITED is world.engine.snapshot.find_container("c2").state.status
    await world.engine.end()


async def test_what_the_host_refused_is_tried_again_unasked() -> None:
    world = await prepared()
    world.switch.effects, world.switch.refuse_at = 0, 2

    await remove_network(world)
    await asyncio.sleep(2)

    assert world.desired() == world.machine.present
    await world.engine.end()


@pytest.mark.parametrize("effect", range(1, 9))
async def test_an_ended_rm_container_does_not_outlive_a_crash(effect: int) -> None:
    world = await prepared()
    request = ContainerRequest(
        "guest", "busybox", command=("true",), network_mode="backend", auto_remove=True
    )
    await world.engine.containers.create(request)
    await world.engine.containers.start("guest")
    await asyncio.sleep(0.01)

    async def end(world: World) -> None:
        world.processes.die(world.engine.snapshot.find_container("guest").id, 0)
        await asyncio.sleep(0.05)

    await cut_at(world, end, effect)
    await world.reborn()

    assert "guest" not in {item.name for item in world.engine.snapshot.containers.values()}
    assert world.desired() == world.machine.present
    await world.engine.end()


async def test_a_removal_ends_the_wait_for_a_start() -> None:
    world = await prepared()
    await world.create("idle", "backend")
    waiting = asyncio.ensure_future(world.engine.containers.attach("idle"))
    await asyncio.sleep(0)

    await world.engine.containers.remove("idle", force=False)

    with pytest.raises(NotFound, match="was removed before it started"):
        await asyncio.wait_for(waiting, 5)


async def test_a_listener_that_never_listened_is_forgotten() -> None:
    world = await begun()

    with world.engine.events.listening():
        listening = len(world.engine.events.listeners)

    assert (listening, len(world.engine.events.listeners)) == (1, 0)
