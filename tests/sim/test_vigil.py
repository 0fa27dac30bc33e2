"""Who keeps watch, on the machine in memory: what is told of damage is mended, at once or when it is time."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.plan.notice import FirewallChanged, LinkGone, Notice
from bridgehead.core.plan.objects import Bridge
from bridgehead.core.plan.zones import ZoneMember
from bridgehead.engine.vigil import Vigil
from tests.sim.world import World, begun


class Ear:
    """Hears what the test tells it, on a real descriptor."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.descriptors = (self._descriptor,)
        self._untold: list[Notice] = []

    def tell(self, notice: Notice) -> None:
        self._untold.append(notice)
        os.eventfd_write(self._descriptor, 1)

    def drain(self) -> Sequence[Notice]:
        told, self._untold = self._untold, []
        if told:
            os.eventfd_read(self._descriptor)
        return told

    def close(self) -> None:
        os.close(self._descriptor)


class Neighbours:
    """`firewalld`: whether it runs here."""

    def __init__(self) -> None:
        self.firewalld = False

    def companions(self) -> tuple[FirewallRule, ...]:
        return ()

    def zoned(self) -> bool:
        return self.firewalld


@asynccontextmanager
async def watched(neighbours: Neighbours | None = None) -> AsyncIterator[tuple[World, Ear]]:
    world, ear = await begun(), Ear()
    keeper = Vigil(world.intent, world.engine.events, ear, neighbours or Neighbours())
    vigil = asyncio.ensure_future(keeper.keep())
    await asyncio.sleep(0)
    try:
        yield world, ear
    finally:
        vigil.cancel()
        await asyncio.gather(vigil, return_exceptions=True)
        await world.engine.end()
        ear.close()


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not seen():  # noqa: ASYNC110 - what is looked for happens in a thread
            await asyncio.sleep(0.01)


def bridge_of(world: World, name: str) -> Bridge:
    network = world.engine.snapshot.find_network(name).bridge
    assert network
    return next(
        item
        for item in world.machine.present.values()
        if isinstance(item, Bridge) and item.name == network.name
    )


async def damaged(world: World, ear: Ear, bridge: Bridge) -> None:
    world.machine.present.pop(bridge.key, None)
    ear.tell(LinkGone(bridge.name, "somebody (pid 7)"))


async def test_a_war_over_one_thing_does_not_make_another_wait(caplog: pytest.LogCaptureFixture) -> None:
    async with watched() as (world, ear):
        await world.network("fought-over")
        await world.network("calm")
        fought_over, calm = bridge_of(world, "fought-over"), bridge_of(world, "calm")
        for _ in range(12):
            await damaged(world, ear, fought_over)
            await until(lambda: fought_over.key in world.machine.present)

        caplog.clear()
        await damaged(world, ear, fought_over)
        await until(lambda: "next repair in" in caplog.text)
        announced_at = asyncio.get_running_loop().time()
        pause_s = float(caplog.text.partition("next repair in ")[2].split()[0])
        await damaged(world, ear, calm)
        await until(lambda: calm.key in world.machine.present)

        assert asyncio.get_running_loop().time() - announced_at < pause_s


def members(world: World) -> set[str]:
    return {item.bridge for item in world.machine.present.values() if isinstance(item, ZoneMember)}


async def test_a_firewalld_that_comes_or_reloads_is_told_of_every_bridge_and_one_that_goes_is_not() -> None:
    neighbours, rules_changed = Neighbours(), FirewallChanged(frozenset({("inet", "firewalld")}))
    async with watched(neighbours) as (world, ear):
        await world.network("early")
        assert members(world) == set()
        neighbours.firewalld = True
        ear.tell(rules_changed)
        await until(lambda: bridge_of(world, "early").name in members(world))

        await world.network("late")
        everyone = members(world)
        assert {bridge_of(world, name).name for name in ("early", "late")} <= everyone
        for name in everyone:
            world.machine.present.pop(ZoneMember(name).key)
        ear.tell(rules_changed)
        await until(lambda: members(world) == everyone)

        neighbours.firewalld = False
        ear.tell(rules_changed)
        await until(lambda: members(world) == set())
