"""Health: how a container is asked whether it is well, and what it answered."""

from dataclasses import dataclass
from enum import StrEnum


class HealthStatus(StrEnum):
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """`test` as in Docker's API: ("CMD", ...), ("CMD-SHELL", text), ("NONE",), or () for the image's.

    Times in nanoseconds; 0 is nothing said, as are 0 retries.
    """

    test: tuple[str, ...] = ()
    interval_ns: int = 0
    timeout_ns: int = 0
    retries: int = 0
    start_period_ns: int = 0
    start_interval_ns: int = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """One asking; `start` and `end` in RFC 3339. The code is -1 where the time ran out."""

    start: str
    end: str
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class Health:
    """`log` holds the latest probes, oldest first."""

    status: HealthStatus = HealthStatus.STARTING
    failing_streak: int = 0
    log: tuple[Probe, ...] = ()
