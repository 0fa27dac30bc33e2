"""IPv6 beside IPv4, and alone: addresses, neighbours, the way out, and containers that want none of it."""

import ipaddress
from collections.abc import Iterator

import pytest

from tests.support.bridgehead import bridgehead, plan
from tests.support.daemon import Daemon
from tests.support.testhost import Host

pytestmark = pytest.mark.host

ADDRESS6 = "{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}}{{end}}"


@pytest.fixture(scope="module")
def machine() -> Iterator[Daemon]:
    """Networks `dual` (automatic), `fixed` (a chosen block), `six` (no IPv4) and `shut` (internal)."""
    with Host("ipv6") as host, bridgehead(host) as daemon:
        daemon.import_image()
        create = ("network", "create")
        daemon.docker.ok(*create, "--ipv6", "dual")
        daemon.docker.ok(
            *(*create, "--ipv6", "--subnet", "fd12:3456::/64", "--ip-range", "fd12:3456::100/120"),
            *("--gateway", "fd12:3456::fe", "--aux-address", "spare=fd12:3456::100", "fixed"),
        )
        daemon.docker.ok(*create, "--ipv4=false", "--ipv6", "six")
        daemon.docker.ok(*create, "--internal", "--ipv6", "shut")
        for network in ("dual", "fixed", "six", "shut"):
            for number in (1, 2):
                daemon.docker.ok(
                    "run", "-d", "--name", f"{network}{number}", "--net", network, "busybox", "sleep", "1000"
                )
        yield daemon


def _address(daemon: Daemon, name: str) -> str:
    return daemon.docker.ok("inspect", "-f", ADDRESS6, name)


def _pings(daemon: Daemon, source: str, target: str) -> bool:
    return daemon.docker("exec", source, "ping", "-6", "-c", "1", "-W", "2", target).code == 0


@pytest.mark.parametrize("network", ["dual", "fixed", "six", "shut"])
def test_containers_reach_each_other_by_ipv6(machine: Daemon, network: str) -> None:
    assert _pings(machine, f"{network}1", _address(machine, f"{network}2"))


def test_containers_reach_each_other_by_name_without_ipv4(machine: Daemon) -> None:
    assert _pings(machine, "six1", "six2")
    assert machine.docker.ok("exec", "six1", "ip", "-o", "-4", "address", "show", "eth0") == ""


def test_without_icc_containers_do_not_talk_by_ipv6_either(machine: Daemon) -> None:
    """Frames within a bridge meet rules only if the kernel is told so, for each family by itself."""
    for family in ("iptables", "ip6tables"):
        machine.host.run("sysctl", "-w", f"net.bridge.bridge-nf-call-{family}=0")
    quiet = ("-o", "com.docker.network.bridge.enable_icc=false", "quiet")
    machine.docker.ok("network", "create", "--ipv6", *quiet)
    for name in ("quiet1", "quiet2"):
        machine.docker.ok("run", "-d", "--name", name, "--net", "quiet", "busybox", "sleep", "1000")

    reached = [_pings(machine, "quiet1", _address(machine, "quiet2")), _pings(machine, "dual1", "dual2")]

    machine.docker.ok("rm", "-f", "quiet1", "quiet2")
    machine.docker.ok("network", "rm", "quiet")
    assert reached == [False, True]


def test_addresses_are_there_at_once(machine: Daemon) -> None:
    """No waiting for duplicates to be detected: the first command of a container can use its address."""
    shown = machine.docker.ok("run", "--rm", "--net", "dual", "busybox", "ip", "-o", "-6", "address")

    assert "scope global" in shown
    assert "tentative" not in shown


def test_block_is_of_this_host_alone(machine: Daemon) -> None:
    block = machine.docker.ok("network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}} {{end}}", "dual")
    own = ipaddress.ip_network(block.split()[1])

    assert own.prefixlen == 64
    assert own.subnet_of(ipaddress.IPv6Network("fd00::/8"))  # type: ignore[arg-type]


def test_range_gateway_and_auxiliary_addresses_are_kept(machine: Daemon) -> None:
    assert {"fd12:3456::101", "fd12:3456::102"} == {_address(machine, name) for name in ("fixed1", "fixed2")}
    assert "default via fd12:3456::fe dev eth0" in machine.docker.ok("exec", "fixed1", "ip", "-6", "route")


def test_internal_network_leads_to_the_host_alone(machine: Daemon) -> None:
    assert "default" not in machine.docker.ok("exec", "shut1", "ip", "-6", "route")
    assert _pings(machine, "shut1", _gateway6(machine, "shut"))


def _gateway6(daemon: Daemon, network: str) -> str:
    return daemon.docker.ok("network", "inspect", "-f", "{{(index .IPAM.Config 1).Gateway}}", network)


def test_networks_are_apart(machine: Daemon) -> None:
    assert not _pings(machine, "dual1", _address(machine, "fixed1"))


def test_host_forwards_ipv6(machine: Daemon) -> None:
    assert machine.host.run("cat", "/proc/sys/net/ipv6/conf/all/forwarding").stdout.strip() == "1"


def test_container_that_refuses_ipv6_gets_none(machine: Daemon) -> None:
    words = ("run", "--rm", "--net", "dual", "--sysctl", "net.ipv6.conf.all.disable_ipv6=1", "busybox")

    shown = machine.docker.ok(*words, "sh", "-c", "ip -6 address; cat /etc/hosts")

    assert "inet6" not in shown
    assert "::1" not in shown
    assert "ip6-localnet" not in shown


def test_chosen_address_is_kept(machine: Daemon) -> None:
    machine.docker.ok(
        "run",
        "-d",
        "--name",
        "chosen",
        "--net",
        "fixed",
        "--ip6",
        "fd12:3456::77",
        "busybox",
        "sleep",
        "1000",
    )

    taken = machine.docker("run", "--rm", "--net", "fixed", "--ip6", "fd12:3456::77", "busybox", "true")

    assert _pings(machine, "fixed1", "fd12:3456::77")
    assert "Address already in use: fd12:3456::77 is held by container chosen" in taken.err


def test_inspect_says_which_families_there_are(machine: Daemon) -> None:
    shown = machine.docker.ok("network", "inspect", "-f", "{{.EnableIPv4}} {{.EnableIPv6}}", "six", "dual")

    assert shown.split("\n") == ["false true", "true true"]


def test_kernel_is_as_intended(machine: Daemon) -> None:
    assert plan(machine) == []
