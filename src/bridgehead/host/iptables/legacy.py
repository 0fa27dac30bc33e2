"""Whether legacy tables changed: the kernel announces nothing of them, so their sizes are compared."""

import contextlib
import ctypes
import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

_TABLES = {4: "/proc/thread-self/net/ip_tables_names", 6: "/proc/thread-self/net/ip6_tables_names"}
_GET_INFO = 64  # IPT_SO_GET_INFO, and IP6T_SO_GET_INFO
_LEVELS = {4: (socket.AF_INET, socket.IPPROTO_IP), 6: (socket.AF_INET6, socket.IPPROTO_IPV6)}
# struct ipt_getinfo: name, valid hooks, entries and underflows of five hooks, number of entries, bytes
_INFO = struct.Struct("=32sI5I5III")

Sizes = Mapping[str, tuple[int, int]]


def legacy_tables(family: int) -> frozenset[str]:
    """The legacy tables that the kernel holds for this network namespace; to look makes none."""
    with contextlib.suppress(FileNotFoundError):
        return frozenset(Path(_TABLES[family]).read_text().split())
    return frozenset()


def legacy_sizes(family: int) -> Sizes:
    """For each legacy table the number of its entries and their bytes, by one system call a table.

    An equal size means, nearly always, equal rules.
    """
    tables = sorted(legacy_tables(family))
    if not tables:
        return {}
    domain, level = _LEVELS[family]
    with socket.socket(domain, socket.SOCK_DGRAM) as channel:
        return {table: _size(channel, level, table) for table in tables}


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
