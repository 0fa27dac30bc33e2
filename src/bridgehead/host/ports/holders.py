"""Who has the port that we could not have."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress

from bridgehead.core.model.addresses import Address
from bridgehead.core.plan.objects import PortHold
from bridgehead.host.ports.table import Entry, entries

# ruff: noqa: PTH115, PTH123, PTH208 - thousands of descriptors are looked at, and strings do


def of(holds: Iterable[PortHold]) -> Mapping[PortHold, str]:
    """For each hold the program in its way and its process id, or what else can be said of it."""
    sockets: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries():
        sockets.setdefault((entry.protocol, entry.port), []).append(entry)
    culprits = {hold: _in_the_way(hold, sockets.get((hold.protocol, hold.port), ())) for hold in holds}
    wanted = {entry.inode for entry in culprits.values() if entry is not None}
    programs = dict(_programs(wanted))
    return {hold: _described(entry, programs) for hold, entry in culprits.items()}


def _described(entry: Entry | None, programs: Mapping[int, str]) -> str:
    if entry is None:
        # It went away meanwhile, or it is bound and does not listen, which the kernel tells nobody.
        return "a process that cannot be found"
    return programs.get(entry.inode, "a process that cannot be seen from here")


def _in_the_way(hold: PortHold, sockets: Iterable[Entry]) -> Entry | None:
    rivals = [entry for entry in sockets if _meet(hold.address, entry.address)]
    # A listener has it; a mere connection from that port is in the way too, but is less to the point.
    return min(
        rivals,
        key=lambda entry: (not entry.listening, entry.address.version != hold.address.version),
        default=None,
    )


def _meet(ours: Address, theirs: Address) -> bool:
    if theirs.version == 6 and ours.version == 4:
        # A socket of IPv6 may serve IPv4 beside it; connections of its own are written as ::ffff:a.b.c.d.
        mapped = getattr(theirs, "ipv4_mapped", None)
        return theirs.is_unspecified or (mapped is not None and _meet(ours, mapped))
    if theirs.version != ours.version:
        return False
    return ours == theirs or ours.is_unspecified or theirs.is_unspecified


def _programs(inodes: Collection[int]) -> Iterator[tuple[int, str]]:
    if not inodes:
        return
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):  # it ended, or may not be looked at
            for target in _open_files(pid):
                if target in wanted:
                    yield wanted.pop(target), f"{_command(pid)} (pid {pid})"
        if not wanted:
            return


def _open_files(pid: str) -> Iterator[str]:
    folder = f"/proc/{pid}/fd"
    for descriptor in os.listdir(folder):
        with suppress(FileNotFoundError):  # closed meanwhile; it says nothing of the others
            yield os.readlink(f"{folder}/{descriptor}")


def _command(pid: str) -> str:
    with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as name:
        return name.read().strip()
