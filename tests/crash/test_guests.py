"""kill -9 of the daemon while namespaces of others come and go: nothing breaks, and nothing stays in them."""

import contextlib
import os
import random
import threading
import time
from typing import Any

import pytest

from tests.support import guest
from tests.support.bridgehead import plan
from tests.support.census import census, leaks
from tests.support.daemon import Daemon
from tests.support.wait import until

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "12"))
SEED = int(os.environ.get("CRASH_SEED", "1"))

pytestmark = [pytest.mark.host, pytest.mark.timeout(60 + 10 * ROUNDS)]


def _call(daemon: Daemon, method: str, path: str, body: Any = None) -> int:
    """The status; 0 when the daemon died over it."""
    with contextlib.suppress(OSError, ValueError):
        return daemon.call(method, path, body)[0]
    return 0


def _busy(daemon: Daemon, path: str, over: threading.Event) -> None:
    """One sandbox made, connected, disconnected and removed, again and again."""
    while not over.is_set():
        _call(daemon, "POST", "/sandboxes/create?name=busy", {"Netns": path})
        _call(daemon, "POST", "/networks/lan/connect", {"Container": "busy"})
        _call(daemon, "POST", "/networks/lan/disconnect", {"Container": "busy"})
        _call(daemon, "POST", "/networks/lan/connect", {"Container": "busy"})
        _call(daemon, "DELETE", "/sandboxes/busy")


def _warm(daemon: Daemon) -> None:
    """Whatever is there for good once it was needed."""
    daemon.docker.ok("run", "--rm", "--net", "lan", "-p", "8080:80", "busybox", "true")
    guest.make(daemon.host, "warm")
    daemon.host.run("ip", "netns", "del", "warm")


def _wished(daemon: Daemon, name: str) -> list[str]:
    """The links that a sandbox should have, as the daemon shows it; none where it is gone."""
    status, shown = daemon.call("GET", f"/sandboxes/{name}")
    return ["eth0", "lo"] if status == 200 and shown["NetworkSettings"]["Networks"] else ["lo"]


def test_daemon_killed_while_guests_come_and_go(fresh_daemon: Daemon) -> None:
    daemon, host, chance = fresh_daemon, fresh_daemon.host, random.Random(SEED)
    daemon.docker.ok("network", "create", "lan")
    _warm(daemon)
    steady, busy = guest.make(host, "steady"), guest.make(host, "busy")
    before = census(daemon)
    lan = {"NetworkMode": "lan", "PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}
    assert (
        daemon.call("POST", "/sandboxes/create?name=steady", {"Netns": steady, "HostConfig": lan})[0] == 201
    )
    index = guest.run(host, steady, "cat", "/sys/class/net/eth0/ifindex", check=False)

    for number in range(ROUNDS):
        over = threading.Event()
        worker = threading.Thread(target=_busy, args=(daemon, busy, over))
        worker.start()
        time.sleep(chance.uniform(0.01, 0.3))
        daemon.kill()
        assert guest.resolved(host, steady, "steady"), "names go on without the daemon"
        over.set()
        worker.join(30)
        daemon.start()

        until(lambda: plan(daemon) == [], f"nothing left to plan in round {number}")
        assert guest.links(host, busy) == _wished(daemon, "busy"), f"seed {SEED}, round {number}"
        assert guest.links(host, steady) == ["eth0", "lo"]
        _call(daemon, "DELETE", "/sandboxes/busy")

    assert guest.run(host, steady, "cat", "/sys/class/net/eth0/ifindex", check=False) == index
    assert daemon.call("DELETE", "/sandboxes/steady")[0] == 204
    for path in (steady, busy):
        assert (guest.links(host, path), guest.rules(host, path)) == (["lo"], "")
    assert leaks(before, census(daemon)) == []


@pytest.mark.parametrize("how", ["path", "stranger", "process"])
def test_what_ended_while_no_daemon_ran_is_gone(fresh_daemon: Daemon, how: str) -> None:
    daemon, host = fresh_daemon, fresh_daemon.host
    daemon.docker.ok("network", "create", "lan")
    _warm(daemon)
    before = census(daemon)
    pid = guest.process(host, 10062) if how == "process" else 0
    where = {"Pid": pid} if pid else {"Netns": guest.make(host, "guest")}
    lan = {"NetworkMode": "lan", "PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}
    assert daemon.call("POST", "/sandboxes/create?name=guest", {**where, "HostConfig": lan})[0] == 201

    daemon.kill()
    if pid:
        host.kill(pid)
    else:
        host.run("ip", "netns", "del", "guest")
    stranger = guest.make(host, "guest") if how == "stranger" else ""
    daemon.start()

    assert daemon.call("GET", "/sandboxes/guest")[0] == 404
    assert daemon.docker.ok("ps", "-aq") == ""
    assert plan(daemon) == []
    if stranger:
        assert guest.links(host, stranger) == ["lo"]
        host.run("ip", "netns", "del", "guest")
    assert leaks(before, census(daemon)) == []


def test_a_guest_is_still_there_after_an_orderly_stop_and_a_new_start(fresh_daemon: Daemon) -> None:
    daemon, host = fresh_daemon, fresh_daemon.host
    daemon.docker.ok("network", "create", "lan")
    pid = guest.process(host, 10063)
    lan = {"HostConfig": {"NetworkMode": "lan"}}
    assert daemon.call("POST", "/sandboxes/create?name=guest", {"Pid": pid, **lan})[0] == 201
    path = f"/proc/{pid}/ns/net"
    before = guest.run(host, path, "ip", "-o", "address")

    daemon.restart()

    assert guest.run(host, path, "ip", "-o", "address") == before
    assert plan(daemon) == []
    assert guest.resolved(host, path, "guest")
    assert daemon.call("DELETE", "/sandboxes/guest")[0] == 204
    assert (guest.links(host, path), guest.rules(host, path)) == (["lo"], "")


def test_no_guest_is_left_after_a_reboot(fresh_daemon: Daemon) -> None:
    daemon, host = fresh_daemon, fresh_daemon.host
    daemon.docker.ok("network", "create", "lan")
    lan = {"HostConfig": {"NetworkMode": "lan"}}
    for name in ("one", "two"):
        body = {"Netns": guest.make(host, name), **lan}
        assert daemon.call("POST", f"/sandboxes/create?name={name}", body)[0] == 201

    daemon.kill()
    host.reboot()
    one = guest.make(host, "one")
    daemon.start()

    assert daemon.call("GET", "/sandboxes") == (200, [])
    assert guest.links(host, one) == ["lo"]
    assert plan(daemon) == []
