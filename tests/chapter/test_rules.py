"""Section 1.2: who may talk to whom. The rules are the chapter's text on iptables; what they do, on both."""

from collections.abc import Callable

import pytest

from tests.chapter.images import hello
from tests.support.daemon import Daemon
from tests.support.testhost import OUTSIDE_ADDRESS, UPLINK_ADDRESS, Host
from tests.support.wait import until

pytestmark = pytest.mark.host
Start = Callable[..., Daemon]
WEB = ("run", "-d", "-p", "5000:5000", "training/webapp", "python", "app.py")


def _saved(host: Host) -> list[str]:
    return host.run("iptables-save").stdout.splitlines()


def _run_web(daemon: Daemon) -> None:
    """The application, and a moment for it to begin to listen."""
    name = daemon.docker.ok(*WEB)
    until(lambda: "5000" in daemon.docker("exec", name, "netstat", "-lnt").out, "the application listens")


def test_the_rule_for_going_out_reads_as_printed(start: Start, host: Host) -> None:
    start("--firewall-backend=iptables")

    assert "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE" in _saved(host)


def test_a_published_port_adds_the_two_printed_rules(start: Start, host: Host) -> None:
    daemon = start("--firewall-backend=iptables")
    for name in ("one", "two"):
        daemon.docker.ok("run", "-d", "--name", name, "centos", "sleep", "1000")

    _run_web(daemon)

    saved = _saved(host)
    target = "172.17.0.4"
    assert (
        f"-A DOCKER ! -i docker0 -p tcp -m tcp --dport 5000 -j DNAT --to-destination {target}:5000" in saved
    )
    assert f"-A DOCKER -d {target}/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 5000 -j ACCEPT" in saved


def test_the_outside_reaches_what_is_published(start: Start, host: Host, backend: str) -> None:
    daemon = start(f"--firewall-backend={backend}")

    _run_web(daemon)

    assert hello(host.outside(), UPLINK_ADDRESS) == f"Hello, {OUTSIDE_ADDRESS}\n"
    assert hello(host, "127.0.0.1").startswith("Hello")
    assert hello(host, UPLINK_ADDRESS) == f"Hello, {UPLINK_ADDRESS}\n"


@pytest.mark.parametrize(("icc", "verdict"), [("true", "ACCEPT"), ("false", "DROP")])
def test_icc_is_one_rule(start: Start, host: Host, icc: str, verdict: str) -> None:
    start("--firewall-backend=iptables", f"--icc={icc}")

    assert f"-A FORWARD -i docker0 -o docker0 -j {verdict}" in _saved(host)


@pytest.mark.parametrize(("icc", "reached"), [("true", True), ("false", False)])
def test_icc_decides_whether_containers_talk(start: Start, backend: str, icc: str, *, reached: bool) -> None:
    daemon = start(f"--firewall-backend={backend}", f"--icc={icc}")
    for name in ("one", "two"):
        daemon.docker.ok("run", "-d", "--name", name, "centos", "sleep", "1000")

    answer = daemon.docker("exec", "one", "ping", "-c", "1", "-W", "1", "172.17.0.3")

    assert reached == (answer.code == 0)


def test_a_users_own_rule_in_docker_lives_on(start: Start, host: Host) -> None:
    daemon = start("--firewall-backend=iptables")
    host.run("iptables", "-I", "DOCKER", "-i", "docker0", "!", "-s", "8.8.8.8", "-j", "DROP")
    host.run("iptables", "-I", "DOCKER-USER", "-s", "203.0.113.7", "-j", "DROP")
    mine = [
        "-A DOCKER ! -s 8.8.8.8/32 -i docker0 -j DROP",
        "-A DOCKER-USER -s 203.0.113.7/32 -j DROP",
    ]

    _run_web(daemon)
    daemon.docker.ok("network", "create", "backend")
    daemon.restart()

    assert set(mine) <= set(_saved(host))
    in_docker = [line for line in _saved(host) if line.startswith("-A DOCKER ") and "docker0" in line]
    assert mine[0] == next(line for line in in_docker if "DNAT" not in line)


def test_a_user_decides_who_comes_in(start: Start, host: Host) -> None:
    daemon = start("--firewall-backend=iptables")
    _run_web(daemon)

    host.run("iptables", "-I", "DOCKER-USER", "-i", "uplink", "!", "-s", "8.8.8.8", "-j", "DROP")

    assert hello(host.outside(), UPLINK_ADDRESS) == ""


def test_without_iptables_nothing_of_the_hosts_is_changed(start: Start, host: Host) -> None:
    before = _saved(host), host.run("nft", "list", "ruleset").stdout

    daemon = start("--iptables=false")
    _run_web(daemon)

    assert before == (_saved(host), host.run("nft", "list", "ruleset").stdout)
    assert hello(host.outside(), UPLINK_ADDRESS).startswith("Hello")
