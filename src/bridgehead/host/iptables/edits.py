"""From the chains that are to the chains that should be, as lines for iptables-restore.

Our own chains are emptied and filled again if they differ. In a chain that others use too, each rule of ours
is deleted and added by itself, and everybody else's stays where it is.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bridgehead.core.firewall.iptables_chains import (
    FIXED_CHAINS,
    USER,
    is_branch,
    is_ordered,
    is_own,
    root,
)
from bridgehead.core.firewall.tree import Chains as Wanted
from bridgehead.core.firewall.tree import Place, spread
from bridgehead.host.iptables.listing import Chains

Ours = Callable[[str, str, str], bool]  # (table, chain, rule): is it one of ours?
_AT_THE_TOP = {"FORWARD", "POSTROUTING"}
# Another dockerd has the same one. We put it there if it is missing, and leave it to the user's rules.
_TO_USER = f"-j {USER}"


@dataclass(slots=True)
class Edits:
    """`lines` lead from `chains` to `after`, which holds the changed chains alone (None: gone)."""

    lines: list[str] = field(default_factory=list)
    after: dict[str, list[str] | None] = field(default_factory=dict)


def edits(table: str, present: Chains, wanted: Wanted, ours: Ours, within: Iterable[str]) -> Edits:
    """`within`: the chains to look at; what is ours in one of them and not in `wanted` goes."""
    found = Edits()
    births, rules, deaths = [], [], []
    for chain in within:
        texts = wanted.get(chain)
        if not is_own(chain):
            if chain in FIXED_CHAINS and chain not in present and texts is not None:
                births.append(f"-N {chain}")
            lines, after = _shared(table, chain, present.get(chain, []), texts or (), ours)
            rules += lines
            if lines or chain not in present:
                found.after[chain] = after
        elif texts is None and chain in present:
            births.append(f":{chain} - [0:0]")
            deaths.append(f"-X {chain}")
            found.after[chain] = None
        elif texts is not None and (chain not in present or present[chain] != list(texts)):
            births.append(f":{chain} - [0:0]")
            rules += [f"-A {chain} {text}" for text in texts]
            found.after[chain] = list(texts)
    found.lines = births + rules + deaths
    return found


def _shared(
    table: str, chain: str, present: Sequence[str], wanted: Sequence[str], ours: Ours
) -> tuple[list[str], list[str]]:
    mine = [text for text in present if ours(table, chain, text) and (text != _TO_USER or text in wanted)]
    if is_ordered(table, chain):
        return _in_order(chain, present, mine, wanted)
    surplus, lacking = Counter(mine) - Counter(wanted), Counter(wanted) - Counter(mine)
    lines = [f"-D {chain} {text}" for text in surplus.elements()]
    lines += [f"-A {chain} {text}" for text in lacking.elements()]
    after = list(present)
    for text in surplus.elements():
        after.remove(text)
    return lines, after + list(lacking.elements())


def _in_order(
    chain: str, present: Sequence[str], mine: Sequence[str], wanted: Sequence[str]
) -> tuple[list[str], list[str]]:
    """All of ours together, where the first of them stands now."""
    if list(mine) == list(wanted):
        return [], list(present)
    others = list(present)
    for text in mine:
        others.remove(text)
    default = 0 if chain in _AT_THE_TOP else len(others)
    at = present.index(mine[0]) if mine else default
    lines = [f"-D {chain} {text}" for text in mine]
    lines += [f"-I {chain} {number} {text}" for number, text in enumerate(wanted, at + 1)]
    return lines, [*others[:at], *wanted, *others[at:]]


def meant(place: Place, present: Chains, ours: Ours) -> dict[str, set[str]]:
    """The rules of ours that stand in a table, under the chains they are meant for."""
    found: dict[str, set[str]] = {}
    for chain, texts in present.items():
        own = is_own(chain)
        for text in texts:
            if not is_branch(text.rpartition(" ")[2]) and (own or ours(place.table, chain, text)):
                found.setdefault(root(chain), set()).add(text)
    if found.get("FORWARD") == {_TO_USER}:
        del found["FORWARD"]
    return found


def damaged(place: Place, present: Chains, rules: Mapping[str, Iterable[str]], ours: Ours) -> list[str]:
    """Chains that do not stand as these rules would have made them."""
    wanted = spread(place, rules)
    every = {*wanted, *(chain for chain in present if is_own(chain))}
    return sorted(chain for chain in every if edits(place.table, present, wanted, ours, [chain]).lines)
