"""The machine as the reconciler sees it: one thing with many faces."""

from collections.abc import Iterable, Mapping, Sequence

from bridgehead.core.plan.diff import Op
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import EVERY_KIND, Kinds, State
from bridgehead.engine.world import Plane


class Host:
    """All planes as one: operations go to the plane of their kind, in the order given."""

    def __init__(self, planes: Sequence[Plane]) -> None:
        self._planes = planes

    def observe(self, kinds: Kinds = EVERY_KIND) -> State:
        """What is there of `kinds`, and of whatever is seen together with them."""
        found: State = {}
        for plane in self._planes:
            if plane.kinds & kinds:
                found |= plane.observe()
        return found

    def seen_with(self, kinds: Kinds) -> Kinds:
        return frozenset(kind for plane in self._planes if plane.kinds & kinds for kind in plane.kinds)

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        failed: dict[Key, Exception] = {}
        for plane, batch in self._batches(ops):
            failed |= plane.apply(batch)
        return failed

    def _batches(self, ops: Sequence[Op]) -> Iterable[tuple[Plane, list[Op]]]:
        batches: list[tuple[Plane, list[Op]]] = []
        for op in ops:
            plane = next(plane for plane in self._planes if type(op.object) in plane.kinds)
            if batches and batches[-1][0] is plane:
                batches[-1][1].append(op)
            else:
                batches.append((plane, [op]))
        return batches
