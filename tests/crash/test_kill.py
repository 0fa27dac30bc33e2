"""kill -9 of the daemon at any moment, under load: containers never notice, and nothing promised is lost."""

import os
import random
import re
import time
from collections.abc import Iterator

import pytest

from tests.crash.load import Fact, Worker
from tests.crash.truth import Shown, broken_promises, kernel_disagreements, settle_open_facts
from tests.support.bridgehead import bridgehead, plan
from tests.support.census import census, leaks
from tests.support.daemon import Daemon
from tests.support.testhost import Host
from tests.support.wait import until

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "12"))
SEED = int(os.environ.get("CRASH_SEED", "1"))
WORKERS = 4

pytestmark = [pytest.mark.host, pytest.mark.timeout(60 + 10 * ROUNDS)]


@pytest.fixture(params=("iptables", "nftables"))
def steady(host: Host, request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """A daemon with two containers that must never notice: `left` pings `right` ten times a second.

    `right` has a port of the host, so that who keeps ports is there from the start.
    """
    with bridgehead(host, f"--firewall-backend={request.param}") as daemon:
        daemon.import_image()
        docker = daemon.docker
        docker.ok("network", "create", "steady")
        published = ("-p", "8080:80", "--net", "steady")
        docker.ok("run", "-d", "--name", "right", *published, "busybox", "sleep", "100000")
        docker.ok("run", "-d", "--name", "left", "--net", "steady", "busybox", "ping", "-i", "0.1", "right")
        yield daemon


def test_daemon_killed_under_load_keeps_its_word(steady: Daemon) -> None:
    chance = random.Random(SEED)
    facts: list[dict[Fact, bool | None]] = [{} for _ in range(WORKERS)]
    left = _process(steady, "left")
    before = census(steady)

    for number in range(ROUNDS):
        workers = [Worker(steady, index, SEED * 10_000 + number, facts[index]) for index in range(WORKERS)]
        for worker in workers:
            worker.start()
        time.sleep(chance.uniform(0.02, 0.6))
        steady.kill()
        _names_still_resolve(steady, left)
        for worker in workers:
            worker.finish()
        steady.start()
        _holds_together(steady, workers, facts, f"seed {SEED}, round {number}")

    assert left == _process(steady, "left")
    _no_ping_lost(steady)
    _remove_all(steady, facts)
    assert leaks(before, census(steady)) == []


def _process(daemon: Daemon, container: str) -> int:
    return int(daemon.docker.ok("inspect", "-f", "{{.State.Pid}}", container))


def _names_still_resolve(daemon: Daemon, pid: int) -> None:
    inside = ("nsenter", "-t", str(pid), "-n", "-m", "-r", "-w")
    answer = daemon.host.run(*inside, "/bin/nslookup", "-type=a", "right", "127.0.0.11", check=False)
    assert answer.returncode == 0, f"no name service while the daemon is dead: {answer.stdout}"


def _holds_together(
    daemon: Daemon, workers: list[Worker], facts: list[dict[Fact, bool | None]], moment: str
) -> None:
    wrong = [sentence for worker in workers for sentence in worker.wrong]
    assert wrong == [], moment
    until(lambda: plan(daemon) == [], f"nothing left to plan after {moment}")
    shown = Shown(daemon)
    assert [promise for each in facts for promise in broken_promises(shown, each)] == [], moment
    assert kernel_disagreements(daemon, shown) == [], moment
    for each in facts:
        settle_open_facts(shown, each)


def _no_ping_lost(daemon: Daemon) -> None:
    sequence = [int(number) for number in re.findall(r"seq=(\d+)", daemon.docker.ok("logs", "left"))]
    assert len(sequence) > ROUNDS
    assert sequence == list(range(len(sequence)))


def _remove_all(daemon: Daemon, facts: list[dict[Fact, bool | None]]) -> None:
    for container in Shown(daemon).running - {"left", "right"}:
        assert daemon.call("DELETE", f"/containers/{container}?force=1")[0] == 204
    for name in _unfinished(daemon):
        assert daemon.call("DELETE", f"/containers/{name}")[0] == 204
    for fact, holds in sorted(fact for each in facts for fact in each.items()):
        if fact[0] == "network" and holds:
            assert daemon.call("DELETE", f"/networks/{fact[1]}")[0] == 204


def _unfinished(daemon: Daemon) -> list[str]:
    """Containers that a crash left between their creation and their start."""
    return daemon.docker.ok("ps", "-a", "-f", "status=created", "--format", "{{.Names}}").split()


def test_container_that_ends_while_no_daemon_runs_is_seen_to_have_ended(fresh_daemon: Daemon) -> None:
    docker = fresh_daemon.docker
    docker.ok("run", "-d", "--name", "brief", "busybox", "sh", "-c", "sleep 0.5; echo last words; exit 9")

    fresh_daemon.kill()
    time.sleep(0.8)
    fresh_daemon.start()

    state = until(
        lambda: docker.ok("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "brief"), "its state"
    )
    assert state == "exited 9"
    assert docker.ok("logs", "brief") == "last words"


def test_restart_policy_is_kept_over_a_crash(fresh_daemon: Daemon) -> None:
    docker = fresh_daemon.docker
    docker.ok("run", "-d", "--name", "phoenix", "--restart", "always", "busybox", "sleep", "1000")
    pid = _process(fresh_daemon, "phoenix")

    fresh_daemon.kill()
    fresh_daemon.host.kill(pid)
    fresh_daemon.start()

    until(lambda: _process(fresh_daemon, "phoenix") not in {0, pid}, "the container's next life")


def test_terminal_of_a_container_is_found_again_after_a_crash(fresh_daemon: Daemon) -> None:
    docker = fresh_daemon.docker
    docker.ok("run", "-itd", "--name", "shell", "busybox")

    fresh_daemon.kill()
    fresh_daemon.start()

    with docker.terminal("attach", "shell") as terminal:
        terminal.type("echo $((40+2))\n")
        terminal.expect("42\r\n")


def test_orderly_stop_and_start_change_nothing(fresh_daemon: Daemon) -> None:
    docker = fresh_daemon.docker
    docker.ok("network", "create", "lan")
    docker.ok("run", "-d", "--name", "box", "--net", "lan", "busybox", "sleep", "1000")
    before = _kernel(fresh_daemon)

    fresh_daemon.restart()

    assert before == _kernel(fresh_daemon)
    assert plan(fresh_daemon) == []
    docker.ok("exec", "box", "ping", "-c", "1", "-W", "1", "box")


def _kernel(daemon: Daemon) -> list[str]:
    return sorted(line for line in census(daemon) if not line.startswith("process"))


def test_everything_is_made_again_after_a_reboot(fresh_daemon: Daemon) -> None:
    docker = fresh_daemon.docker
    docker.ok("network", "create", "lan")
    docker.ok("run", "-d", "--name", "box", "--net", "lan", "--restart", "always", "busybox", "sleep", "1000")
    bridges = {line for line in census(fresh_daemon) if line.startswith("link br-")}

    fresh_daemon.kill()
    fresh_daemon.host.reboot()
    fresh_daemon.start()

    assert bridges <= census(fresh_daemon)
    until(lambda: docker("exec", "box", "ping", "-c", "1", "-W", "1", "box").code == 0, "its next life")
    assert plan(fresh_daemon) == []
