"""The iptables rules as the reconciler sees them."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_interface

from bridgehead.core.firewall.flows import Flow
from bridgehead.core.firewall.iptables_chains import (
    BRIDGE_GROUP,
    OTHER,
    PUBLISHED,
    is_own,
    may_name,
    shape,
)
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.diff import Op
from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import State, state
from bridgehead.host.iptables.book import Book
from bridgehead.host.iptables.legacy import legacy_tables
from bridgehead.host.iptables.links import group_of
from bridgehead.host.iptables.programs import NotInstalled, Programs, Variant

_DNAT = re.compile(r"(?:-d (\S+) )?! -i \S+ -p (\w+) -m \w+ --dport (\d+) -j DNAT .*")
_ANYWHERE = {4: "0.0.0.0", 6: "::"}


def _keep_flows(flows: Iterable[Flow]) -> None:
    """For a machine on which nobody can cut them."""


class IptablesPlane:
    """`adopted`: bridges of somebody else that `--bridge` named. `cut_flows` hears which ports changed hands.
    `needed` False: the networks' own rules are not here, so a machine without iptables will do.

    Both variants of iptables are looked at, since packets meet the rules of both.
    """

    kinds: frozenset[type] = frozenset({FirewallRule})

    def __init__(
        self,
        programs: Programs | None = None,
        *,
        adopted: frozenset[str] = frozenset(),
        cut_flows: Callable[[Iterable[Flow]], None] = _keep_flows,
        needed: bool = True,
    ) -> None:
        self._programs = programs or Programs()
        self._adopted = adopted
        self._cut_flows = cut_flows
        self._needed = needed
        self._groups: dict[str, int | None] = {}
        self._books = {
            (family, other): Book(self._programs, family, self._is_ours, other=other)
            for other in (False, True)
            for family in (4, 6)
        }

    @property
    def child_pids(self) -> Sequence[int]:
        """See `Programs.child_pids`."""
        return self._programs.child_pids

    def observe(self) -> State:
        self._groups.clear()
        # Each is a process that we wait for, and the daemon's start waits for all of them.
        with ThreadPoolExecutor(len(self._books)) as readers:
            list(readers.map(self._look_into, self._books.values()))
        return state(*(rule for book in self._books.values() for rule in book.rules()))

    def _look_into(self, book: Book) -> None:
        try:
            if self._is_worth_reading(book):
                book.read()
        except NotInstalled:
            return
        except HostRefused:
            # A kernel without IPv6, or a variant that does not work here: then nothing of ours is there.
            if self._needed and book.family == 4 and not book.other:
                raise

    def _is_worth_reading(self, book: Book) -> bool:
        """Where nothing of ours is we look once: nobody else puts anything there that is ours."""
        if not book.is_empty:
            return True
        if book.other and legacy_tables(book.family) == frozenset() and self._uses_nft():
            return False
        return not book.is_read or (book.family == 4 and not book.other)

    def _uses_nft(self) -> bool:
        try:
            return self._programs.variant is Variant.NFT
        except NotInstalled:
            return True

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        self._groups.clear()
        batches: dict[tuple[int, bool], list[Op]] = {}
        for op in ops:
            if not isinstance(op.object, FirewallRule):
                raise TypeError(f"not for iptables: {op.object}")
            batches.setdefault((op.object.family, op.object.table.startswith(OTHER)), []).append(op)
        failed: dict[Key, Exception] = {}
        for source, batch in batches.items():
            failed |= self._books[source].apply(batch)
        flows = {flow for op in ops if op.object.key not in failed for flow in _flows(op.object)}
        if flows:
            self._cut_flows(flows)
        return failed

    def _is_ours(self, table: str, chain: str, text: str) -> bool:
        if is_own(chain):
            return True
        found = shape(table, chain, text)
        if found is None or not found.bridge:
            return found is not None
        return may_name(chain, found.bridge) and self._is_our_bridge(found.bridge)

    def _is_our_bridge(self, name: str) -> bool:
        """A bridge that is gone cannot be told from one of ours that is gone, and its rules help nobody."""
        if name in self._adopted:
            return True
        if name not in self._groups:
            self._groups[name] = group_of(name)
        return self._groups[name] in (None, BRIDGE_GROUP)


def _flows(rule: object) -> Iterable[Flow]:
    if isinstance(rule, FirewallRule) and (rule.table, rule.chain) == ("nat", PUBLISHED):
        found = _DNAT.fullmatch(rule.text)
        if found is not None:
            host, protocol, port = found.groups()
            address = ip_interface(host).ip if host else ip_address(_ANYWHERE[rule.family])
            yield Flow(protocol, address, int(port))
