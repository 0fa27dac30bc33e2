"""What a container uses, as `docker stats` reads it."""

from collections.abc import Iterable
from typing import Any

from bridgehead.core.model.container import Container
from bridgehead.core.model.usage import CpuUsage, MemoryUsage, Traffic, Transfer, Usage
from bridgehead.core.time import rfc3339

NEVER = "0001-01-01T00:00:00Z"
Stats = dict[str, Any]

_UNCOUNTED = (
    "io_queue_recursive",
    "io_service_time_recursive",
    "io_wait_time_recursive",
    "io_merged_recursive",
    "io_time_recursive",
    "sectors_recursive",
)


def show(container: Container, usage: Usage | None, now: int) -> Stats:
    """`usage` None: it does not run, and then only its names are told. `now` in ns since the epoch."""
    shown: Stats = {
        "read": NEVER if usage is None else rfc3339(now),
        "preread": NEVER,
        "num_procs": 0,
        "storage_stats": {},
        "precpu_stats": _cpu(CpuUsage()),
        **_counters(usage),
        "name": f"/{container.name}",
        "id": container.id,
    }
    if usage is not None and usage.networks is not None:
        shown["networks"] = {interface: _traffic(seen) for interface, seen in usage.networks.items()}
    return shown


def after(stats: Stats, before: Stats | None) -> Stats:
    """With what was seen before beside it: clients tell the load from the difference."""
    if before is None:
        return stats
    return {**stats, "preread": before["read"], "precpu_stats": before["cpu_stats"]}


def _counters(usage: Usage | None) -> Stats:
    if usage is None:
        return {
            "pids_stats": {},
            "blkio_stats": _transfers((), ()),
            "cpu_stats": _cpu(CpuUsage()),
            "memory_stats": {},
        }
    pids = {"current": usage.pids}
    return {
        "pids_stats": {**pids, "limit": usage.pids_limit} if usage.pids_limit else pids,
        "blkio_stats": _transfers(usage.moved_bytes, usage.operations),
        "cpu_stats": _cpu(usage.cpu),
        "memory_stats": _memory(usage.memory),
    }


def _cpu(cpu: CpuUsage) -> Stats:
    used: Stats = {"total_usage": cpu.total}
    if cpu.per_cpu:
        used["percpu_usage"] = list(cpu.per_cpu)
    used |= {"usage_in_kernelmode": cpu.kernel, "usage_in_usermode": cpu.user}
    shown: Stats = {"cpu_usage": used}
    if cpu.system:
        shown |= {"system_cpu_usage": cpu.system, "online_cpus": cpu.online}
    shown["throttling_data"] = {
        "periods": cpu.periods,
        "throttled_periods": cpu.throttled_periods,
        "throttled_time": cpu.throttled,
    }
    return shown


def _memory(memory: MemoryUsage) -> Stats:
    shown: Stats = {"usage": memory.used, "stats": dict(memory.detail), "limit": memory.limit}
    if memory.most is not None:
        shown["max_usage"] = memory.most
    if memory.failures:
        shown["failcnt"] = memory.failures
    return shown


def _transfers(moved: Iterable[Transfer], operations: Iterable[Transfer]) -> Stats:
    shown: Stats = {
        "io_service_bytes_recursive": list(map(_transfer, moved)),
        "io_serviced_recursive": list(map(_transfer, operations)),
    }
    return shown | dict.fromkeys(_UNCOUNTED)


def _transfer(seen: Transfer) -> Stats:
    return {"major": seen.major, "minor": seen.minor, "op": seen.kind, "value": seen.count}


def _traffic(seen: Traffic) -> Stats:
    return {
        "rx_bytes": seen.received_bytes,
        "rx_packets": seen.received_packets,
        "rx_errors": seen.received_errors,
        "rx_dropped": seen.received_dropped,
        "tx_bytes": seen.sent_bytes,
        "tx_packets": seen.sent_packets,
        "tx_errors": seen.sent_errors,
        "tx_dropped": seen.sent_dropped,
    }
