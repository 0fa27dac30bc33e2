"""What other people's iptables rules mean to us: would they drop what we let pass, and did they change?"""

import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bridgehead.core.firewall.iptables_chains import OTHER, USER, is_own
from bridgehead.core.firewall.tree import Place
from bridgehead.core.model.errors import HostRefused
from bridgehead.host.iptables.listing import Listing, Table
from bridgehead.host.iptables.programs import Programs, Variant, legacy_tables

_DROPPING = {"DROP", "REJECT", "QUEUE", "NFQUEUE"}
_GET_INFO = 64  # IPT_SO_GET_INFO, and IP6T_SO_GET_INFO
_LEVELS = {4: (socket.AF_INET, socket.IPPROTO_IP), 6: (socket.AF_INET6, socket.IPPROTO_IPV6)}
# struct ipt_getinfo: name, valid hooks, entries and underflows of five hooks, number of entries, bytes
_INFO = struct.Struct("=32sI5I5III")


@dataclass(frozen=True, slots=True)
class Foreign:
    """A filter table whose FORWARD drops something by other people's rules; they may know DOCKER-USER."""

    place: Place
    has_user_chain: bool


def foreign_drops(programs: Programs, *, with_own: bool) -> Iterator[Foreign]:
    """Both variants, or (not `with_own`) only the one that the iptables backend does not use itself.

    A command that is not installed, or a kernel without IPv6, drops nothing.
    """
    for family in (4, 6):
        for other in (False, True) if with_own else (True,):
            table = _filter(programs, family, other=other)
            if table is not None and would_drop(table):
                name = f"{OTHER if other else ''}filter"
                yield Foreign(Place(family, name), USER in table.chains)


def _filter(programs: Programs, family: int, *, other: bool) -> Table | None:
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


def legacy_sizes(family: int) -> dict[str, tuple[int, int]]:
    """For each legacy table the number of its entries and their bytes, by one system call a table.

    Nothing else tells that a legacy table changed. An equal size means, nearly always, equal rules.
    """
    domain, level = _LEVELS[family]
    with socket.socket(domain, socket.SOCK_DGRAM) as channel:
        return {table: _size(channel, level, table) for table in sorted(legacy_tables(family))}


def _size(channel: socket.socket, level: int, table: str) -> tuple[int, int]:
    # Python's getsockopt cannot hand anything in, and the table's name goes in.
    answer = ctypes.create_string_buffer(_INFO.pack(table.encode(), *[0] * 13), _INFO.size)
    length = ctypes.c_uint32(_INFO.size)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.getsockopt(channel.fileno(), level, _GET_INFO, answer, ctypes.byref(length)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"legacy table {table}")
    *_, entries, size = _INFO.unpack(answer.raw)
    return entries, size
