"""What stands inside a container: interface names, kernel settings, link-local addresses, and the way out."""

from collections.abc import Iterator

import pytest

from tests.support.bridgehead import bridgehead, plan
from tests.support.daemon import Daemon
from tests.support.testhost import Host

pytestmark = pytest.mark.host

IFNAME = "driver-opt=com.docker.network.endpoint.ifname"
SYSCTLS = "driver-opt=com.docker.network.endpoint.sysctls"


@pytest.fixture(scope="module")
def machine() -> Iterator[Daemon]:
    """Our daemon, and networks `alpha`, `beta` and the internal `inner`."""
    with Host("interfaces") as host, bridgehead(host) as daemon:
        daemon.import_image()
        daemon.docker.ok("network", "create", "alpha")
        daemon.docker.ok("network", "create", "beta")
        daemon.docker.ok("network", "create", "--internal", "inner")
        yield daemon


@pytest.fixture
def docker(machine: Daemon) -> Iterator[Daemon]:
    yield machine
    machine.docker.remove_containers()


def _run(daemon: Daemon, name: str, *options: str) -> None:
    daemon.docker.ok("run", "-d", "--name", name, *options, "busybox", "sleep", "1000")


def _links(daemon: Daemon, name: str) -> set[str]:
    return set(daemon.docker.ok("exec", name, "ls", "/sys/class/net").split()) - {"lo"}


def _default_route(daemon: Daemon, name: str) -> str:
    return daemon.docker.ok("exec", name, "sh", "-c", "ip route | grep default || true")


def _gateway(daemon: Daemon, network: str) -> str:
    return daemon.docker.ok("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", network)


def test_interface_has_the_name_its_user_chose(docker: Daemon) -> None:
    _run(docker, "c1", "--network", f"name=alpha,{IFNAME}=wan0", "--network", "beta")

    assert {"wan0", "eth0"} == _links(docker, "c1")
    shown = "{{index .NetworkSettings.Networks.alpha.DriverOpts `com.docker.network.endpoint.ifname`}}"
    assert docker.docker.ok("inspect", "-f", shown, "c1") == "wan0"


def test_chosen_name_that_looks_like_ours_is_left_to_its_chooser(docker: Daemon) -> None:
    _run(docker, "c1", "--network", "alpha", "--network", f"name=beta,{IFNAME}=eth0")

    where = docker.docker.ok("exec", "c1", "ip", "-o", "-4", "address")

    assert {"eth0", "eth1"} == _links(docker, "c1")
    assert _subnet_start(docker, "beta") in next(line for line in where.splitlines() if "eth0" in line)


def _subnet_start(daemon: Daemon, network: str) -> str:
    return _gateway(daemon, network).rpartition(".")[0]


def test_chosen_name_in_use_is_refused_with_its_holder(docker: Daemon) -> None:
    _run(docker, "c1", "--network", f"name=alpha,{IFNAME}=wan0")

    answer = docker.docker(
        "network", "connect", "--driver-opt", "com.docker.network.endpoint.ifname=wan0", "beta", "c1"
    )

    assert answer.code == 1
    assert "interface name wan0 of container c1 is already in use for network alpha" in answer.err
    assert {"wan0"} == _links(docker, "c1")


@pytest.mark.parametrize("name", ["", "with/slash", "sixteen-letters-", "lo"])
def test_impossible_interface_name_is_refused(docker: Daemon, name: str) -> None:
    answer = docker.docker("run", "--rm", "--network", f"name=alpha,{IFNAME}={name}", "busybox", "true")

    assert (answer.code == 0) is (name == ""), answer


def test_settings_of_one_interface_reach_it_alone(docker: Daemon) -> None:
    setting = "net.ipv4.conf.IFNAME.log_martians=1"
    _run(docker, "c1", "--network", f"name=beta,{SYSCTLS}={setting}", "--network", "alpha")

    values = docker.docker.ok(
        "exec", "c1", "sh", "-c", "cat /proc/sys/net/ipv4/conf/eth[01]/log_martians"
    ).split()

    assert values == ["0", "1"]
    assert plan(docker) == []


def test_setting_that_is_not_there_fails_the_start(docker: Daemon) -> None:
    answer = docker.docker(
        "run",
        "--name",
        "c1",
        "--network",
        f"name=beta,{SYSCTLS}=net.ipv4.conf.IFNAME.nonsense=1",
        "busybox",
        "true",
    )

    assert answer.code != 0
    assert "cannot set net.ipv4.conf.IFNAME.nonsense=1 on eth0: No such file or directory" in answer.err


def test_setting_of_another_kind_is_refused_in_dockers_words(docker: Daemon) -> None:
    answer = docker.docker(
        "run",
        "--rm",
        "--network",
        f"name=beta,{SYSCTLS}=net.ipv4.conf.eth0.log_martians=1",
        "busybox",
        "true",
    )

    assert answer.code != 0
    assert "unrecognised network interface sysctl 'net.ipv4.conf.eth0.log_martians=1'" in answer.err


def test_containers_own_setting_of_eth0_goes_to_its_main_interface(docker: Daemon) -> None:
    _run(docker, "c1", "--sysctl", "net.ipv4.conf.eth0.log_martians=1", "--network", "alpha")

    assert docker.docker.ok("exec", "c1", "cat", "/proc/sys/net/ipv4/conf/eth0/log_martians") == "1"


def test_link_local_addresses_stand_beside_the_own_one(docker: Daemon) -> None:
    _run(docker, "c1", "--network", "alpha", "--link-local-ip", "169.254.7.7", "--link-local-ip", "fe80::77")

    addresses = docker.docker.ok("exec", "c1", "ip", "-o", "address", "show", "eth0")

    assert "169.254.7.7/16" in addresses
    assert "fe80::77/64" in addresses


def test_address_that_is_not_link_local_is_refused(docker: Daemon) -> None:
    answer = docker.docker(
        "run", "--rm", "--network", "alpha", "--link-local-ip", "10.1.1.1", "busybox", "true"
    )

    assert answer.code != 0
    assert "invalid link-local IP address: 10.1.1.1" in answer.err


def test_way_out_moves_as_networks_come_and_go(docker: Daemon) -> None:
    _run(docker, "c1", "--network", "inner")
    assert _default_route(docker, "c1") == ""

    docker.docker.ok("network", "connect", "beta", "c1")
    assert _gateway(docker, "beta") in _default_route(docker, "c1")

    docker.docker.ok("network", "connect", "alpha", "c1")
    assert _gateway(docker, "alpha") in _default_route(docker, "c1")

    docker.docker.ok("network", "disconnect", "alpha", "c1")
    assert _gateway(docker, "beta") in _default_route(docker, "c1")

    docker.docker.ok("network", "disconnect", "beta", "c1")
    assert _default_route(docker, "c1") == ""


def test_priority_chooses_the_way_out(docker: Daemon) -> None:
    _run(docker, "c1", "--network", "alpha", "--network", "name=beta,gw-priority=5")

    assert _gateway(docker, "beta") in _default_route(docker, "c1")
    assert docker.docker.ok("inspect", "-f", "{{.NetworkSettings.Networks.beta.GwPriority}}", "c1") == "5"

    docker.docker.ok("network", "connect", "--gw-priority", "9", "bridge", "c1")
    assert _gateway(docker, "bridge") in _default_route(docker, "c1")
