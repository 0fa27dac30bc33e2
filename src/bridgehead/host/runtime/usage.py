"""What the kernel counted for a container: in its control groups, of either version, and its interfaces."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from bridgehead.core.model.usage import CpuUsage, MemoryUsage, Traffic, Transfer, Usage

_SECOND = 1_000_000_000
_MICROSECOND = 1_000
_BUSY_FIELDS = 7  # user to softirq: what Docker takes for the machine's time
_V2_KINDS = {"rbytes": "read", "wbytes": "write"}


class Groups:
    """One container's groups, in whatever hierarchies there are; a file is looked for in each of them."""

    def __init__(self, folders: Iterable[str]) -> None:
        self._folders = tuple(folders)

    def text(self, name: str) -> str:
        for folder in self._folders:
            with suppress(OSError):
                return Path(folder, name).read_text("ascii")
        return ""

    def number(self, name: str) -> int:
        """0 for what is not there, or is "max"."""
        text = self.text(name).strip()
        return int(text) if text.isdigit() else 0

    def table(self, name: str) -> Mapping[str, int]:
        """Lines of a word and a number."""
        pairs = (line.split() for line in self.text(name).splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def usage(folders: Iterable[str], pid: int, *, shares_host_network: bool) -> Usage:
    """`pid` is the container's first process."""
    groups = Groups(folders)
    return Usage(
        cpu=_cpu(groups),
        memory=_memory(groups),
        pids=groups.number("pids.current"),
        pids_limit=groups.number("pids.max"),
        moved_bytes=tuple(_moved(groups)),
        operations=tuple(_transfers(groups.text("blkio.throttle.io_serviced_recursive"))),
        networks=None if shares_host_network else dict(_traffic(pid)),
    )


def _cpu(groups: Groups) -> CpuUsage:
    """Of the old files where there are any; on a machine with both versions they have the controller."""
    per_cpu = tuple(map(int, groups.text("cpuacct.usage_percpu").split()))
    counted, times = groups.table("cpu.stat"), groups.table("cpuacct.stat")
    tick = _SECOND // os.sysconf("SC_CLK_TCK")
    new = not per_cpu
    return CpuUsage(
        total=counted.get("usage_usec", 0) * _MICROSECOND if new else groups.number("cpuacct.usage"),
        kernel=counted.get("system_usec", 0) * _MICROSECOND if new else times.get("system", 0) * tick,
        user=counted.get("user_usec", 0) * _MICROSECOND if new else times.get("user", 0) * tick,
        per_cpu=per_cpu,
        system=_system(tick),
        online=os.sysconf("SC_NPROCESSORS_ONLN"),
        periods=counted.get("nr_periods", 0),
        throttled_periods=counted.get("nr_throttled", 0),
        throttled=counted.get("throttled_time", 0) or counted.get("throttled_usec", 0) * _MICROSECOND,
    )


def _system(tick: int) -> int:
    first = Path("/proc/stat").read_text("ascii").partition("\n")[0]
    return sum(map(int, first.split()[1 : 1 + _BUSY_FIELDS])) * tick


def _memory(groups: Groups) -> MemoryUsage:
    machine = _machine_memory()
    limit = groups.number("memory.limit_in_bytes") or groups.number("memory.max")
    old = bool(groups.text("memory.usage_in_bytes"))
    return MemoryUsage(
        used=groups.number("memory.usage_in_bytes" if old else "memory.current"),
        limit=min(limit or machine, machine),
        most=groups.number("memory.max_usage_in_bytes") if old else None,
        failures=groups.number("memory.failcnt") if old else groups.table("memory.events").get("oom", 0),
        detail=groups.table("memory.stat"),
    )


@cache
def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _moved(groups: Groups) -> Iterator[Transfer]:
    yield from _transfers(groups.text("blkio.throttle.io_service_bytes_recursive"))
    for line in groups.text("io.stat").splitlines():
        device, *fields = line.split()
        major, _, minor = device.partition(":")
        for field in fields:
            name, _, count = field.partition("=")
            if name in _V2_KINDS:
                yield Transfer(int(major), int(minor), _V2_KINDS[name], int(count))


def _transfers(text: str) -> Iterator[Transfer]:
    """Lines "8:0 Read 4096"; the sum at the end is of no device."""
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3:
            major, _, minor = words[0].partition(":")
            yield Transfer(int(major), int(minor), words[1].lower(), int(words[2]))


def _traffic(pid: int) -> Iterator[tuple[str, Traffic]]:
    """Each interface of the namespace `pid` is in, but for the loopback."""
    try:
        lines = Path(f"/proc/{pid}/net/dev").read_text("ascii").splitlines()[2:]
    except OSError:
        return
    for line in lines:
        name, _, counters = line.partition(":")
        if name.strip() != "lo":
            numbers = list(map(int, counters.split()))
            yield name.strip(), Traffic(*numbers[0:4], *numbers[8:12])
