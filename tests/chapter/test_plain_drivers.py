"""Section 2.1: the drivers that bring no network of their own, host and null."""

from collections.abc import Callable

import pytest

from tests.support.bridgehead import plan
from tests.support.daemon import Daemon
from tests.support.testhost import OUTSIDE_ADDRESS, UPLINK_ADDRESS, Host
from tests.support.wait import until

pytestmark = pytest.mark.host
Start = Callable[..., Daemon]
SERVE = "exec httpd -f -p 7070 -h /etc"


def _namespace(daemon: Daemon, container: str, kind: str) -> str:
    return daemon.docker.ok("exec", container, "readlink", f"/proc/1/ns/{kind}")


def _of_host(host: Host, kind: str) -> str:
    return host.run("readlink", f"/proc/1/ns/{kind}").stdout.strip()


def _links(daemon: Daemon, container: str) -> list[str]:
    shown = daemon.docker.ok("exec", container, "ip", "-o", "link").splitlines()
    return [line.split(": ")[1].partition("@")[0] for line in shown]


def test_host_shares_the_network_of_the_machine_and_nothing_else(start: Start, host: Host) -> None:
    daemon = start()
    rules = host.run("nft", "list", "ruleset").stdout

    daemon.docker.ok("run", "-d", "--name", "web", "--net", "host", "centos", "sh", "-c", SERVE)

    assert _namespace(daemon, "web", "net") == _of_host(host, "net")
    for kind in ("pid", "mnt", "ipc"):
        assert _namespace(daemon, "web", kind) != _of_host(host, kind)
    assert rules == host.run("nft", "list", "ruleset").stdout, "no translation of addresses is needed"
    asking = f"printf 'GET /hostname HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 2 {UPLINK_ADDRESS} 7070"
    answer = until(lambda: host.outside().run("sh", "-c", asking, check=False).stdout, "an answer")
    assert answer.split()[-1] == host.run("hostname").stdout.strip()
    second = daemon.docker("run", "--rm", "--net", "host", "centos", "sh", "-c", SERVE)
    assert "Address" in second.err, "the machine's ports are there once"


def test_none_has_a_loopback_until_the_user_adds_a_card(start: Start, host: Host) -> None:
    daemon = start()
    daemon.docker.ok("run", "-itd", "--name", "con1", "centos")
    daemon.docker.ok("run", "-itd", "--name", "bare", "--net", "none", "centos")
    assert _namespace(daemon, "bare", "net") not in {
        _of_host(host, "net"),
        _namespace(daemon, "con1", "net"),
    }
    assert _links(daemon, "bare") == ["lo"]
    assert daemon.docker.ok("exec", "bare", "ip", "route") == ""

    pid = daemon.docker.ok("inspect", "-f", "{{.State.Pid}}", "bare")
    host.run("ip", "link", "add", "wire", "type", "veth", "peer", "name", "eth0", "netns", pid)
    host.run("ip", "link", "set", "wire", "master", "docker0", "up")
    for words in (
        "address add 172.17.0.99/16 dev eth0",
        "link set eth0 up",
        "route add default via 172.17.0.1",
    ):
        host.run("nsenter", "-t", pid, "-n", "ip", *words.split())

    daemon.kill()
    daemon.start()
    assert plan(daemon) == []
    for other in ("172.17.0.1", "172.17.0.2", OUTSIDE_ADDRESS):
        assert daemon.docker("exec", "bare", "ping", "-c", "1", "-W", "2", other).code == 0, other
    assert _links(daemon, "bare") == ["lo", "eth0"]


@pytest.mark.parametrize("driver", ["host", "null"])
def test_there_is_one_network_of_each(start: Start, driver: str) -> None:
    daemon = start()

    refused = daemon.docker("network", "create", "-d", driver, "second")

    assert (refused.code, f'only one instance of "{driver}" network is allowed' in refused.err) == (1, True)
    listed = daemon.docker.ok("network", "ls", "-f", f"driver={driver}", "--format", "{{.Name}}")
    assert listed.split() == [{"host": "host", "null": "none"}[driver]]
