"""What the daemon does about the processes beside it: it adopts them, and mends what was lost with one."""

import sys

import pytest

from tests.support.bridgehead import bridgehead, plan
from tests.support.daemon import Daemon
from tests.support.testhost import Host
from tests.support.wait import until

pytestmark = pytest.mark.host

RESOLVER, KEEPER = "bridgehead.host.resolver", "bridgehead.host.ports"


def companion(host: Host, room: str) -> int | None:
    found = [pid for pid, words in host.processes().items() if f"-m {room}" in words]
    return found[0] if found else None


def hold_a_port(daemon: Daemon) -> None:
    """As an earlier daemon might have, for a container that is no more."""
    program = (
        "from ipaddress import ip_address\n"
        "from bridgehead.core.plan.diff import Create\n"
        "from bridgehead.core.plan.objects import PortHold\n"
        "from bridgehead.host.ports.plane import PortPlane\n"
        f"plane = PortPlane('{daemon.run_folder}/ports.sock')\n"
        "assert plane.apply([Create(PortHold('tcp', ip_address('0.0.0.0'), 8080))]) == {}\n"
    )
    daemon.host.run(sys.executable, "-c", program)


def listening(host: Host) -> list[str]:
    lines = host.run("cat", "/proc/net/tcp").stdout.splitlines()
    return [line for line in lines if line.split()[1].endswith(":1F90")]


def test_names_are_back_after_the_resolver_died(fresh_daemon: Daemon) -> None:
    docker, host = fresh_daemon.docker, fresh_daemon.host
    docker.ok("network", "create", "lan")
    docker.ok("run", "-d", "--name", "box", "--net", "lan", "busybox", "sleep", "1000")

    for _ in range(2):
        dead = companion(host, RESOLVER)
        assert dead is not None
        host.kill(dead)
        until(lambda dead=dead: companion(host, RESOLVER) not in {None, dead}, "another resolver")
        until(lambda: docker("exec", "box", "nslookup", "box", "127.0.0.11").code == 0, "the name")

    assert plan(fresh_daemon) == []
    assert fresh_daemon.log().count("the resolver died") == 2


def test_a_port_kept_for_nobody_is_let_go_at_the_next_start(host: Host) -> None:
    with bridgehead(host) as daemon:
        assert companion(host, KEEPER) is None
        daemon.kill()
        hold_a_port(daemon)
        assert listening(host)
        assert "delete port 0.0.0.0:8080/tcp" in plan(daemon)

        daemon.start()

        assert listening(host) == []
        assert plan(daemon) == []
        keeper = companion(host, KEEPER)
        assert keeper is not None
        host.kill(keeper)
        until(lambda: "the port keeper died" in daemon.log(), "its death in the log")
        assert plan(daemon) == []
