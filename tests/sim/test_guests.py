"""Namespaces of others on a machine in memory: joined, refused, let go, cut off at every step."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bridgehead.core.model.container import PortRequest, Status
from bridgehead.core.model.errors import BridgeheadError, Conflict, InvalidParameter, NotFound
from bridgehead.core.model.guest import GuestRequest
from bridgehead.core.model.network import EndpointWish
from bridgehead.core.model.requests import ContainerRequest, ExecRequest
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.names import ResolverRedirect
from bridgehead.core.plan.objects import Namespace, OverlayMount, PortHold, Veth
from tests.sim.world import Act, World, begun, cut_at

PATH = "/run/netns/g"


async def prepared() -> World:
    """A network `lan`, and a namespace that nobody of ours made."""
    world = await begun()
    await world.network("lan")
    world.strangers.make(PATH)
    return world


async def add(world: World, name: str = "guest", path: str = PATH, network: str = "none") -> None:
    port = PortRequest("tcp", 80, first=8080, last=8080)
    request = ContainerRequest(name, "", network_mode=network, published_ports=(port,))
    await world.engine.guests.create(GuestRequest(path), request)


async def joined() -> World:
    world = await prepared()
    await add(world, network="lan")
    return world


def links(world: World) -> list[str]:
    return [item.peer for item in world.machine.present.values() if isinstance(item, Veth)]


def kinds(world: World) -> set[type]:
    return {type(item) for item in world.machine.present.values()}


async def quiet(world: World) -> None:
    """Until the engine has nothing more to do."""
    async with asyncio.timeout(5):
        while world.engine.snapshot.containers or diff(  # noqa: ASYNC110 - some of it is done by a thread
            world.machine.present, world.desired()
        ):
            await asyncio.sleep(0)


async def test_a_guest_gets_what_a_container_gets_but_for_a_root() -> None:
    world = await joined()

    container = world.engine.snapshot.find_container("guest")
    namespaces = [item for item in world.machine.present.values() if isinstance(item, Namespace)]

    assert container.state.status is Status.RUNNING
    assert links(world) == ["eth0"]
    assert [item.of for item in namespaces] == [container.guest]
    assert {ResolverRedirect, PortHold} <= kinds(world)
    assert OverlayMount not in kinds(world)


async def test_it_starts_with_no_network_and_is_connected_later() -> None:
    world = await prepared()
    await add(world)
    assert links(world) == []

    await world.engine.networks.connect("lan", "guest", EndpointWish())
    assert links(world) == ["eth0"]
    assert PortHold in kinds(world)

    await world.engine.networks.disconnect("lan", "guest", force=False)
    assert links(world) == []
    assert ResolverRedirect not in kinds(world)


async def test_it_is_let_go_with_all_that_was_its_own() -> None:
    world = await prepared()
    before = dict(world.machine.present)
    await add(world, network="lan")

    await world.engine.guests.remove("guest")

    assert world.machine.present == before
    assert not world.engine.snapshot.containers
    assert world.strangers.inodes[PATH]


@pytest.mark.parametrize("end", ["end", "replace"])
async def test_it_goes_when_its_namespace_does(end: str) -> None:
    world = await joined()

    getattr(world.strangers, end)(PATH)

    await quiet(world)
    assert links(world) == []


@pytest.mark.parametrize("end", ["end", "replace"])
async def test_it_is_gone_at_the_next_start(end: str) -> None:
    world = await joined()
    await cut_at(world, lambda _: asyncio.sleep(0), 1)
    getattr(world.strangers, end)(PATH)

    await world.reborn()

    assert not world.engine.snapshot.containers
    assert diff(world.machine.present, world.desired()) == []
    assert links(world) == []


async def test_one_namespace_is_one_sandbox() -> None:
    world = await joined()
    world.strangers.inodes["/elsewhere"] = world.strangers.inodes[PATH]

    with pytest.raises(Conflict, match='already is sandbox "guest"'):
        await add(world, "second", "/elsewhere")
    with pytest.raises(Conflict, match="daemon's own"):
        await add(world, "second", "/proc/1/ns/net")
    with pytest.raises(InvalidParameter):
        await add(world, "second", "/nowhere")


async def test_a_containers_namespace_is_named_by_its_container() -> None:
    world = await prepared()
    await world.run("box", "lan")
    box = next(iter(world.engine.snapshot.sandboxes.values()))
    world.strangers.make(world.engine.facts.layout.namespace(box.namespace))
    world.strangers.inodes["/proc/5/ns/net"] = world.strangers.inodes[
        world.engine.facts.layout.namespace(box.namespace)
    ]

    with pytest.raises(Conflict, match='is that of container "box"'):
        await add(world, path="/proc/5/ns/net")


async def test_what_the_host_refuses_leaves_nothing() -> None:
    world = await prepared()
    before, known = dict(world.machine.present), dict(world.engine.snapshot.containers)
    for effect in range(1, 14):
        world.switch.effects, world.switch.refuse_at = 0, effect
        try:
            await add(world, network="lan")
        except BridgeheadError:
            pass
        else:
            await world.engine.guests.remove("guest")
        world.switch.refuse_at = -1
        await world.engine.repair()
        assert world.machine.present == before, effect
        assert world.engine.snapshot.containers == known, effect


async def connect(world: World) -> None:
    await add(world)
    await world.engine.networks.connect("lan", "guest", EndpointWish())


async def let_go(world: World) -> None:
    await world.engine.guests.remove("guest")


@pytest.mark.parametrize(
    ("make", "act"),
    [(prepared, lambda world: add(world, network="lan")), (prepared, connect), (joined, let_go)],
    ids=["add", "connect", "remove"],
)
async def test_cut_off_anywhere_it_is_there_whole_or_not_at_all(
    make: Callable[[], Awaitable[World]], act: Act
) -> None:
    for effect in range(1, 40):
        world = await make()
        await cut_at(world, act, effect)
        finished = not world.switch.dark
        await world.reborn()
        assert diff(world.machine.present, world.desired()) == [], effect
        for container in world.engine.snapshot.containers.values():
            assert container.state.status is Status.RUNNING, effect
            assert world.engine.snapshot.container_sandbox(container.id), effect
            await world.engine.guests.remove(container.id)
        assert links(world) == [], effect
        if finished:
            return
    pytest.fail("it never came to its end")


REFUSED: dict[str, Callable[[World], Awaitable[object]]] = {
    "start": lambda world: world.engine.containers.start("guest"),
    "stop": lambda world: world.engine.containers.stop("guest"),
    "restart": lambda world: world.engine.containers.restart("guest"),
    "kill": lambda world: world.engine.containers.kill("guest", "SIGKILL"),
    "pause": lambda world: world.engine.containers.pause("guest", frozen=True),
    "attach": lambda world: world.engine.containers.attach("guest"),
}


@pytest.mark.parametrize("verb", REFUSED)
async def test_what_needs_a_process_is_refused(verb: str) -> None:
    world = await joined()

    with pytest.raises(Conflict, match=f"cannot {verb}.* guest: it is no container"):
        await REFUSED[verb](world)
    with pytest.raises(Conflict, match="cannot run a command in guest"):
        world.engine.containers.create_exec("guest", ExecRequest(("true",)))
    assert links(world) == ["eth0"]


async def test_a_container_is_no_sandbox_to_remove() -> None:
    world = await prepared()
    await world.run("box", "lan")

    for name in ("box", "nobody"):
        with pytest.raises(NotFound, match=f"No such sandbox: {name}"):
            await world.engine.guests.remove(name)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"name": ""}, "needs a name"),
        ({"network_mode": "host"}, "cannot have the network host"),
        ({"network_mode": "container:box"}, "cannot have the network container:box"),
        ({"networks": {"lan": EndpointWish()}, "network_mode": "none"}, "excludes every other"),
    ],
)
async def test_what_no_sandbox_can_have_is_refused(words: dict[str, object], sentence: str) -> None:
    world = await prepared()
    asked = {"name": "guest", "image": "", "network_mode": "none"} | words

    with pytest.raises(InvalidParameter, match=sentence):
        await world.engine.guests.create(GuestRequest(PATH), ContainerRequest(**asked))  # type: ignore[arg-type]
    assert not world.engine.snapshot.containers
