"""What a link opens where containers may not talk to each other: the source's exposed ports, and no more."""

from collections.abc import Iterator

import pytest

from tests.support.bridgehead import bridgehead, plan
from tests.support.daemon import Daemon
from tests.support.testhost import Host

pytestmark = pytest.mark.host

ADDRESS = "{{.NetworkSettings.Networks.bridge.IPAddress}}"
SERVING = "httpd -p 5432 -h /etc; httpd -p 5433 -h /etc; httpd -f -p 9999 -h /etc"


@pytest.fixture(params=["nftables", "iptables"])
def closed(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """icc is off; `db` serves on three ports and exposes two, `web` is linked to it, `other` is not."""
    flags = ("--icc=false", f"--firewall-backend={request.param}")
    with Host("closed") as host, bridgehead(host, *flags) as daemon:
        daemon.import_image()
        daemon.docker.ok(
            *("run", "-d", "--name", "db", "--expose", "5432-5433", "busybox", "sh", "-c", SERVING)
        )
        daemon.docker.ok("run", "-d", "--name", "web", "--link", "db:webdb", "busybox", "sleep", "1000")
        daemon.docker.ok("run", "-d", "--name", "other", "busybox", "sleep", "1000")
        yield daemon


def _address(daemon: Daemon, name: str) -> str:
    return daemon.docker.ok("inspect", "-f", ADDRESS, name)


def _fetches(daemon: Daemon, name: str, host: str, port: int = 5432) -> bool:
    asking = f"printf 'GET /passwd HTTP/1.0\\r\\n\\r\\n' | nc -w 1 {host} {port}"
    return "root:x:0:0" in daemon.docker("exec", name, "sh", "-c", asking).out


def _forget_former_addresses(daemon: Daemon) -> None:
    """They are kept in memory, for their former holders."""
    daemon.kill()
    daemon.start()


def test_a_link_opens_every_exposed_port_for_its_recipient_alone(closed: Daemon) -> None:
    db = _address(closed, "db")

    reached = [
        (name, port)
        for name in ("web", "other")
        for port in (5432, 5433, 9999)
        if _fetches(closed, name, db, port)
    ]

    assert reached == [("web", 5432), ("web", 5433)]


def test_the_chapters_two_rules_stand_for_each_exposed_port() -> None:
    with Host("chapter") as host, bridgehead(host, "--icc=false", "--firewall-backend=iptables") as daemon:
        daemon.import_image()
        daemon.docker.ok("run", "-d", "--name", "db", "--expose", "5432", "busybox", "sleep", "1000")
        daemon.docker.ok("run", "-d", "--name", "web", "--link", "db:webdb", "busybox", "sleep", "1000")
        saved = host.run("iptables-save", "-t", "filter").stdout
        daemon.docker.ok("rm", "-f", "web")
        afterwards = host.run("iptables-save", "-t", "filter").stdout

    db, web = "172.17.0.2/32", "172.17.0.3/32"
    way = "-i docker0 -o docker0 -p tcp -m tcp"
    assert f"-A DOCKER -s {web} -d {db} {way} --dport 5432 -j ACCEPT\n" in saved
    assert f"-A DOCKER -s {db} -d {web} {way} --sport 5432 -j ACCEPT\n" in saved
    assert "5432" not in afterwards


def test_link_rules_follow_the_source_to_its_new_address(closed: Daemon) -> None:
    old = _address(closed, "db")
    closed.docker.ok("stop", "-t", "1", "db")
    _forget_former_addresses(closed)
    closed.docker.ok("run", "-d", "--name", "heir", "--expose", "5432", "busybox", "sh", "-c", SERVING)
    assert _address(closed, "heir") == old

    closed.docker.ok("start", "db")

    assert _address(closed, "db") != old
    assert _fetches(closed, "web", "webdb")
    assert not _fetches(closed, "web", old)


@pytest.mark.parametrize("gone", [("rm", "--link", "web/webdb"), ("rm", "-f", "db")])
def test_link_rules_go_with_the_link_and_with_its_source(closed: Daemon, gone: tuple[str, ...]) -> None:
    db = _address(closed, "db")
    closed.docker.ok(*gone)
    if gone[1] == "-f":
        _forget_former_addresses(closed)
        closed.docker.ok("run", "-d", "--name", "heir", "busybox", "sh", "-c", SERVING)
        assert _address(closed, "heir") == db

    assert not _fetches(closed, "web", db)


def test_link_rules_outlive_the_daemon(closed: Daemon) -> None:
    closed.kill()
    closed.start()

    assert plan(closed) == []
    assert _fetches(closed, "web", "webdb")
    assert not _fetches(closed, "other", _address(closed, "db"))
