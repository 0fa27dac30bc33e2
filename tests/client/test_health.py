"""Health checks by the docker command line: asked, shown, told, and still known after the daemon was away."""

import json
import time
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.wait import until

pytestmark = pytest.mark.host

QUICK = ("--health-interval", "100ms", "--health-retries", "2")


def run(daemon: Daemon, name: str, test: str, *words: str) -> None:
    daemon.docker.ok(
        *("run", "-d", "--name", name, "--health-cmd", test), *(words or QUICK), "busybox", "sleep", "1000"
    )


def health(daemon: Daemon, name: str) -> Any:
    return json.loads(daemon.docker.ok("inspect", "--format", "{{json .State.Health}}", name))


def becomes(daemon: Daemon, name: str, status: str) -> Any:
    until(lambda: health(daemon, name)["Status"] == status, f"{name} is {status}", 20)
    return health(daemon, name)


def test_container_falls_ill_and_recovers(daemon: Daemon) -> None:
    run(daemon, "box", "test -e /tmp/well || { echo missing; exit 3; }")

    ill = becomes(daemon, "box", "unhealthy")
    shown_ill = daemon.docker.ok("ps", "--format", "{{.Status}}", "--filter", "health=unhealthy")
    daemon.docker.ok("exec", "box", "touch", "/tmp/well")
    well = becomes(daemon, "box", "healthy")
    shown_well = daemon.docker.ok("ps", "--format", "{{.Status}}", "--filter", "health=healthy")
    told = daemon.docker.ok(
        *("events", "--since", "1m", "--until", f"{time.time():.9f}", "--filter", "container=box"),
        *("--filter", "event=health_status", "--format", "{{.Action}}"),
    )
    daemon.docker.ok("rm", "-f", "box")

    assert ill["FailingStreak"] >= 2
    assert {(entry["ExitCode"], entry["Output"]) for entry in ill["Log"]} == {(3, "missing\n")}
    assert len(well["Log"]) <= 5
    assert well["FailingStreak"] == 0
    assert shown_ill.endswith("(unhealthy)")
    assert shown_well.endswith("(healthy)")
    assert told.splitlines() == ["health_status: unhealthy", "health_status: healthy"]


def test_check_that_takes_too_long_is_ended(daemon: Daemon) -> None:
    run(
        *(daemon, "box", "sleep 999", "--health-interval", "100ms", "--health-timeout", "100ms"),
        *("--health-retries", "1"),
    )

    found = becomes(daemon, "box", "unhealthy")
    until(
        lambda: "sleep 999" not in daemon.docker.ok("top", "box") or None, "the check is gone", pause_s=0.001
    )
    daemon.docker.ok("rm", "-f", "box")

    assert found["Log"][0]["ExitCode"] == -1
    assert found["Log"][0]["Output"] == "Health check exceeded timeout (0.1s)"


def test_failures_do_not_count_in_the_start_period(daemon: Daemon) -> None:
    run(
        *(daemon, "box", "false", "--health-start-period", "1h", "--health-start-interval", "50ms"),
        *("--health-interval", "1h", "--health-retries", "1"),
    )

    until(lambda: len(health(daemon, "box")["Log"]) == 5, "five answers", 20)
    found, status = health(daemon, "box"), daemon.docker.ok("ps", "--format", "{{.Status}}")
    daemon.docker.ok("rm", "-f", "box")

    assert (found["Status"], found["FailingStreak"]) == ("starting", 0)
    assert status.endswith("(health: starting)")


def test_image_s_check_is_used_or_switched_off(daemon: Daemon) -> None:
    daemon.docker.ok("create", "--name", "model", "busybox")
    daemon.docker.ok("commit", "--change", 'HEALTHCHECK --interval=100ms CMD ["true"]', "model", "checked")

    daemon.docker.ok("run", "-d", "--name", "one", "checked", "sleep", "1000")
    daemon.docker.ok("run", "-d", "--name", "two", "--no-healthcheck", "checked", "sleep", "1000")
    becomes(daemon, "one", "healthy")
    off = daemon.docker.ok("inspect", "--format", "{{json .State}}", "two")
    daemon.docker.ok("rm", "-f", "one", "two", "model")
    daemon.docker.ok("rmi", "checked")

    assert "Health" not in json.loads(off)


def test_what_was_known_is_known_after_a_restart_and_asked_on(fresh_daemon: Daemon) -> None:
    run(fresh_daemon, "box", "test -e /tmp/well")
    becomes(fresh_daemon, "box", "unhealthy")

    fresh_daemon.kill()
    fresh_daemon.start()
    known = health(fresh_daemon, "box")["Status"]
    fresh_daemon.docker.ok("exec", "box", "touch", "/tmp/well")

    assert known == "unhealthy"
    becomes(fresh_daemon, "box", "healthy")
    assert fresh_daemon.docker.ok("stop", "-t", "0", "box") == "box"
    assert health(fresh_daemon, "box")["Status"] == "unhealthy"
