"""Choosing a free subnet among the pools.

Docker's own list comes first, so the usual addresses appear (172.18.0.0/16 and so on). It is spent after 30
networks; we go on with small blocks of 10.128.0.0/9 where dockerd gives up (behaviour.md 6, complaint 2).
When little is left, because of many networks or because the host uses most of it, blocks become ever smaller.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from bridgehead.core.model.addresses import Prefix

_Interval = tuple[int, int]  # first and last address, as numbers

# The smaller the block, the less it must leave for others: (prefix length, what share has to stay free).
_OWN_SIZE_LEAVES = 4
_SMALLER = ((24, 8), (26, 16), (28, 0))
_BITS = {4: 32, 6: 128}


@dataclass(frozen=True, slots=True)
class Pool:
    """Blocks of prefix length `size` out of `base`; of smaller ones when room gets short, if `divisible`."""

    base: Prefix
    size: int
    divisible: bool = False


def _pools(*lines: str) -> tuple[Pool, ...]:
    pairs = (line.split() for line in lines)
    return tuple(Pool(ipaddress.ip_network(base), int(size), divisible=True) for base, size in pairs)


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


def with_own_ipv6(pools: tuple[Pool, ...], host_id: str) -> tuple[Pool, ...]:
    """With 65,536 private IPv6 blocks of this host's own, unless there are other IPv6 pools."""
    if any(pool.base.version == 6 for pool in pools):
        return pools
    chosen_by_host = sha256(host_id.encode()).digest()[-5:]
    base = ipaddress.IPv6Network((bytes([0xFD]) + chosen_by_host + bytes(10), 48))
    return (*pools, Pool(base, 64))


def choose(pools: Sequence[Pool], given: Iterable[Prefix], avoid: Iterable[Prefix] = ()) -> Prefix | None:
    """The first block that touches neither what networks were `given` nor what the host uses.

    None: every pool is spent. Only prefixes of the pools' one family count.
    """
    if not pools:
        return None
    version = pools[0].base.version
    blocked = _merged(_intervals(avoid, version))
    taken = _merged([*blocked, *_intervals(given, version)])
    bases = _merged(_interval(pool.base) for pool in pools if pool.divisible)
    room, free = _uncovered(bases, blocked), _uncovered(bases, taken)
    for pool in pools:
        if pool.divisible and free - _block(pool.base, pool.size) < room // _OWN_SIZE_LEAVES:
            continue
        if found := first_gap(pool.base, pool.size, taken):
            return found
    for size, leaves in _SMALLER:
        if leaves and free < room // leaves:
            continue
        for pool in pools:
            if pool.divisible and pool.size < size and (found := first_gap(pool.base, size, taken)):
                return found
    return None


def choose_of_size(
    pools: Sequence[Pool], size: int, given: Iterable[Prefix], avoid: Iterable[Prefix] = ()
) -> Prefix | None:
    """The first free block of just this size, whatever the pools' own sizes are."""
    fitting = [pool for pool in pools if pool.base.prefixlen <= size <= _BITS[pool.base.version]]
    if not fitting:
        return None
    taken = _merged(_intervals((*given, *avoid), fitting[0].base.version))
    return next((found for pool in fitting if (found := first_gap(pool.base, size, taken))), None)


def first_gap(base: Prefix, size: int, taken: Sequence[_Interval]) -> Prefix | None:
    """`taken` in order and apart from each other, as `_merged` gives them."""
    block = _block(base, size)
    start, end = _interval(base)
    for low, high in taken:
        if low >= start + block:
            break
        if high >= start:
            start = (high // block + 1) * block
    if start + block - 1 > end:
        return None
    network = ipaddress.IPv4Network if base.version == 4 else ipaddress.IPv6Network
    return network((start, size))


def _block(base: Prefix, size: int) -> int:
    return 1 << (_BITS[base.version] - size)


def _interval(prefix: Prefix) -> _Interval:
    return int(prefix.network_address), int(prefix.broadcast_address)


def _intervals(prefixes: Iterable[Prefix], version: int) -> Iterator[_Interval]:
    return (_interval(prefix) for prefix in prefixes if prefix.version == version)


def _merged(intervals: Iterable[_Interval]) -> list[_Interval]:
    merged: list[_Interval] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged


def _uncovered(bases: Iterable[_Interval], covers: Sequence[_Interval]) -> int:
    """How many addresses of `bases` lie in none of `covers`; both in order and apart."""
    total = 0
    for start, end in bases:
        total += end - start + 1
        for low, high in covers:
            if low <= end and high >= start:
                total -= min(high, end) - max(low, start) + 1
    return total
