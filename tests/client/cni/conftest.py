"""A daemon with two containers of docker's, whom those of a runtime meet."""

from collections.abc import Iterator

import pytest

from tests.client.starting import sleeper
from tests.support.bridgehead import bridgehead, plan
from tests.support.cni import Runtime
from tests.support.daemon import Daemon
from tests.support.testhost import Host


@pytest.fixture(scope="module")
def machine() -> Iterator[Daemon]:
    """Our daemon with networks `backend`, `frontend`, `six`; containers `db` and `web`."""
    with Host("cni") as host, bridgehead(host) as daemon:
        daemon.import_image()
        daemon.docker.ok("network", "create", "--subnet", "10.20.0.0/24", "backend")
        daemon.docker.ok("network", "create", "frontend")
        daemon.docker.ok("network", "create", "--ipv6", "--subnet", "fd00:20::/64", "six")
        sleeper(daemon, "db", "--network", "backend")
        sleeper(daemon, "web", "--network", "frontend")
        yield daemon
        assert plan(daemon) == []


@pytest.fixture
def daemon(machine: Daemon) -> Iterator[Daemon]:
    """Ends with no sandbox and no namespace left."""
    yield machine
    for entry in machine.call("GET", "/sandboxes")[1]:
        machine.call("DELETE", f"/sandboxes/{entry['Id']}")
    for name in machine.host.run("ls", "/run/netns", check=False).stdout.split():
        machine.host.run("ip", "netns", "delete", name)


@pytest.fixture
def backend(daemon: Daemon) -> Runtime:
    return Runtime(daemon, "backend")


@pytest.fixture
def frontend(daemon: Daemon) -> Runtime:
    return Runtime(daemon, "frontend")
