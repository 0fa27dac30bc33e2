"""Who can talk to whom: containers, the machine they run on, and the world outside it."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support import nameserver
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.testhost import OUTSIDE_ADDRESS, UPLINK_ADDRESS, Host

pytestmark = pytest.mark.host

_FIRST_VISITOR = """
import socket, sys
server = socket.create_server((sys.argv[1], 7000))
server.settimeout(10)
print("listening", flush=True)
print(server.accept()[1][0], flush=True)
"""
ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


@pytest.fixture(scope="module")
def connected() -> Iterator[Daemon]:
    """Our daemon on a machine with an uplink, and three containers: two on `lan`, one on `closed`."""
    with Host("reach") as host:
        nameserver.start(host)
        with bridgehead(host) as daemon:
            daemon.import_image()
            daemon.docker.ok("network", "create", "lan")
            daemon.docker.ok("network", "create", "--internal", "closed")
            for name, network in (("one", "lan"), ("two", "lan"), ("shut", "closed"), ("old", "bridge")):
                daemon.docker.ok("run", "-d", "--name", name, "--net", network, "busybox", "sleep", "1000")
            yield daemon


def _address(daemon: Daemon, name: str) -> str:
    return daemon.docker.ok("inspect", "-f", ADDRESS, name)


def _pings(daemon: Daemon, source: str, target: str) -> bool:
    return daemon.docker("exec", source, "ping", "-c", "1", "-W", "1", target).code == 0


@pytest.mark.parametrize(
    ("source", "target", "reached"),
    [
        ("one", "two", True),
        ("one", "shut", False),
        ("one", "old", False),
        ("shut", "one", False),
        ("old", "one", False),
    ],
)
def test_networks_are_apart(connected: Daemon, source: str, target: str, *, reached: bool) -> None:
    assert reached == _pings(connected, source, _address(connected, target))


@pytest.mark.parametrize(("source", "reached"), [("one", True), ("old", True), ("shut", False)])
def test_outside_is_reached_unless_internal(connected: Daemon, source: str, *, reached: bool) -> None:
    assert reached == _pings(connected, source, OUTSIDE_ADDRESS)


def test_outside_sees_the_machines_address(connected: Daemon) -> None:
    listener = connected.host.outside().popen(
        [sys.executable, "-c", _FIRST_VISITOR, OUTSIDE_ADDRESS], stdout=subprocess.PIPE, text=True
    )
    assert listener.stdout is not None
    with listener.stdout:
        assert listener.stdout.readline() == "listening\n"

        connected.docker.ok("exec", "one", "sh", "-c", f"echo | nc -w 2 {OUTSIDE_ADDRESS} 7000")

        assert listener.stdout.readline() == f"{UPLINK_ADDRESS}\n"


def test_container_is_not_reached_from_outside(connected: Daemon) -> None:
    outside = connected.host.outside()
    target = _address(connected, "one")
    outside.run("ip", "route", "replace", "172.16.0.0/12", "via", UPLINK_ADDRESS)

    answer = outside.run("ping", "-c", "1", "-W", "1", target, check=False)

    assert answer.returncode == 1


def test_machine_reaches_its_containers(connected: Daemon) -> None:
    assert connected.host.run("ping", "-c", "1", "-W", "1", _address(connected, "shut")).returncode == 0


def test_containers_ask_the_world_for_names(connected: Daemon) -> None:
    answer = connected.docker.ok("exec", "one", "nslookup", "-type=a", nameserver.KNOWN_NAME, "127.0.0.11")

    assert nameserver.KNOWN_ADDRESS in answer


def test_internal_containers_learn_nothing_of_the_world(connected: Daemon) -> None:
    answer = connected.docker("exec", "shut", "nslookup", "-type=a", nameserver.KNOWN_NAME, "127.0.0.11")

    assert nameserver.KNOWN_ADDRESS not in answer.out


def test_spoofed_source_does_not_cross(connected: Daemon) -> None:
    connected.docker.ok("run", "-d", "--name", "liar", "--cap-add", "NET_ADMIN", "busybox", "sleep", "1000")
    connected.docker.ok(
        "exec", "liar", "ip", "route", "add", "172.18.0.0/16", "via", "172.17.0.1", "dev", "eth0"
    )

    reached = _pings(connected, "liar", _address(connected, "one"))
    connected.docker.ok("rm", "-f", "liar")

    assert not reached
