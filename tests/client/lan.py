"""A machine on a LAN, and what is done with macvlan networks there through the real docker client."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support import nameserver
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.testhost import OUTSIDE_ADDRESS, Host

LAN = ("--subnet", "198.51.100.0/24", "--gateway", OUTSIDE_ADDRESS, "--ip-range", "198.51.100.128/25")


@contextmanager
def lan_daemon(name: str) -> Iterator[Daemon]:
    """Ours, on a host whose "uplink" leads to a switch with another machine behind it."""
    with Host(name) as host:
        outside = host.outside()
        # A switch stands between: it sends a frame back where it came from only where a test says so.
        outside.run("ip", "address", "flush", "dev", "uplink")
        outside.run("ip", "link", "add", "switch", "type", "bridge")
        outside.run("ip", "link", "set", "uplink", "master", "switch")
        outside.run("ip", "address", "add", f"{OUTSIDE_ADDRESS}/24", "dev", "switch")
        outside.run("ip", "-6", "address", "add", "2001:db8::1/64", "dev", "switch", "nodad")
        outside.run("ip", "link", "set", "switch", "up")
        nameserver.start(host)
        with bridgehead(host) as daemon:
            daemon.import_image()
            yield daemon


def create(daemon: Daemon, name: str, *words: str, parent: str = "uplink", driver: str = "macvlan") -> str:
    given = ("-o", f"parent={parent}") if parent else ()
    return daemon.docker.ok("network", "create", "-d", driver, *given, *words, name)


def run(daemon: Daemon, name: str, network: str, *words: str) -> str:
    return daemon.docker.ok("run", "-d", "--name", name, "--net", network, *words, "busybox", "sleep", "1000")


def pings(daemon: Daemon, container: str, target: str) -> bool:
    return daemon.docker("exec", container, "ping", "-c", "1", "-W", "1", target).code == 0


def inside(daemon: Daemon, container: str, *words: str) -> str:
    return daemon.docker.ok("exec", container, *words)


def refused(daemon: Daemon, *words: str) -> str:
    answer = daemon.docker(*words)
    assert answer.code != 0, answer
    return answer.err


def endpoint(daemon: Daemon, container: str, network: str) -> dict[str, Any]:
    told = daemon.docker.ok("inspect", "-f", "{{json .NetworkSettings.Networks}}", container)
    found: dict[str, Any] = json.loads(told)[network]
    return found
