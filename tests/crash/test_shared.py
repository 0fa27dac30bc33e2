"""kill -9 while a container that lends its network comes and goes: who is in it stays, and is found again."""

import http.client
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.bridgehead import plan
from tests.support.daemon import Daemon
from tests.support.wait import until

ROUNDS = max(int(os.environ.get("CRASH_ROUNDS", "12")) // 2, 1)
SEED = int(os.environ.get("CRASH_SEED", "1"))

pytestmark = [pytest.mark.host, pytest.mark.timeout(60 + 10 * ROUNDS)]


def _run(daemon: Daemon, name: str, *options: str) -> int:
    daemon.docker.ok("run", "-d", "--name", name, *options, "busybox", "sleep", "100000")
    return int(daemon.docker.ok("inspect", "-f", "{{.State.Pid}}", name))


def _namespace(daemon: Daemon, pid: int) -> str:
    return daemon.host.run("readlink", f"/proc/{pid}/ns/net").stdout.strip()


@contextmanager
def _troubled(daemon: Daemon, seed: str) -> Iterator[None]:
    """Somebody starts, stops and restarts the lender, and late, all the time, until the daemon dies."""

    def trouble() -> None:
        chance = random.Random(seed)
        connection = daemon.connection()
        try:
            while not ended.is_set():
                name = chance.choice(("lender", "lender", "late"))
                act = chance.choice(("start", "stop?t=0", "restart?t=0"))
                connection.call("POST", f"/containers/{name}/{act}")
        except (OSError, http.client.HTTPException):
            pass  # the daemon died
        finally:
            connection.close()

    ended = threading.Event()
    thread = threading.Thread(target=trouble, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(30)
    assert not thread.is_alive()


def test_who_shares_a_network_keeps_it_whatever_dies(fresh_daemon: Daemon) -> None:
    chance, docker = random.Random(SEED), fresh_daemon.docker
    docker.ok("network", "create", "own")
    _run(fresh_daemon, "neighbour", "--net", "own")
    _run(fresh_daemon, "lender", "--net", "own", "-p", "8080:80")
    joiner = _run(fresh_daemon, "joiner", "--net", "container:lender")
    docker.ok("create", "--name", "late", "--net", "container:joiner", "busybox", "sleep", "1000")
    home = _namespace(fresh_daemon, joiner)

    for number in range(ROUNDS):
        moment = f"seed {SEED}, round {number}"
        with _troubled(fresh_daemon, moment):
            time.sleep(chance.uniform(0.02, 0.8))
            fresh_daemon.kill()
        fresh_daemon.start()

        until(lambda: plan(fresh_daemon) == [], f"nothing left to plan after {moment}")
        docker("start", "lender")
        docker("start", "late")
        pids = [docker.ok("inspect", "-f", "{{.State.Pid}}", name) for name in ("joiner", "lender", "late")]
        assert pids[0] == str(joiner), moment
        assert {_namespace(fresh_daemon, int(pid)) for pid in pids} == {home}, moment
        assert docker("exec", "joiner", "ping", "-c", "1", "-W", "1", "neighbour").code == 0, moment

    docker.ok("rm", "-f", "joiner", "lender", "late", "neighbour")
    until(lambda: not [line for line in fresh_daemon.host.mounts() if "/netns/" in line], "no namespace left")
