"""The differences from Docker 20.10 that we mean to have, each with its reason; any other fails the test.

A line that only one side has must match a rule of its scenario, and every rule must be needed, so that this
table stays true.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from tests.parity.session import Step


@dataclass(frozen=True, slots=True)
class Difference:
    """`oracle` and `ours` are patterns of whole lines that only that side shows; '' when there is none."""

    why: str
    oracle: str = ""
    ours: str = ""


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
    for reference, actual in zip(oracle, ours, strict=True):
        strange = []
        for side, line in _only_one_side(reference.lines, actual.lines):
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


def _only_one_side(oracle: tuple[str, ...], ours: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    for tag, start, end, our_start, our_end in SequenceMatcher(None, oracle, ours, False).get_opcodes():
        if tag != "equal":
            yield from (("oracle", line) for line in oracle[start:end])
            yield from (("ours", line) for line in ours[our_start:our_end])


DIFFERENCES: dict[str, tuple[Difference, ...]] = {}
