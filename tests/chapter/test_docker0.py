"""Section 1.2: the bridge docker0, its flags, and a bridge of one's own."""

from collections.abc import Callable

import pytest

from tests.support.daemon import Daemon
from tests.support.testhost import Host

pytestmark = pytest.mark.host
Start = Callable[..., Daemon]
ADDRESS = "{{.NetworkSettings.IPAddress}}"


def _run(daemon: Daemon, name: str) -> str:
    """A shell in the background; its address."""
    daemon.docker.ok("run", "-itd", "--name", name, "centos", "/bin/sh")
    return daemon.docker.ok("inspect", "-f", ADDRESS, name)


def test_docker0_is_a_bridge_that_leads_to_its_containers(start: Start, host: Host) -> None:
    daemon = start()

    address = _run(daemon, "con1")

    assert address == "172.17.0.2"
    rows = [line.split() for line in host.run("busybox", "route", "-n").stdout.splitlines()]
    assert ["172.17.0.0", "0.0.0.0", "255.255.0.0", "U", "0", "0", "0", "docker0"] in rows
    inside = daemon.docker.ok("exec", "con1", "ifconfig")
    assert "172.17.0.2" in inside
    assert {"eth0", "lo"} == {line.split()[0] for line in inside.splitlines() if line[:1].strip()}
    default = daemon.docker.ok("exec", "con1", "route", "-n").splitlines()[2].split()
    assert default[:2] == ["0.0.0.0", "172.17.0.1"]
    shown = host.run("brctl", "show").stdout.splitlines()
    assert shown[1].split()[0] == "docker0"
    assert shown[1].split()[-1].startswith("veth")


def test_containers_reach_the_host_and_the_world(start: Start) -> None:
    daemon = start()
    _run(daemon, "con1")

    for target in ("172.17.0.1", "198.51.100.1"):
        assert daemon.docker("exec", "con1", "ping", "-c", "1", "-W", "1", target).code == 0


def test_bip_gives_docker0_its_address(start: Start, host: Host) -> None:
    daemon = start("--bip=192.168.100.1/24")

    assert _run(daemon, "con1") == "192.168.100.2"
    assert "192.168.100.1/24" in host.run("ip", "address", "show", "docker0").stdout


def test_fixed_cidr_narrows_what_containers_get(start: Start) -> None:
    daemon = start("--fixed-cidr=172.17.1.1/24")

    assert _run(daemon, "con1").startswith("172.17.1.")


def test_mtu_is_docker0s_and_its_containers(start: Start, host: Host) -> None:
    daemon = start("--mtu=1400")
    _run(daemon, "con1")

    assert "mtu 1400" in host.run("ip", "link", "show", "docker0").stdout
    assert "MTU:1400" in daemon.docker.ok("exec", "con1", "ifconfig", "eth0")


def test_a_bridge_of_ones_own_takes_docker0s_place(start: Start, host: Host) -> None:
    host.run("brctl", "addbr", "br0")
    host.run("busybox", "ifconfig", "br0", "188.18.0.1")

    daemon = start("--bridge=br0")

    assert _run(daemon, "con1") == "188.18.0.2"
    assert daemon.docker("exec", "con1", "ping", "-c", "1", "-W", "1", "188.18.0.1").code == 0
    assert "docker0" not in host.run("ip", "link").stdout
    daemon.docker.ok("rm", "-f", "con1")
    daemon.stop()
    assert "188.18.0.1" in host.run("ip", "address", "show", "br0").stdout


def test_bridge_and_bip_exclude_each_other(host: Host) -> None:
    outcome = host.run(
        *("bridgehead", "daemon", "--bridge=br0", "--bip=10.0.0.1/24", "--data-root", host.folder),
        check=False,
    )

    assert outcome.returncode == 1
    assert "mutually exclusive" in outcome.stderr


def test_forwarding_is_on(start: Start, host: Host) -> None:
    host.run("sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward")

    start()

    assert host.run("cat", "/proc/sys/net/ipv4/ip_forward").stdout == "1\n"


def test_forwarding_is_left_alone_if_told_so(start: Start, host: Host) -> None:
    host.run("sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward")

    start("--ip-forward=false")

    assert host.run("cat", "/proc/sys/net/ipv4/ip_forward").stdout == "0\n"


def test_three_files_are_mounted_over_the_images_own(start: Start) -> None:
    daemon = start()
    daemon.docker.ok("run", "-itd", "-h", "web1", "--dns", "9.9.9.9", "--name", "con1", "centos", "/bin/sh")

    targets = [line.split()[2] for line in daemon.docker.ok("exec", "con1", "mount").splitlines()]
    hosts = daemon.docker.ok("exec", "con1", "cat", "/etc/hosts")

    assert {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"} <= set(targets)
    assert daemon.docker.ok("exec", "con1", "cat", "/etc/hostname") == "web1"
    assert "172.17.0.2\tweb1" in hosts
    assert daemon.docker.ok("exec", "con1", "cat", "/etc/resolv.conf").count("nameserver 9.9.9.9") == 1
    assert "web1" not in daemon.docker.ok("ps", "-a")


def test_what_is_done_to_the_three_files_is_not_committed_and_ends_with_a_restart(start: Start) -> None:
    daemon = start()
    _run(daemon, "con1")
    daemon.docker.ok("exec", "con1", "sh", "-c", "echo 10.9.9.9 mine >>/etc/hosts; echo kept >/kept")

    daemon.docker.ok("commit", "con1", "image1")
    daemon.docker.ok("restart", "-t", "0", "con1")

    assert "mine" not in daemon.docker.ok("exec", "con1", "cat", "/etc/hosts")
    again = daemon.docker.ok("run", "--rm", "image1", "sh", "-c", "cat /kept /etc/hosts")
    assert again.startswith("kept")
    assert "mine" not in again
