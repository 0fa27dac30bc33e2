"""Debian's containerd and the docker command line side by side on one network."""

from collections.abc import Iterator

import pytest

from tests.client.starting import sleeper
from tests.support.bridgehead import bridgehead, plan
from tests.support.containerd import CONTAINERD_MISSING, Containerd
from tests.support.daemon import Daemon
from tests.support.testhost import Host
from tests.support.wait import until

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(bool(CONTAINERD_MISSING), reason="no containerd here: run script/bootstrap --oracle"),
]


@pytest.fixture(scope="module")
def machine() -> Iterator[tuple[Daemon, Containerd]]:
    with Host("containerd") as host, bridgehead(host) as daemon:
        daemon.import_image()
        daemon.docker.ok("network", "create", "backend")
        sleeper(daemon, "db", "--network", "backend")
        yield daemon, Containerd(daemon, "backend")
        assert plan(daemon) == []


def test_they_reach_each_other_by_name(machine: tuple[Daemon, Containerd]) -> None:
    daemon, containerd = machine

    assert containerd.run("cache").returncode == 0

    assert "1 packets received" in containerd.execute("cache", "/bin/ping", "-c1", "-W3", "db")
    assert "1 packets received" in daemon.docker.ok("exec", "db", "ping", "-c1", "-W3", "default-cache")

    containerd.remove("cache")
    until(lambda: daemon.call("GET", "/sandboxes")[1] == [], "the sandbox is gone")


def test_refusal_reaches_its_user(machine: tuple[Daemon, Containerd]) -> None:
    daemon, containerd = machine
    sleeper(daemon, "default-db")

    answer = containerd.run("db")
    containerd.remove("db")

    assert answer.returncode != 0
    assert 'The container name "/default-db" is already in use' in answer.stderr
    assert daemon.call("GET", "/sandboxes")[1] == []
