"""Which servers outside are asked for names, while the host changes its mind."""

from collections.abc import Iterator

import pytest

from tests.support import nameserver
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.testhost import OUTSIDE_ADDRESS, Host
from tests.support.wait import until

pytestmark = pytest.mark.host

_NOBODY = "198.51.100.77"


@pytest.fixture
def misled() -> Iterator[Daemon]:
    """A daemon whose host has an uplink but asks a server that is not there."""
    with Host("misled") as host:
        nameserver.start(host)
        _ask(host, _NOBODY)
        with bridgehead(host) as daemon:
            daemon.import_image()
            daemon.docker.ok("network", "create", "lan")
            yield daemon


def _ask(host: Host, server: str) -> None:
    (host.folder / "resolv.conf").write_text(f"nameserver {server}\n")


def _resolves(daemon: Daemon, container: str, name: str = nameserver.KNOWN_NAME) -> bool:
    return daemon.docker("exec", container, "nslookup", "-type=a", name).code == 0


def test_containers_ask_the_hosts_new_name_servers_without_a_restart(misled: Daemon) -> None:
    misled.docker.ok("run", "-d", "--name", "named", "--net", "lan", "busybox", "sleep", "1000")
    misled.docker.ok("run", "-d", "--name", "plain", "busybox", "sleep", "1000")
    before = misled.docker.ok("inspect", "-f", "{{.State.Pid}}", "named", "plain")
    assert _NOBODY in misled.docker.ok("exec", "plain", "cat", "/etc/resolv.conf")

    _ask(misled.host, OUTSIDE_ADDRESS)

    until(lambda: _resolves(misled, "named"), "an answer from the new server", 20)
    assert _resolves(misled, "plain")
    assert OUTSIDE_ADDRESS in misled.docker.ok("exec", "plain", "cat", "/etc/resolv.conf")
    assert misled.docker.ok("inspect", "-f", "{{.State.Pid}}", "named", "plain") == before


def test_servers_the_user_chose_stay(misled: Daemon) -> None:
    _ask(misled.host, OUTSIDE_ADDRESS)
    options = ("--dns", _NOBODY, "--net", "lan")
    misled.docker.ok("run", "-d", "--name", "own", *options, "busybox", "sleep", "1000")
    misled.docker.ok("run", "-d", "--name", "other", "--net", "lan", "busybox", "sleep", "1000")

    until(lambda: _resolves(misled, "other"), "an answer from the new server", 20)

    assert not _resolves(misled, "own")
    assert _resolves(misled, "own", "other")


def test_a_container_started_later_and_a_daemon_started_later_know_them_too(misled: Daemon) -> None:
    misled.docker.ok("run", "-d", "--name", "early", "--net", "lan", "busybox", "sleep", "1000")
    misled.stop()
    _ask(misled.host, OUTSIDE_ADDRESS)
    misled.start()
    misled.docker.ok("run", "-d", "--name", "late", "--net", "lan", "busybox", "sleep", "1000")

    assert _resolves(misled, "early")
    assert _resolves(misled, "late")
