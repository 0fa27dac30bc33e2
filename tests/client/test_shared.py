"""Containers in another's network, on the real kernel: what they see, lose with it, and get back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.bridgehead import bridgehead, plan
from tests.support.daemon import Daemon
from tests.support.testhost import Host
from tests.support.wait import until

pytestmark = pytest.mark.host

SERVING = ("busybox", "httpd", "-f", "-p", "80", "-h", "/etc")
KEY = "{{.NetworkSettings.SandboxKey}}"
PID = "{{.State.Pid}}"


@pytest.fixture(scope="module")
def sharing() -> Iterator[Daemon]:
    with Host("shared") as host, bridgehead(host) as daemon:
        daemon.import_image()
        yield daemon


@pytest.fixture
def fresh(sharing: Daemon) -> Iterator[Daemon]:
    """The daemon, without any container before and after."""
    yield sharing
    sharing.docker.remove_all()


def sleeper(daemon: Daemon, name: str, *options: str) -> None:
    daemon.docker.ok("run", "-d", "--name", name, *options, "busybox", "sleep", "1000")


def lent(daemon: Daemon, *options: str) -> None:
    """lender, with a published port and a neighbour; server, in its network, serves behind that port."""
    daemon.docker.ok("network", "create", "own")
    sleeper(daemon, "neighbour", "--net", "own")
    sleeper(daemon, "lender", "--net", "own", "-h", "house", "-p", "8080:80", *options)
    daemon.docker.ok("run", "-d", "--name", "server", "--net", "container:lender", *SERVING)


def served(daemon: Daemon) -> str:
    """What a visitor of the host's port gets; '' when nobody is there."""
    asking = "printf 'GET /hostname HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 1 127.0.0.1 8080"
    return daemon.host.run("sh", "-c", asking, check=False).stdout.strip().rpartition("\n")[2]


def links(daemon: Daemon, name: str) -> list[str]:
    shown = daemon.docker.ok("exec", name, "ip", "-o", "link")
    return [line.split(":")[1].strip().partition("@")[0] for line in shown.splitlines()]


def reaches(daemon: Daemon, name: str, other: str) -> bool:
    return daemon.docker("exec", name, "ping", "-c", "1", "-W", "1", other).code == 0


def inode(daemon: Daemon, name: str, file: str) -> str:
    return daemon.docker.ok("exec", name, "stat", "-c", "%i", file)


def namespaces(daemon: Daemon) -> int:
    return sum(f"{daemon.run_folder}/netns/" in line for line in daemon.host.mounts())


def test_a_joiner_serves_behind_its_lenders_port_and_sees_its_names(fresh: Daemon) -> None:
    lent(fresh)

    assert until(lambda: served(fresh), "an answer") == "house"
    assert reaches(fresh, "server", "neighbour")
    assert reaches(fresh, "neighbour", "lender")
    for file in ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf"):
        assert inode(fresh, "server", file) == inode(fresh, "lender", file)
    assert namespaces(fresh) == 2
    assert plan(fresh) == []


def test_the_network_comes_back_with_the_lender_and_the_joiner_never_restarts(fresh: Daemon) -> None:
    lent(fresh)
    until(lambda: served(fresh), "an answer")
    pid = fresh.docker.ok("inspect", "-f", PID, "server")
    hosts = fresh.docker.ok("exec", "server", "cat", "/etc/hosts")

    fresh.docker.ok("stop", "-t", "0", "lender")

    assert (links(fresh, "server"), served(fresh)) == (["lo"], "")
    assert "house" not in fresh.docker.ok("exec", "server", "cat", "/etc/hosts")
    fresh.docker.ok("start", "lender")
    assert links(fresh, "server") == ["lo", "eth0"]
    assert until(lambda: served(fresh), "an answer") == "house"
    assert reaches(fresh, "server", "neighbour")
    assert hosts == fresh.docker.ok("exec", "server", "cat", "/etc/hosts")
    assert pid == fresh.docker.ok("inspect", "-f", PID, "server")
    assert plan(fresh) == []
    fresh.docker.ok("rm", "-f", "lender", "server", "neighbour")
    until(lambda: namespaces(fresh) == 0, "no namespace left")


@pytest.mark.parametrize("moment", ["lender is down", "lender is up"])
def test_a_killed_daemon_finds_both_again(fresh: Daemon, moment: str) -> None:
    lent(fresh)
    until(lambda: served(fresh), "an answer")
    if moment == "lender is down":
        fresh.docker.ok("stop", "-t", "0", "lender")

    fresh.kill()
    fresh.start()

    assert plan(fresh) == []
    fresh.docker.ok("restart", "-t", "0", "lender")
    assert until(lambda: served(fresh), "an answer") == "house"
    assert reaches(fresh, "server", "neighbour")
    assert plan(fresh) == []


