"""Both kinds of links, as the chapter and the old manuals play them, with the real command line."""

import json
from collections.abc import Iterator

import pytest

from tests.support.bridgehead import bridgehead, plan
from tests.support.daemon import Daemon
from tests.support.testhost import Host
from tests.support.wait import until

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def linking() -> Iterator[Daemon]:
    with Host("links") as host, bridgehead(host) as daemon:
        daemon.import_image()
        yield daemon


@pytest.fixture
def fresh(linking: Daemon) -> Iterator[Daemon]:
    """The daemon, without any container before and after."""
    yield linking
    linking.docker.remove_all()


def _sleeper(daemon: Daemon, name: str, *options: str) -> str:
    return daemon.docker.ok("run", "-d", "--name", name, *options, "busybox", "sleep", "1000")


def _inside(daemon: Daemon, name: str, *words: str) -> str:
    return daemon.docker.ok("exec", name, *words)


def _address(daemon: Daemon, name: str) -> str:
    return daemon.docker.ok("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name)


def _own_environment(daemon: Daemon, name: str) -> list[str]:
    """Of its first process, which is never told anew."""
    return _inside(daemon, name, "sh", "-c", "tr '\\0' '\\n' < /proc/1/environ").splitlines()


def _forget_former_addresses(daemon: Daemon) -> None:
    """They are kept in memory, for their former holders."""
    daemon.kill()
    daemon.start()


def test_the_chapters_web_knows_its_db(fresh: Daemon) -> None:
    _sleeper(fresh, "db", "-e", "doc=docker", "--expose", "8080")
    _sleeper(fresh, "web", "--link", "db:webdb")
    address = _address(fresh, "db")

    assert {
        "WEBDB_NAME=/web/webdb",
        "WEBDB_ENV_doc=docker",
        f"WEBDB_PORT_8080_TCP_ADDR={address}",
        "WEBDB_PORT_8080_TCP_PORT=8080",
        "WEBDB_PORT_8080_TCP_PROTO=tcp",
        f"WEBDB_PORT_8080_TCP=tcp://{address}:8080",
        f"WEBDB_PORT=tcp://{address}:8080",
    } <= set(_own_environment(fresh, "web"))
    assert f"{address}\twebdb " in _inside(fresh, "web", "cat", "/etc/hosts")
    assert "0% packet loss" in _inside(fresh, "web", "ping", "-c", "1", "webdb")
    assert "webdb" not in _inside(fresh, "db", "cat", "/etc/hosts")


def test_a_restarted_source_is_found_at_its_new_address(fresh: Daemon) -> None:
    _forget_former_addresses(fresh)
    _sleeper(fresh, "db", "--expose", "5432")
    _sleeper(fresh, "web", "--link", "db:webdb")
    old = _address(fresh, "db")
    fresh.docker.ok("stop", "-t", "1", "db")
    _forget_former_addresses(fresh)
    _sleeper(fresh, "between")
    assert _address(fresh, "between") == old

    fresh.docker.ok("start", "db")

    new = _address(fresh, "db")
    assert new != old
    assert f"{new}\twebdb " in _inside(fresh, "web", "cat", "/etc/hosts")
    assert f"{old}\t" not in _inside(fresh, "web", "cat", "/etc/hosts")
    assert f"WEBDB_PORT=tcp://{new}:5432" in _inside(fresh, "web", "env")
    assert f"WEBDB_PORT=tcp://{old}:5432" in _own_environment(fresh, "web")


def test_exec_goes_on_while_a_source_is_down(fresh: Daemon) -> None:
    _sleeper(fresh, "db", "--expose", "5432")
    _sleeper(fresh, "web", "--link", "db:webdb")
    fresh.docker.ok("stop", "-t", "1", "db")

    assert "WEBDB" not in _inside(fresh, "web", "env")


def test_links_outlive_the_daemon(fresh: Daemon) -> None:
    _sleeper(fresh, "db")
    _sleeper(fresh, "web", "--link", "db:webdb")

    fresh.kill()
    fresh.start()

    assert plan(fresh) == []
    assert "webdb" in _inside(fresh, "web", "cat", "/etc/hosts")
    fresh.docker.ok("rm", "--link", "web/webdb")
    assert "webdb" not in _inside(fresh, "web", "cat", "/etc/hosts")
    assert fresh.docker.ok("inspect", "-f", "{{json .HostConfig.Links}}", "web") == "null"


def test_the_chapters_container1_waits_for_container2(fresh: Daemon) -> None:
    fresh.docker.ok("network", "create", "isolated_nw")
    fresh.docker.ok(
        *("run", "--net=isolated_nw", "-itd", "--name=container1", "--link", "container2:c2", "busybox")
    )
    before = fresh.docker("exec", "container1", "ping", "-c", "1", "c2")
    identifier = fresh.docker.ok("run", "--net=isolated_nw", "-itd", "--name=container2", "busybox")

    assert (before.code, before.err) == (1, "ping: bad address 'c2'\n")
    address = _address(fresh, "container2")
    for name in ("c2", "container2", identifier[:12]):
        assert f"PING {name} ({address}): 56 data bytes" in _inside(
            fresh, "container1", "ping", "-c", "1", name
        )
    short = fresh.docker.ok("inspect", "-f", "{{.Config.Hostname}}", "container1")
    assert _inside(fresh, "container1", "cat", "/etc/hosts").splitlines() == [
        "127.0.0.1\tlocalhost",
        "::1\tlocalhost ip6-localhost ip6-loopback",
        "fe00::0\tip6-localnet",
        "ff00::0\tip6-mcastprefix",
        "ff02::1\tip6-allnodes",
        "ff02::2\tip6-allrouters",
        f"{_address(fresh, 'container1')}\t{short}",
    ]
    assert "C2_" not in _inside(fresh, "container1", "env")


def test_links_of_the_new_kind_may_be_mutual_and_are_private(fresh: Daemon) -> None:
    fresh.docker.ok("network", "create", "own")
    _sleeper(fresh, "one", "--net", "own", "--link", "two:other")
    _sleeper(fresh, "two", "--net", "own", "--link", "one:other")
    _sleeper(fresh, "three", "--net", "own")

    assert f"({_address(fresh, 'two')})" in _inside(fresh, "one", "ping", "-c", "1", "other")
    assert f"({_address(fresh, 'one')})" in _inside(fresh, "two", "ping", "-c", "1", "other")
    assert fresh.docker("exec", "three", "ping", "-c", "1", "other").code == 1
    shown = fresh.docker.ok("inspect", "-f", "{{json .NetworkSettings.Networks.own.Links}}", "one")
    assert json.loads(shown) == ["two:other"]


def test_a_link_hides_the_container_whose_name_it_takes(fresh: Daemon) -> None:
    fresh.docker.ok("network", "create", "own")
    for name in ("one", "two"):
        _sleeper(fresh, name, "--net", "own")
    _sleeper(fresh, "asks")
    fresh.docker.ok("network", "connect", "--link", "two:one", "own", "asks")

    assert f"({_address(fresh, 'two')})" in _inside(fresh, "asks", "ping", "-c", "1", "one")


def test_the_three_files_are_mounts_and_edits_live_until_the_restart(fresh: Daemon) -> None:
    _sleeper(fresh, "db")
    _sleeper(fresh, "web", "--link", "db:webdb")
    mounted = {line.split()[2] for line in _inside(fresh, "web", "mount").splitlines()}
    _inside(
        fresh,
        "web",
        "sh",
        "-c",
        "echo 1.2.3.4 mine >> /etc/hosts; echo nameserver 5.6.7.8 > /etc/resolv.conf",
    )

    fresh.kill()
    fresh.start()
    fresh.docker.ok("restart", "-t", "1", "db")

    assert {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"} <= mounted
    hosts = _inside(fresh, "web", "cat", "/etc/hosts")
    assert "1.2.3.4 mine" in hosts
    assert f"{_address(fresh, 'db')}\twebdb " in hosts
    assert _inside(fresh, "web", "cat", "/etc/resolv.conf") == "nameserver 5.6.7.8"
    assert plan(fresh) == []
    fresh.docker.ok("restart", "-t", "1", "web")
    assert "mine" not in _inside(fresh, "web", "cat", "/etc/hosts")
    assert "5.6.7.8" not in _inside(fresh, "web", "cat", "/etc/resolv.conf")


def test_the_hosts_new_name_servers_reach_files_that_nobody_edited(fresh: Daemon) -> None:
    host_file = fresh.host.folder / "resolv.conf"
    before = host_file.read_text()
    for name in ("plain", "edited"):
        _sleeper(fresh, name)
    _inside(fresh, "edited", "sh", "-c", "echo nameserver 5.6.7.8 > /etc/resolv.conf")

    host_file.write_text("nameserver 10.9.8.7\n")
    until(
        lambda: _inside(fresh, "plain", "cat", "/etc/resolv.conf") == "nameserver 10.9.8.7",
        "the host's new name server",
    )
    edited = _inside(fresh, "edited", "cat", "/etc/resolv.conf")
    _sleeper(fresh, "later")
    host_file.write_text(before)

    assert edited == "nameserver 5.6.7.8"
    assert _inside(fresh, "later", "cat", "/etc/resolv.conf") == "nameserver 10.9.8.7"


def test_leaving_one_network_takes_its_own_line_alone(fresh: Daemon) -> None:
    fresh.docker.ok("network", "create", "own")
    fresh.docker.ok("network", "create", "second")
    _sleeper(fresh, "one", "--net", "own")
    fresh.docker.ok("network", "connect", "second", "one")
    lines = _inside(fresh, "one", "cat", "/etc/hosts").splitlines()

    fresh.docker.ok("network", "disconnect", "second", "one")

    assert lines[:-1] == _inside(fresh, "one", "cat", "/etc/hosts").splitlines()
