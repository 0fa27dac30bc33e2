"""What a health check means: the user's words over the image's, when to ask, and what an answer changes."""

from collections.abc import Sequence
from dataclasses import replace

from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.health import Health, HealthCheck, HealthStatus, Probe

KEPT = 5
"""How many probes are remembered."""

_DEFAULT = HealthCheck(
    interval_ns=30 * 10**9, timeout_ns=30 * 10**9, retries=3, start_period_ns=0, start_interval_ns=5 * 10**9
)
_LEAST_NS = 1_000_000
_SHELL = ("/bin/sh", "-c")
_KINDS = ("CMD", "CMD-SHELL", "NONE")


def check(asked: HealthCheck) -> None:
    """
    Raises:
        InvalidParameter: a time is too short to be one, or the test is of no known kind.
    """
    times = (
        ("Interval", asked.interval_ns),
        ("Timeout", asked.timeout_ns),
        ("StartPeriod", asked.start_period_ns),
        ("StartInterval", asked.start_interval_ns),
    )
    for name, nanoseconds in times:
        if nanoseconds != 0 and nanoseconds < _LEAST_NS:
            raise InvalidParameter(f"{name} in Healthcheck cannot be less than 1ms")
    if asked.retries < 0:
        raise InvalidParameter("Retries in Healthcheck cannot be negative")
    if asked.test and asked.test[0] not in _KINDS:
        raise InvalidParameter(f"Unknown healthcheck type '{asked.test[0]}': it is CMD, CMD-SHELL or NONE")


def merged(asked: HealthCheck | None, image: HealthCheck | None) -> HealthCheck | None:
    """What is asked in the end, with every time said; None: nothing is."""
    asked, image = asked or HealthCheck(), image or HealthCheck()
    test = asked.test or image.test
    if len(test) < 2:  # nothing, or NONE, or a kind without a command
        return None

    def first(mine: int, theirs: int, default: int) -> int:
        return mine or theirs or default

    return HealthCheck(
        test,
        first(asked.interval_ns, image.interval_ns, _DEFAULT.interval_ns),
        first(asked.timeout_ns, image.timeout_ns, _DEFAULT.timeout_ns),
        first(asked.retries, image.retries, _DEFAULT.retries),
        first(asked.start_period_ns, image.start_period_ns, _DEFAULT.start_period_ns),
        first(asked.start_interval_ns, image.start_interval_ns, _DEFAULT.start_interval_ns),
    )


def command(asked: HealthCheck, shell: Sequence[str] = ()) -> tuple[str, ...]:
    """The argument vector to run inside; `shell` is the image's own, if it names one."""
    kind, *words = asked.test
    return (*(shell or _SHELL), *words[:1]) if kind == "CMD-SHELL" else tuple(words)


def pause_ns(asked: HealthCheck, health: Health, age_ns: int) -> int:
    """How long to wait before the next probe of a container that has run for `age_ns`."""
    beginning = health.status is HealthStatus.STARTING and age_ns < asked.start_period_ns
    return asked.start_interval_ns if beginning else asked.interval_ns


def judged(asked: HealthCheck, health: Health, probe: Probe, age_ns: int) -> Health:
    """`age_ns` is how long the container had run when the probe began.

    Failures in the start period do not count, unless it was healthy before.
    """
    log = (*health.log, probe)[-KEPT:]
    if probe.exit_code == 0:
        return Health(HealthStatus.HEALTHY, 0, log)
    if health.status is HealthStatus.STARTING and age_ns < asked.start_period_ns:
        return replace(health, log=log)
    streak = health.failing_streak + 1
    status = HealthStatus.UNHEALTHY if streak >= asked.retries else health.status
    return Health(status, streak, log)