def test_a_lender_that_ends_while_no_daemon_runs_comes_back_by_its_policy(fresh: Daemon) -> None:
    lent(fresh, "--restart", "always")
    pid = int(fresh.docker.ok("inspect", "-f", PID, "lender"))
    server = fresh.docker.ok("inspect", "-f", PID, "server")

    fresh.kill()
    fresh.host.kill(pid)
    fresh.start()

    assert until(lambda: served(fresh), "an answer") == "house"
    assert server == fresh.docker.ok("inspect", "-f", PID, "server")
    assert plan(fresh) == []


def test_a_lender_that_is_removed_leaves_its_joiner_with_itself(fresh: Daemon) -> None:
    lent(fresh)

    fresh.docker.ok("rm", "-f", "lender")

    assert links(fresh, "server") == ["lo"]
    sleeper(fresh, "lender", "--net", "own", "-p", "8080:80")
    assert links(fresh, "server") == ["lo"]
    assert "joining network namespace of container: No such container: " in _refused(fresh, "server")
    fresh.docker.ok("rm", "-f", "server", "lender", "neighbour")
    until(lambda: namespaces(fresh) == 0, "no namespace left")
    assert plan(fresh) == []


def _refused(daemon: Daemon, name: str) -> str:
    daemon.docker.ok("stop", "-t", "0", name)
    return daemon.docker("start", name).err


def test_one_who_starts_before_its_lender_waits(fresh: Daemon) -> None:
    sleeper(fresh, "lender", "--restart", "always")
    sleeper(fresh, "waiting", "--restart", "always", "--net", "container:lender")

    fresh.kill()
    fresh.host.reboot()
    fresh.start()

    until(lambda: fresh.docker("exec", "waiting", "ip", "link", "show", "eth0").code == 0, "its next life")
    assert namespaces(fresh) == 1
    assert plan(fresh) == []


def test_a_joiner_of_the_hosts_network_is_in_the_hosts(fresh: Daemon) -> None:
    sleeper(fresh, "lender", "--net", "host")
    sleeper(fresh, "joiner", "--net", "container:lender")

    fresh.docker.ok("restart", "-t", "0", "lender")

    assert "docker0" in links(fresh, "joiner")
    assert inode(fresh, "joiner", "/etc/hosts") == inode(fresh, "lender", "/etc/hosts")
    assert namespaces(fresh) == 0
    assert plan(fresh) == []


def test_the_hosts_network_comes_with_the_hosts_file_as_it_is_now(fresh: Daemon) -> None:
    sleeper(fresh, "early", "--net", "host")
    own = fresh.host.folder / "hosts"
    own.write_text("10.0.0.7\tdb\n")
    fresh.host.run("mount", "--bind", own, "/etc/hosts")
    try:
        sleeper(fresh, "late", "--net", "host")

        for name in ("early", "late"):
            assert fresh.docker.ok("exec", name, "cat", "/etc/hosts") == "10.0.0.7\tdb"
    finally:
        fresh.host.run("umount", "/etc/hosts")


@contextmanager
def wired(daemon: Daemon, name: str) -> Iterator[None]:
    """A link of the user's own between the machine and the container, with 10.9.0.1 and 10.9.0.2."""
    run, pid = daemon.host.run, daemon.docker.ok("inspect", "-f", PID, name)
    run("ip", "link", "add", "wire", "type", "veth", "peer", "name", "inner")
    run("ip", "link", "set", "inner", "netns", pid)
    run("ip", "address", "add", "10.9.0.1/24", "dev", "wire")
    run("ip", "link", "set", "wire", "up")
    for words in (("address", "add", "10.9.0.2/24", "dev", "inner"), ("link", "set", "inner", "up")):
        run("nsenter", "-t", pid, "-n", "ip", *words)
    try:
        yield
    finally:
        run("ip", "link", "delete", "wire", check=False)


def test_a_network_of_none_is_the_users_to_wire(fresh: Daemon) -> None:
    sleeper(fresh, "bare", "--net", "none")
    sleeper(fresh, "joiner", "--net", "container:bare")
    assert links(fresh, "bare") == ["lo"]
    with wired(fresh, "bare"):
        assert reaches(fresh, "joiner", "10.9.0.1")

        fresh.host.run("ip", "link", "delete", "docker0")
        until(
            lambda: fresh.host.run("ip", "link", "show", "docker0", check=False).returncode == 0, "a repair"
        )
        fresh.kill()
        fresh.start()
        fresh.docker.ok("restart", "-t", "0", "bare")

        assert links(fresh, "bare") == ["lo", "inner"]
        assert reaches(fresh, "joiner", "10.9.0.1")
        assert plan(fresh) == []


def test_the_key_of_a_sandbox_leads_into_it(fresh: Daemon) -> None:
    sleeper(fresh, "bare", "--net", "none")

    key = fresh.docker.ok("inspect", "-f", KEY, "bare")

    inside = fresh.host.run("nsenter", f"--net={key}", "ip", "-o", "link").stdout
    assert re.findall(r"^\d+: (\w+)", inside, re.MULTILINE) == ["lo"]
