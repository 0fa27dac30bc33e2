"""What other people's iptables rules mean to us: would they drop what we let pass?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bridgehead.core.firewall.iptables_chains import OTHER, USER, is_own
from bridgehead.core.firewall.tree import Place
from bridgehead.core.model.errors import HostRefused
from bridgehead.host.iptables.legacy import legacy_tables
from bridgehead.host.iptables.listing import Listing, Table
from bridgehead.host.iptables.programs import Programs, Variant

_DROPPING = {"DROP", "REJECT", "QUEUE", "NFQUEUE"}


@dataclass(frozen=True, slots=True)
class Foreign:
    """A filter table whose FORWARD drops something by other people's rules; they may know DOCKER-USER."""

    place: Place
    has_user_chain: bool


def foreign_drops(programs: Programs, *, with_own: bool) -> Iterator[Foreign]:
    """Both variants, or (not `with_own`) only the one that the iptables backend does not use itself.

    A command that is not installed, or a kernel without IPv6, drops nothing.
    """
    sources = [(family, other) for family in (4, 6) for other in ((False, True) if with_own else (True,))]
    with ThreadPoolExecutor(len(sources)) as readers:
        tables = readers.map(lambda source: _filter(programs, *source), sources)
    for (family, other), table in zip(sources, tables, strict=True):
        if table is not None and would_drop(table):
            name = f"{OTHER if other else ''}filter"
            yield Foreign(Place(family, name), USER in table.chains)


def _filter(programs: Programs, family: int, other: bool) -> Table | None:
    try:
        variant = programs.variant.other if other else programs.variant
        # Reading a legacy table that is not there would make it.
        if variant is Variant.LEGACY and "filter" not in legacy_tables(family):
            return None
        listing: Listing = programs.save(family, variant)
    except HostRefused:
        return None
    return listing.get("filter")


def would_drop(table: Table) -> bool:
    """Whether a forwarded packet may come to a drop that is neither ours nor the user's in DOCKER-USER."""
    if table.policies.get("FORWARD") == "DROP":
        return True
    reached, waiting = {"FORWARD"}, ["FORWARD"]
    while waiting:
        for text in table.chains.get(waiting.pop(), ()):
            target = _target(text)
            if target in _DROPPING:
                return True
            if target in table.chains and target not in reached and target != USER and not is_own(target):
                reached.add(target)
                waiting.append(target)
    return False


def _target(text: str) -> str:
    words = text.split()
    return next((words[at + 1] for at, word in enumerate(words[:-1]) if word in {"-j", "-g"}), "")
