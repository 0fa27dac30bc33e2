"""The reconciler and damage: what is looked at, what is told, and what happens beside a running round."""

import asyncio
import threading
from collections.abc import Mapping, Sequence

import pytest

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.diff import Create, Op
from bridgehead.core.plan.filtering import FirewallTable
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import Bridge, State, Sysctl, state
from bridgehead.engine.planes import Host
from bridgehead.engine.reconcile import Mended, Reconciler
from tests.sim.fakes import Machine, Switch

BRIDGE = Bridge("br-a", "02:42:00:00:00:01", 1500)
TABLE = FirewallTable("text")
INTENT: dict[str, State] = {"host": state(Sysctl("x", "1")), "network/a": state(BRIDGE, TABLE)}


class Gated(Machine):
    """Carries out nothing while the gate is shut."""

    def __init__(self, switch: Switch) -> None:
        super().__init__(switch)
        self.gate, self.reached = threading.Event(), threading.Event()
        self.gate.set()

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        self.reached.set()
        assert self.gate.wait(10)
        return super().apply(ops)


class Stage:
    def __init__(self) -> None:
        self.switch = Switch()
        self.machine = Gated(self.switch)
        self.intent = dict(INTENT)
        self.reconciler = Reconciler(
            Host([self.machine]), lambda owner: self.intent.get(owner, {}), lambda: list(self.intent)
        )
        self.told: list[tuple[str, Op]] = []
        self.reconciler.mended = self._tell

    def _tell(self, mended: Mended) -> None:
        self.told += mended

    async def begin_round(self) -> "asyncio.Task[None]":
        """A round that stands still in the middle."""
        self.machine.gate.clear()
        self.machine.reached.clear()
        self.intent["network/b"] = state(Bridge("br-b", "02:42:00:00:00:02", 1500))
        task = asyncio.ensure_future(self.reconciler.settle(["network/b"]))
        await asyncio.to_thread(self.machine.reached.wait, 10)
        return task


@pytest.fixture
async def stage() -> Stage:
    made = Stage()
    await made.reconciler.recover()
    return made


async def test_damage_is_mended_and_told_with_its_owner(stage: Stage) -> None:
    del stage.machine.present[BRIDGE.key]

    await stage.reconciler.repair()

    assert stage.machine.present[BRIDGE.key] == BRIDGE
    assert stage.told == [("network/a", Create(BRIDGE))]


async def test_without_damage_nothing_is_told(stage: Stage) -> None:
    stage.intent["network/b"] = state(Bridge("br-b", "02:42:00:00:00:02", 1500))

    await stage.reconciler.repair()

    assert stage.told == []


async def test_a_repair_asked_for_during_a_round_looks_afterwards(stage: Stage) -> None:
    round_ = await stage.begin_round()
    del stage.machine.present[BRIDGE.key]

    repair = asyncio.ensure_future(stage.reconciler.repair())
    await asyncio.sleep(0)
    stage.machine.gate.set()
    await asyncio.gather(round_, repair)

    assert stage.machine.present[BRIDGE.key] == BRIDGE


async def test_belief_is_shown_only_between_rounds(stage: Stage) -> None:
    round_ = await stage.begin_round()
    names = asyncio.ensure_future(
        stage.reconciler.between_rounds(
            lambda: {item.name for item in stage.reconciler.believed() if isinstance(item, Bridge)}
        )
    )
    await asyncio.sleep(0)
    assert not names.done()

    stage.machine.gate.set()
    await round_

    assert await names == {"br-a", "br-b"}


async def test_an_onlooker_who_fails_hears_it_alone(stage: Stage) -> None:
    round_ = await stage.begin_round()
    looking = asyncio.ensure_future(stage.reconciler.between_rounds(lambda: 1 // 0))
    await asyncio.sleep(0)

    stage.machine.gate.set()
    await round_

    with pytest.raises(ZeroDivisionError):
        await looking


async def test_a_record_that_makes_no_sense_stops_neither_others_nor_repair(stage: Stage) -> None:
    def desired(owner: str) -> State:
        if owner == "network/broken":
            raise ValueError("nonsense")
        return stage.intent.get(owner, {})

    stage.reconciler = Reconciler(Host([stage.machine]), desired, lambda: [*stage.intent, "network/broken"])
    other = Bridge("br-b", "02:42:00:00:00:02", 1500)
    stage.intent["network/b"] = state(other)
    broken, fine = await asyncio.gather(
        stage.reconciler.settle(["network/broken"]),
        stage.reconciler.settle(["network/b"]),
        return_exceptions=True,
    )
    del stage.machine.present[other.key]

    with pytest.raises(HostRefused, match="nonsense"):
        await stage.reconciler.repair()

    assert (str(broken), fine) == ("internal error: nonsense", None)
    assert stage.machine.present[other.key] == other


async def test_damage_that_could_not_be_mended_at_once_is_told_when_it_is(stage: Stage) -> None:
    del stage.machine.present[BRIDGE.key]
    stage.switch.effects, stage.switch.refuse_at = 0, 1
    with pytest.raises(HostRefused):
        await stage.reconciler.repair()
    assert stage.told == []

    await stage.reconciler.repair()

    assert stage.told == [("network/a", Create(BRIDGE))]
    await stage.reconciler.close()


async def test_what_was_refused_at_the_start_is_had_later_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stubborn(Machine):
        refusals = 4

        def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
            if self.refusals and any(op.object == BRIDGE for op in ops):
                self.refusals -= 1
                return {BRIDGE.key: HostRefused("not now")}
            return super().apply(ops)

    machine = Stubborn(Switch())
    reconciler = Reconciler(Host([machine]), lambda owner: INTENT[owner], lambda: list(INTENT))

    refused = await reconciler.recover()

    assert refused.keys() == {BRIDGE.key}
    async with asyncio.timeout(60):
        while BRIDGE.key not in machine.present:  # noqa: ASYNC110 - it is had in a thread
            await asyncio.sleep(0.1)
    assert [record.message for record in caplog.records if "not now" in record.message] == [
        "link  br-a: not now",
        "still not as intended: not now",
    ]
    await reconciler.close()


async def test_only_planes_with_suspected_kinds_are_looked_at() -> None:
    class Links(Machine):
        kinds = frozenset({Bridge})

    class Rules(Machine):
        kinds = frozenset({FirewallTable, Sysctl})

    links, rules = Links(Switch()), Rules(Switch())
    reconciler = Reconciler(Host([links, rules]), lambda owner: INTENT[owner], lambda: list(INTENT))
    await reconciler.recover()
    links.present.clear()
    rules.present.clear()

    await reconciler.repair(frozenset({Bridge}))
    assert links.present == state(BRIDGE)
    assert rules.present == {}

    await reconciler.repair(frozenset({FirewallTable}))
    assert rules.present == state(TABLE, Sysctl("x", "1"))
