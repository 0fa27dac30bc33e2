"""Debian's podman and the docker command line side by side on one network."""

from collections.abc import Iterator

import pytest

from tests.client.starting import sleeper
from tests.support.bridgehead import bridgehead, plan
from tests.support.daemon import Daemon
from tests.support.podman import IMAGE, PODMAN_MISSING, REFERENCE_PLUGINS, Podman
from tests.support.testhost import OUTSIDE_ADDRESS, UPLINK_ADDRESS, Host
from tests.support.wait import until
from tests.support.web import page

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(bool(PODMAN_MISSING), reason="no podman here: run script/bootstrap --podman"),
]


@pytest.fixture(scope="module")
def machine() -> Iterator[tuple[Daemon, Podman]]:
    """Networks `backend` and `frontend`; docker's `db` is on the first, and `web` on the second."""
    with Host("podman") as host, bridgehead(host) as daemon:
        host.outside()
        daemon.import_image()
        daemon.docker.ok("network", "create", "--subnet", "10.20.0.0/24", "backend")
        daemon.docker.ok("network", "create", "frontend")
        sleeper(daemon, "db", "--network", "backend")
        sleeper(daemon, "web", "--network", "frontend")
        podman = Podman(daemon, ("backend", "frontend"))
        yield daemon, podman
        podman.close()
        assert plan(daemon) == []


@pytest.fixture
def both(machine: tuple[Daemon, Podman]) -> Iterator[tuple[Daemon, Podman]]:
    daemon, podman = machine
    yield daemon, podman
    podman.ok("rm", "--all", "--force", "--time", "0")
    assert daemon.call("GET", "/sandboxes")[1] == []


def _pings(out: str) -> bool:
    return "1 packets received" in out


def test_they_reach_each_other_by_name(both: tuple[Daemon, Podman]) -> None:
    daemon, podman = both

    podman.run("cache", "--network", "backend:alias=kv")

    assert _pings(podman.ok("exec", "cache", "ping", "-c1", "-W3", "db"))
    for name in ("cache", "kv"):
        assert _pings(daemon.docker.ok("exec", "db", "ping", "-c1", "-W3", name))
    assert "127.0.0.11" in podman.ok("exec", "cache", "cat", "/etc/resolv.conf")


def test_two_podman_containers_reach_each_other(both: tuple[Daemon, Podman]) -> None:
    _, podman = both

    podman.run("one", "--network", "backend")
    podman.run("two", "--network", "backend")

    assert _pings(podman.ok("exec", "one", "ping", "-c1", "-W3", "two"))


def test_networks_stay_apart(both: tuple[Daemon, Podman]) -> None:
    daemon, podman = both
    podman.run("cache", "--network", "backend")
    web = daemon.docker.ok("inspect", "-f", "{{.NetworkSettings.Networks.frontend.IPAddress}}", "web")

    assert podman("exec", "cache", "ping", "-c1", "-W1", web).returncode == 1
    assert podman("exec", "cache", "nslookup", "-type=a", "web.", "127.0.0.11").returncode == 1


def test_container_on_two_networks_with_address_and_port(both: tuple[Daemon, Podman]) -> None:
    daemon, podman = both

    podman.run(
        *("cache", "--network", "backend:ip=10.20.0.77,mac=02:00:00:00:00:77,interface_name=eth0"),
        *("--network", "frontend:interface_name=eth1"),
        *("-p", "8080:80", "-p", "127.0.0.1:8081:80"),
    )

    podman.ok("exec", "cache", "sh", "-c", "echo hello >/tmp/index.html; httpd -p 80 -h /tmp")
    for name in ("db", "web"):
        assert _pings(podman.ok("exec", "cache", "ping", "-c1", "-W3", name))
    assert "10.20.0.77/24" in podman.ok("exec", "cache", "ip", "address", "show", "eth0")
    assert "02:00:00:00:00:77" in podman.ok("exec", "cache", "ip", "link", "show", "eth0")
    assert (
        podman.ok("inspect", "-f", "{{.NetworkSettings.Networks.backend.IPAddress}}", "cache") == "10.20.0.77"
    )
    for host, address in ((daemon.host.outside(), f"{UPLINK_ADDRESS}:8080"), (daemon.host, "127.0.0.1:8081")):
        assert page(host, address) == "hello\n"


def test_way_out(both: tuple[Daemon, Podman]) -> None:
    _, podman = both

    podman.run("cache", "--network", "backend")

    assert _pings(podman.ok("exec", "cache", "ping", "-c1", "-W3", OUTSIDE_ADDRESS))


def test_refusal_reaches_podmans_user(both: tuple[Daemon, Podman]) -> None:
    daemon, podman = both

    answer = podman(*podman.running("db"), "--network", "backend", IMAGE, "true")

    assert answer.returncode != 0
    assert 'The container name "/db" is already in use' in answer.stderr
    assert daemon.call("GET", "/sandboxes")[1] == []


def test_networks_come_and_go_while_it_runs(both: tuple[Daemon, Podman]) -> None:
    daemon, podman = both
    podman.run("cache", "--network", "backend")

    podman.ok("network", "connect", "frontend", "cache")
    assert _pings(daemon.docker.ok("exec", "web", "ping", "-c1", "-W3", "cache"))

    podman.ok("network", "disconnect", "frontend", "cache")
    assert daemon.docker("exec", "web", "ping", "-c1", "-W1", "cache").code != 0
    assert _pings(podman.ok("exec", "cache", "ping", "-c1", "-W3", "db"))


@pytest.mark.skipif(REFERENCE_PLUGINS is None, reason="no containernetworking-plugins here")
def test_other_plugins_work_on_what_ours_made(both: tuple[Daemon, Podman]) -> None:
    _, podman = both
    podman.configure("tuned", {"type": "tuning", "mtu": 1400}, network="backend")

    podman.run("cache", "--network", "tuned")

    assert "mtu 1400" in podman.ok("exec", "cache", "ip", "link", "show", "eth0")
    assert _pings(podman.ok("exec", "cache", "ping", "-c1", "-W3", "db"))


def test_daemon_that_is_away_holds_nobody_up(both: tuple[Daemon, Podman]) -> None:
    daemon, podman = both
    podman.run("cache", "--network", "backend")

    daemon.kill()
    removed = podman("rm", "--force", "--time", "0", "cache")
    started = podman(*podman.running("late"), "--network", "backend", IMAGE, "true")
    daemon.start()

    assert removed.returncode == 0
    assert started.returncode != 0
    assert "Is it running?" in started.stderr
    until(lambda: daemon.call("GET", "/sandboxes")[1] == [], "the sandbox is gone")


def test_it_stops_starts_and_outlives_the_daemon(both: tuple[Daemon, Podman]) -> None:
    daemon, podman = both
    podman.run("cache", "--network", "backend")

    podman.ok("restart", "--time", "0", "cache")
    daemon.kill()
    daemon.start()
    assert _pings(podman.ok("exec", "cache", "ping", "-c1", "-W3", "db"))

    podman.ok("stop", "--time", "0", "cache")
    until(lambda: daemon.call("GET", "/sandboxes")[1] == [], "the sandbox is gone")
