"""When a container is asked whether it is well, and what its answers make of it."""

from dataclasses import replace

import pytest

from bridgehead.core import health
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.health import Health, HealthCheck, HealthStatus, Probe

SECOND = 10**9
ASKED = HealthCheck(("CMD", "true"), 30 * SECOND, 10 * SECOND, 3, 60 * SECOND, 5 * SECOND)
HEALTHY = Health(HealthStatus.HEALTHY)


def probe(code: int, output: str = "") -> Probe:
    return Probe("start", "end", code, output)


def after(start: Health, *codes: int, age_s: int = 100) -> Health:
    for code in codes:
        start = health.judged(ASKED, start, probe(code), age_s * SECOND)
    return start


@pytest.mark.parametrize(
    ("start", "codes", "age_s", "status", "streak"),
    [
        (Health(), (0,), 1, HealthStatus.HEALTHY, 0),
        (Health(), (1, 1), 100, HealthStatus.STARTING, 2),
        (Health(), (1, 1, 1), 100, HealthStatus.UNHEALTHY, 3),
        (Health(), (1, 1, 1, 1), 59, HealthStatus.STARTING, 0),
        (HEALTHY, (1, -1), 100, HealthStatus.HEALTHY, 2),
        (HEALTHY, (1, -1, 2), 1, HealthStatus.UNHEALTHY, 3),
        (Health(HealthStatus.UNHEALTHY, 7), (0,), 100, HealthStatus.HEALTHY, 0),
    ],
)
def test_answers_make_the_status(
    start: Health, codes: tuple[int, ...], age_s: int, status: HealthStatus, streak: int
) -> None:
    found = after(start, *codes, age_s=age_s)

    assert (found.status, found.failing_streak) == (status, streak)


def test_last_five_answers_are_kept_also_those_that_do_not_count() -> None:
    found = after(Health(), 1, 2, 3, 4, 5, 6, 7, age_s=1)

    assert [entry.exit_code for entry in found.log] == [3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("known", "age_s", "pause_s"),
    [(Health(), 1, 5), (Health(), 60, 30), (HEALTHY, 1, 30), (Health(HealthStatus.UNHEALTHY), 1, 30)],
)
def test_asks_more_often_while_it_is_starting(known: Health, age_s: int, pause_s: int) -> None:
    assert health.pause_ns(ASKED, known, age_s * SECOND) == pause_s * SECOND


def test_user_s_words_lie_over_the_image_s_and_docker_s_defaults_below() -> None:
    image = HealthCheck(("CMD-SHELL", "from the image"), interval_ns=7 * SECOND, retries=9)

    found = health.merged(HealthCheck(interval_ns=2 * SECOND), image)

    assert found == HealthCheck(("CMD-SHELL", "from the image"), 2 * SECOND, 30 * SECOND, 9, 0, 5 * SECOND)


@pytest.mark.parametrize("asked", [HealthCheck(("NONE",)), HealthCheck(("CMD",))])
def test_none_takes_the_image_s_away(asked: HealthCheck) -> None:
    assert health.merged(asked, ASKED) is None


def test_nothing_said_by_anybody_is_no_check() -> None:
    assert health.merged(None, None) is None


@pytest.mark.parametrize(
    ("test", "shell", "command"),
    [
        (("CMD", "a", "b c"), (), ("a", "b c")),
        (("CMD-SHELL", "a | b"), (), ("/bin/sh", "-c", "a | b")),
        (("CMD-SHELL", "a"), ("/bin/ash", "-ec"), ("/bin/ash", "-ec", "a")),
    ],
)
def test_command_that_is_run(test: tuple[str, ...], shell: tuple[str, ...], command: tuple[str, ...]) -> None:
    assert health.command(replace(ASKED, test=test), shell) == command


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (HealthCheck(interval_ns=999_999), "Interval in Healthcheck cannot be less than 1ms"),
        (HealthCheck(timeout_ns=-1), "Timeout in Healthcheck cannot be less than 1ms"),
        (HealthCheck(start_period_ns=1), "StartPeriod in Healthcheck"),
        (HealthCheck(start_interval_ns=1), "StartInterval in Healthcheck"),
        (HealthCheck(retries=-1), "Retries in Healthcheck cannot be negative"),
        (HealthCheck(("SHELL", "x")), "Unknown healthcheck type 'SHELL'"),
    ],
)
def test_check_that_cannot_be_is_refused(asked: HealthCheck, words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        health.check(asked)
