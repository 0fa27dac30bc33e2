"""One address family in one variant of iptables: what is believed of it, and how it is changed."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bridgehead.core.firewall.iptables_chains import BRANCHING, OTHER, is_ordered, root
from bridgehead.core.firewall.tree import Chains as Wanted
from bridgehead.core.firewall.tree import Place, grown, targets
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.diff import Delete, Op
from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.plan.key import Key
from bridgehead.host.iptables.edits import Edits, Ours, damaged, edits, meant
from bridgehead.host.iptables.listing import Chains
from bridgehead.host.iptables.programs import Programs, Refused

# Stands for a chain that is not as its rules would have made it, so that the difference is never empty.
DAMAGED = "(not as we made it)"
_REFUSALS = 8  # of single rules, before a batch is given up
_FRESH_S = 0.5  # a look may be this old when positions in a chain matter: repair comes right after it

Meant = dict[str, set[str]]


@dataclass(slots=True)
class _Sheet:
    """One table: its chains as they are, and our rules in it by the chain they are meant for."""

    chains: Chains = field(default_factory=dict)
    meant: Meant = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)


class Book:
    """`other`: this is the variant that `iptables` does not mean on this machine."""

    def __init__(self, programs: Programs, family: int, ours: Ours, *, other: bool = False) -> None:
        self._programs = programs
        self.family = family
        self.other = other
        self._ours = ours
        self._sheets: dict[str, _Sheet] | None = None
        self._read_at = 0.0

    @property
    def is_read(self) -> bool:
        return self._sheets is not None

    @property
    def is_empty(self) -> bool:
        """Whether nothing of ours is in it."""
        return not any(sheet.meant or sheet.damaged for sheet in (self._sheets or {}).values())

    def read(self) -> None:
        variant = self._programs.variant.other if self.other else None
        listing = self._programs.save(self.family, variant)
        self._read_at = time.monotonic()
        self._sheets = {
            f"{OTHER if self.other else ''}{name}": _Sheet(table.chains) for name, table in listing.items()
        }
        for name, sheet in self._sheets.items():
            place = Place(self.family, name)
            sheet.meant = meant(place, sheet.chains, self._ours)
            sheet.damaged = damaged(place, sheet.chains, sheet.meant, self._ours)

    def rules(self) -> Iterator[FirewallRule]:
        for table, sheet in (self._sheets or {}).items():
            for chain, texts in sheet.meant.items():
                yield from (FirewallRule(self.family, table, chain, text) for text in texts)
            yield from (FirewallRule(self.family, table, chain, DAMAGED) for chain in sheet.damaged)

    def apply(self, ops: Sequence[Op]) -> dict[Key, Exception]:
        """In one transaction; if that is refused, in one without the rules that were.

        Positions in a chain are only known from a fresh look, and so is what somebody else did to it.
        """
        everywhere = not self.is_read or any(_needs_sight(op) for op in ops)
        try:
            if everywhere and time.monotonic() - self._read_at > _FRESH_S:
                self.read()
            self._carry_out(ops, everywhere=everywhere)
        except Refused:
            return self._retry(list(ops))
        except HostRefused as error:
            return {op.object.key: error for op in ops}
        return {}

    def _retry(self, ops: list[Op]) -> dict[Key, Exception]:
        failed: dict[Key, Exception] = {}
        for _ in range(_REFUSALS):
            try:
                self.read()
                self._carry_out(ops, everywhere=True)
            except _RuleRefused as refused:
                culprits = [op for op in ops if _is_about(op, refused.rule)]
                failed |= {op.object.key: refused.error for op in culprits}
                ops = [op for op in ops if op not in culprits]
                if not culprits:
                    return failed | {op.object.key: refused.error for op in ops}
            except HostRefused as error:
                return failed | {op.object.key: error for op in ops}
            else:
                return failed
        return failed | {op.object.key: HostRefused("iptables refused too many rules") for op in ops}

    def _carry_out(self, ops: Sequence[Op], *, everywhere: bool) -> None:
        """Raises: Refused, _RuleRefused, HostRefused."""
        sheets = self._sheets or {}
        wanted = _updated(sheets, ops)
        found = {
            table: self._edits(table, sheets.get(table, _Sheet()), rules, None if everywhere else touched)
            for table, (rules, touched) in wanted.items()
            if touched or everywhere
        }
        lines = [line for table in sorted(found) for line in _script(table, found[table])]
        if lines:
            self._restore(lines)
        for table, (rules, _) in wanted.items():
            sheet = sheets.setdefault(table, _Sheet())
            sheet.meant = {chain: texts for chain, texts in rules.items() if texts}
            sheet.damaged = []
            for chain, texts in found[table].after.items() if table in found else ():
                if texts is None:
                    sheet.chains.pop(chain, None)
                else:
                    sheet.chains[chain] = texts
        self._sheets = sheets

    def _restore(self, lines: Sequence[str]) -> None:
        variant = self._programs.variant.other if self.other else None
        try:
            self._programs.restore(self.family, "".join(f"{line}\n" for line in lines), variant)
        except Refused as error:
            if 0 < error.line <= len(lines):
                raise _RuleRefused(error, lines[error.line - 1]) from error
            raise

    def _edits(self, table: str, sheet: _Sheet, rules: Meant, touched: set[str] | None) -> Edits:
        """`touched`: the only chains whose rules changed; None: look at all of them."""
        place = Place(self.family, table)
        roots = {*rules, *map(root, sheet.chains)} if touched is None else touched
        wanted: Wanted = {}
        for chain in roots:
            if rules.get(chain):
                wanted |= grown(place, chain, rules[chain])
        # Only chains that are not spread lead to others of the fixed ones.
        leading = {chain: tuple(texts) for chain, texts in rules.items() if (table, chain) not in BRANCHING}
        for chain in targets(leading | wanted):
            if chain in roots or chain not in sheet.chains:
                wanted.setdefault(chain, ())
        present = (chain for chain in sheet.chains if root(chain) in roots)
        return edits(table, sheet.chains, wanted, self._ours, dict.fromkeys([*wanted, *present]))


def _needs_sight(op: Op) -> bool:
    rule = op.object
    return isinstance(rule, FirewallRule) and (rule.text == DAMAGED or is_ordered(rule.table, rule.chain))


def _is_about(op: Op, line: str) -> bool:
    return isinstance(op.object, FirewallRule) and line.endswith(f" {op.object.text}")


def _updated(sheets: Mapping[str, _Sheet], ops: Sequence[Op]) -> dict[str, tuple[Meant, set[str]]]:
    """For each table our rules after the operations, and the chains that these concern."""
    found: dict[str, tuple[Meant, set[str]]] = {
        table: (dict(sheet.meant), set()) for table, sheet in sheets.items()
    }
    for op in ops:
        rule = op.object
        if not isinstance(rule, FirewallRule):
            raise TypeError(f"not for iptables: {rule}")
        rules, touched = found.setdefault(rule.table, ({}, set()))
        if rule.chain not in touched:
            touched.add(rule.chain)
            rules[rule.chain] = set(rules.get(rule.chain, ()))
        if isinstance(op, Delete):
            rules[rule.chain].discard(rule.text)
        elif rule.text != DAMAGED:
            rules[rule.chain].add(rule.text)
    return found


def _script(table: str, changes: Edits) -> list[str]:
    if not changes.lines:
        return []
    return [f"*{table.removeprefix(OTHER)}", *changes.lines, "COMMIT"]


class _RuleRefused(Refused):
    """The line of the script that was refused is known."""

    def __init__(self, error: Refused, rule: str) -> None:
        super().__init__(error.message, error.line)
        self.error = error
        self.rule = rule
