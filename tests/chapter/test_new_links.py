"""Section 3: links on a user's own network, through names alone."""

from collections.abc import Callable

import pytest

from tests.support.daemon import Daemon

pytestmark = pytest.mark.host
Start = Callable[..., Daemon]


def test_a_link_may_be_made_before_its_target(start: Start) -> None:
    daemon = start()
    assert len(daemon.docker.ok("network", "create", "isolated_nw")) == 64
    words = ("run", "--net=isolated_nw", "-it", "--name=container1", "--link", "container2:c2", "centos")
    with daemon.docker.terminal(*words) as shell:
        shell.type("ping c2\n")
        shell.expect("ping: bad address 'c2'")

        assert len(daemon.docker.ok("run", "--net=isolated_nw", "-itd", "--name=container2", "centos")) == 64

        for name in ("c2", "container2", daemon.docker.ok("ps", "-q", "-f", "name=container2")):
            shell.type(f"ping -c3 {name}\n")
            shell.expect(f"PING {name} (172.18.0.3): 56 data bytes")
            shell.expect("3 packets transmitted, 3 packets received, 0% packet loss")
        shell.type("cat /etc/hosts; env; echo end of it\n")
        shown = shell.expect("\r\nend of it")
        shell.type("exit\n")
        shell.wait()

    assert "127.0.0.1\tlocalhost" in shown
    assert "ff02::2\tip6-allrouters" in shown
    assert "172.18.0.2\t" in shown
    assert "172.18.0.3" not in shown
    assert "C2_" not in shown


def test_two_containers_link_each_other(start: Start) -> None:
    daemon = start()
    docker = daemon.docker
    docker.ok("network", "create", "isolated_nw")
    for name, other in (("one", "two"), ("two", "one")):
        docker.ok(
            *("run", "-itd", "--net=isolated_nw", f"--name={name}", "--link", f"{other}:peer", "centos")
        )

    for name in ("one", "two"):
        assert docker("exec", name, "ping", "-c", "1", "-W", "1", "peer").code == 0


def test_an_alias_is_the_receivers_alone(start: Start) -> None:
    docker = start().docker
    docker.ok("network", "create", "isolated_nw")
    docker.ok("run", "-itd", "--net=isolated_nw", "--name=one", "--link", "two:peer", "centos")
    for name in ("two", "three"):
        docker.ok("run", "-itd", "--net=isolated_nw", f"--name={name}", "centos")

    assert docker("exec", "one", "ping", "-c", "1", "-W", "1", "peer").code == 0
    assert docker("exec", "three", "ping", "-c", "1", "-W", "1", "peer").code == 1
