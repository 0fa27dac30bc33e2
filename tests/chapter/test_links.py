"""Section 2: links of the old kind, on the default bridge."""

from collections.abc import Callable

import pytest

from tests.chapter.images import hello
from tests.support.daemon import Daemon
from tests.support.testhost import Host
from tests.support.wait import until

pytestmark = pytest.mark.host
Start = Callable[..., Daemon]
DB = ("run", "-d", "--name", "db", "training/postgres")
WEB = ("run", "-d", "-P", "--name", "web", "--link", "db:webdb", "training/webapp", "python", "app.py")
FIVE_ADDRESSES = "--fixed-cidr=172.17.0.0/29"
ADDRESS = "{{.NetworkSettings.IPAddress}}"


def _address(daemon: Daemon, name: str) -> str:
    return daemon.docker.ok("inspect", "-f", ADDRESS, name)


def _run_both(daemon: Daemon) -> None:
    """Source and receiver, and a moment for both to begin to listen."""
    for words, name, port in ((DB, "db", 5432), (WEB, "web", 5000)):
        daemon.docker.ok(*words)
        _until_listening(daemon, name, port)


def _until_listening(daemon: Daemon, name: str, port: int) -> None:
    until(lambda: str(port) in daemon.docker("exec", name, "netstat", "-lnt").out, f"{name} listens")


def _return_elsewhere(daemon: Daemon) -> None:
    """The source comes back while somebody else has its former address: of a range of five none is free."""
    former = _address(daemon, "db")
    daemon.docker.ok("stop", "-t", "0", "db")
    for number in range(4):
        daemon.docker.ok("run", "-d", "--name", f"squatter{number}", "training/postgres")
    assert former == _address(daemon, "squatter3")
    daemon.docker.ok("rm", "-f", "squatter0")
    daemon.docker.ok("start", "db")
    assert former != _address(daemon, "db")
    _until_listening(daemon, "db", 5432)


def _fetch(daemon: Daemon, name: str, host: str, port: int) -> str:
    """The table, as the container `name` gets it; '' if it does not. The static busybox cannot run wget."""
    asking = f"printf 'GET /table HTTP/1.0\\r\\n\\r\\n' | nc -w 1 {host} {port}"
    return daemon.docker("exec", name, "sh", "-c", asking).out.rpartition("\r\n")[2]


def _asks(daemon: Daemon, host: str, port: int) -> str:
    return _fetch(daemon, "web", host, port)


def test_the_receiver_is_told_of_its_source(start: Start) -> None:
    daemon = start()
    daemon.docker.ok("run", "-d", "--name", "db", "-e", "doc=docker", "training/postgres")

    daemon.docker.ok(*WEB)

    environment = daemon.docker.ok("exec", "web", "env").splitlines()
    address = _address(daemon, "db")
    assert {
        "WEBDB_NAME=/web/webdb",
        "WEBDB_ENV_doc=docker",
        f"WEBDB_PORT_5432_TCP_ADDR={address}",
        "WEBDB_PORT_5432_TCP_PORT=5432",
        "WEBDB_PORT_5432_TCP_PROTO=tcp",
        f"WEBDB_PORT_5432_TCP=tcp://{address}:5432",
        f"WEBDB_PORT=tcp://{address}:5432",
    } <= set(environment)


def test_the_alias_follows_a_source_that_comes_back_elsewhere(start: Start) -> None:
    daemon = start(FIVE_ADDRESSES)
    _run_both(daemon)

    _return_elsewhere(daemon)

    now = _address(daemon, "db")
    lines = [
        line for line in daemon.docker.ok("exec", "web", "cat", "/etc/hosts").splitlines() if "webdb" in line
    ]
    assert [now] == [line.split("\t")[0] for line in lines]


def test_a_link_opens_the_sources_ports_where_icc_is_off(start: Start, backend: str) -> None:
    daemon = start(f"--firewall-backend={backend}", "--icc=false")
    _run_both(daemon)

    assert _asks(daemon, "webdb", 5432) == "rows\n"
    assert daemon.docker("exec", "web", "ping", "-c", "1", "-W", "1", "webdb").code != 0
    daemon.docker.ok("run", "-d", "--name", "stranger", "centos", "sleep", "1000")
    assert _fetch(daemon, "stranger", _address(daemon, "db"), 5432) == ""


def test_a_link_is_the_printed_pair_of_rules(start: Start, host: Host) -> None:
    daemon = start("--firewall-backend=iptables", "--icc=false")
    _run_both(daemon)
    db, web = _address(daemon, "db"), _address(daemon, "web")
    pair = {
        f"-A DOCKER -s {web}/32 -d {db}/32 -i docker0 -o docker0 -p tcp -m tcp --dport 5432 -j ACCEPT",
        f"-A DOCKER -s {db}/32 -d {web}/32 -i docker0 -o docker0 -p tcp -m tcp --sport 5432 -j ACCEPT",
    }

    assert pair <= set(host.run("iptables-save").stdout.splitlines())

    daemon.docker.ok("rm", "-f", "web")

    assert not pair & set(host.run("iptables-save").stdout.splitlines())


def test_link_rules_follow_the_source_to_its_new_address(start: Start, backend: str) -> None:
    daemon = start(f"--firewall-backend={backend}", "--icc=false", FIVE_ADDRESSES)
    _run_both(daemon)

    _return_elsewhere(daemon)

    assert _asks(daemon, "webdb", 5432) == "rows\n"
    for name in ("squatter1", "squatter3"):
        assert _asks(daemon, _address(daemon, name), 5432) == ""


def test_a_link_to_what_is_not_there_changes_nothing(start: Start) -> None:
    daemon = start()

    answer = daemon.docker(*WEB)

    assert answer.code == 125
    assert "could not get container for db" in answer.err
    assert daemon.docker.ok("ps", "-aq") == ""


def test_publish_all_publishes_what_the_image_exposes(start: Start, host: Host) -> None:
    daemon = start()
    _run_both(daemon)

    port = daemon.docker.ok("port", "web", "5000/tcp").splitlines()[0].rpartition(":")[2]

    assert hello(host, "127.0.0.1", int(port)).startswith("Hello")
