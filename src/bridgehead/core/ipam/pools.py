"""Choosing a free subnet among the predefined pools.

Docker's own list comes first, so the usual addresses appear (172.18.0.0/16 and so on). It is spent after 30
networks; we go on with small blocks of 10.128.0.0/9 where dockerd gives up (behaviour.md 6, complaint 2).
"""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bridgehead.core.model.addresses import Prefix
from bridgehead.core.model.errors import InvalidParameter


@dataclass(frozen=True, slots=True)
class Pool:
    """Blocks of prefix length `size` out of `base`."""

    base: Prefix
    size: int


def _pools(*lines: str) -> tuple[Pool, ...]:
    pairs = (line.split() for line in lines)
    return tuple(Pool(ipaddress.ip_network(base), int(size)) for base, size in pairs)


PREDEFINED_POOLS = _pools(
    "172.17.0.0/16 16",
    "172.18.0.0/16 16",
    "172.19.0.0/16 16",
    "172.20.0.0/14 16",
    "172.24.0.0/14 16",
    "172.28.0.0/14 16",
    "192.168.0.0/16 20",
    "10.128.0.0/9 24",
)


def choose(pools: Sequence[Pool], taken: Iterable[Prefix]) -> Prefix:
    """The first block of the first pool that touches nothing in `taken` (one family, any order).

    Raises:
        InvalidParameter: every pool is spent.
    """
    intervals = sorted((int(prefix.network_address), int(prefix.broadcast_address)) for prefix in taken)
    for pool in pools:
        if found := _first_gap(pool, intervals):
            return found
    raise InvalidParameter(
        "all predefined address pools have been fully subnetted; remove a network or give one --subnet"
    )


def _first_gap(pool: Pool, intervals: list[tuple[int, int]]) -> Prefix | None:
    block = 1 << (pool.base.max_prefixlen - pool.size)
    start, end = int(pool.base.network_address), int(pool.base.broadcast_address)
    for low, high in _relevant(intervals, start, end):
        if low >= start + block:
            break
        if high >= start:
            start = (high // block + 1) * block
    if start + block - 1 > end:
        return None
    network = ipaddress.IPv4Network if pool.base.version == 4 else ipaddress.IPv6Network
    return network((start, pool.size))


def _relevant(intervals: list[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    return ((low, high) for low, high in intervals if high >= start and low <= end)
