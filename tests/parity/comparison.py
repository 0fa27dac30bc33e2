"""Holds two plays of a session against each other."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from tests.parity.difference import Difference
from tests.parity.normalise import Normaliser
from tests.parity.session import Step


@dataclass(slots=True)
class Comparison:
    """Unexplained lines by command, and the rules that were never needed."""

    unexplained: list[str] = field(default_factory=list)
    unused: list[Difference] = field(default_factory=list)

    @property
    def report(self) -> str:
        idle = [f"rule without a use: {rule}" for rule in self.unused]
        return "\n".join([*self.unexplained, *idle])


def compare(oracle: Iterable[Step], ours: Iterable[Step], rules: Iterable[Difference]) -> Comparison:
    pending = {(rule, side) for rule in rules for side in ("oracle", "ours") if getattr(rule, side)}
    wanted = tuple(pending)
    result = Comparison()
    masks = Normaliser(), Normaliser()
    for reference, actual in zip(oracle, ours, strict=True):
        strange = []
        lines = map(Normaliser.lines, masks, (reference.answer, actual.answer))
        for side, line in _only_one_side(
            *(sorted(shown) if reference.unordered else shown for shown in lines)
        ):
            matching = {
                (rule, at) for rule, at in wanted if at == side and re.fullmatch(getattr(rule, at), line)
            }
            pending -= matching
            if not matching:
                strange.append(f"  only {side}: {line}")
        if strange:
            result.unexplained += [f"$ docker {reference.command}", *strange]
    result.unused = sorted({rule for rule, _ in pending}, key=lambda rule: rule.why)
    return result


def _only_one_side(oracle: Sequence[str], ours: Sequence[str]) -> Iterable[tuple[str, str]]:
    for tag, start, end, our_start, our_end in SequenceMatcher(None, oracle, ours, False).get_opcodes():
        if tag != "equal":
            yield from (("oracle", line) for line in oracle[start:end])
            yield from (("ours", line) for line in ours[our_start:our_end])
