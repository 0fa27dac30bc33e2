"""kill -9 of the daemon while macvlan networks and their containers come and go."""

import os
import random
import re
import time
from collections.abc import Iterator

import pytest

from tests.crash.load import Fact, Worker
from tests.crash.truth import Shown, broken_promises, settle_open_facts
from tests.support.bridgehead import bridgehead, plan
from tests.support.census import census, leaks
from tests.support.daemon import Daemon
from tests.support.testhost import OUTSIDE_ADDRESS, Host
from tests.support.wait import until

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "6"))
SEED = int(os.environ.get("CRASH_SEED", "1"))
WORKERS = 2

pytestmark = [pytest.mark.host, pytest.mark.timeout(60 + 10 * ROUNDS)]


class LanWorker(Worker):
    def _network(self) -> None:
        name = self._random.choice(self.networks)
        fact = ("network", name)
        if self.facts.get(fact):
            self._ask(fact, False, "DELETE", f"/networks/{name}", None, {403})
        else:
            mode = self._random.choice(("bridge", "private", "vepa"))
            options = {"parent": "uplink", "macvlan_mode": mode}
            body = {"Name": name, "Driver": "macvlan", "Options": options}
            self._ask(fact, True, "POST", "/networks/create", body, {409})


@pytest.fixture
def steady(host: Host) -> Iterator[Daemon]:
    """A daemon with a container of the LAN that pings a machine there ten times a second."""
    host.outside()
    with bridgehead(host) as daemon:
        daemon.import_image()
        lan = ("--subnet", "198.51.100.0/24", "--gateway", OUTSIDE_ADDRESS, "--ip-range", "198.51.100.128/25")
        daemon.docker.ok("network", "create", "-d", "macvlan", "-o", "parent=uplink", *lan, "steady")
        # It has a port of the host, so that who keeps ports is there from the start.
        daemon.docker.ok("run", "-d", "--name", "right", "-p", "8080:80", "busybox", "sleep", "100000")
        ping = ("ping", "-i", "0.1", OUTSIDE_ADDRESS)
        daemon.docker.ok("run", "-d", "--name", "left", "--net", "steady", "busybox", *ping)
        until(lambda: "seq=1" in daemon.docker.ok("logs", "left"), "the first answers")
        yield daemon


def test_macvlan_networks_keep_every_word_over_kills(steady: Daemon) -> None:
    chance = random.Random(SEED)
    facts: list[dict[Fact, bool | None]] = [{} for _ in range(WORKERS)]
    before = census(steady)

    for number in range(ROUNDS):
        workers = [LanWorker(steady, index, SEED * 1000 + number, facts[index]) for index in range(WORKERS)]
        for worker in workers:
            worker.start()
        time.sleep(chance.uniform(0.02, 0.8))
        steady.kill()
        for worker in workers:
            worker.finish()
        steady.start()
        assert [sentence for worker in workers for sentence in worker.wrong] == [], number
        until(lambda: plan(steady) == [], f"nothing left to plan after round {number}")
        shown = Shown(steady)
        assert [promise for each in facts for promise in broken_promises(shown, each)] == [], number
        for each in facts:
            settle_open_facts(shown, each)

    _no_ping_lost(steady)
    _remove_all(steady)
    assert leaks(before, census(steady)) == []


def _no_ping_lost(daemon: Daemon) -> None:
    sequence = [int(number) for number in re.findall(r"seq=(\d+)", daemon.docker.ok("logs", "left"))]
    assert len(sequence) > ROUNDS
    assert sequence == list(range(len(sequence)))


def _remove_all(daemon: Daemon) -> None:
    listed = daemon.docker.ok("ps", "-a", "--format", "{{.Names}}").split()
    if others := [name for name in listed if name not in {"left", "right"}]:
        daemon.docker.ok("rm", "-f", *others)
    for name in daemon.docker.ok("network", "ls", "--filter", "type=custom", "--format", "{{.Name}}").split():
        if name != "steady":
            daemon.docker.ok("network", "rm", name)
