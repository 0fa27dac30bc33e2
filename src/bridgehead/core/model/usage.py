"""What a running container uses of the machine. Bytes, nanoseconds and counts since it began."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CpuUsage:
    """`per_cpu` where the kernel counts it so. `system`: all that the machine's processors did since boot."""

    total: int = 0
    kernel: int = 0
    user: int = 0
    per_cpu: tuple[int, ...] = ()
    system: int = 0
    online: int = 0
    periods: int = 0
    throttled_periods: int = 0
    throttled: int = 0


@dataclass(frozen=True, slots=True)
class MemoryUsage:
    """`limit` is the machine's memory where the container has none; `most` None where it is not known."""

    used: int = 0
    limit: int = 0
    most: int | None = None
    failures: int = 0
    detail: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transfer:
    """To or from one block device."""

    major: int
    minor: int
    kind: str  # read, write; and what else the kernel tells apart
    count: int


@dataclass(frozen=True, slots=True)
class Traffic:
    received_bytes: int = 0
    received_packets: int = 0
    received_errors: int = 0
    received_dropped: int = 0
    sent_bytes: int = 0
    sent_packets: int = 0
    sent_errors: int = 0
    sent_dropped: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """`pids_limit` 0: none. `networks` by interface; None where the interfaces are the host's."""

    cpu: CpuUsage
    memory: MemoryUsage
    pids: int = 0
    pids_limit: int = 0
    moved_bytes: tuple[Transfer, ...] = ()
    operations: tuple[Transfer, ...] = ()
    networks: Mapping[str, Traffic] | None = None
