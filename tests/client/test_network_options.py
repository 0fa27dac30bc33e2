"""Networks with options, and networks beside what the host itself uses, on the real kernel."""

import ipaddress
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.bridgehead import bridgehead, plan
from tests.support.daemon import Daemon
from tests.support.testhost import Host

pytestmark = pytest.mark.host

PREFIX = "com.docker.network."


@pytest.fixture(scope="module")
def machine() -> Iterator[Daemon]:
    with Host("options") as host:
        host.outside()
        with bridgehead(host) as daemon:
            daemon.import_image()
            yield daemon


@pytest.fixture
def daemon(machine: Daemon) -> Iterator[Daemon]:
    yield machine
    machine.docker.remove_all()


def _create(daemon: Daemon, **wishes: Any) -> tuple[int, dict[str, str]]:
    status, answer = daemon.call("POST", "/networks/create", {"Name": "made", **wishes})
    return status, answer


def _subnet(daemon: Daemon, network: str) -> str:
    return daemon.docker.ok("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", network)


def _bridge_addresses(daemon: Daemon, bridge: str) -> list[str]:
    [link] = daemon.host.json("ip", "-j", "address", "show", "dev", bridge)
    return [one["local"] for one in link["addr_info"] if one["scope"] == "global"]


def _pair(daemon: Daemon, network: str) -> str:
    """Two containers on it; the second one's address."""
    for name in ("one", "two"):
        daemon.docker.ok("run", "-d", "--name", name, "--net", network, "busybox", "sleep", "1000")
    return daemon.docker.ok(
        "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", "two"
    )


def _pings(daemon: Daemon, target: str) -> bool:
    return daemon.docker("exec", "one", "ping", "-c", "1", "-W", "1", target).code == 0


def test_a_pool_never_overlaps_a_route_that_appeared_later(daemon: Daemon) -> None:
    daemon.host.run("ip", "route", "add", "172.18.0.0/15", "via", "198.51.100.1")
    try:
        daemon.docker.ok("network", "create", "beside")

        assert _subnet(daemon, "beside") == "172.20.0.0/16"
    finally:
        daemon.host.run("ip", "route", "del", "172.18.0.0/15")


def test_a_chosen_subnet_over_a_route_is_made_with_a_warning(daemon: Daemon) -> None:
    daemon.host.run("ip", "route", "add", "10.66.0.0/16", "via", "198.51.100.1")
    try:
        status, answer = _create(daemon, IPAM={"Config": [{"Subnet": "10.66.7.0/24"}]})
    finally:
        daemon.host.run("ip", "route", "del", "10.66.0.0/16")

    assert status == 201
    assert (
        "subnet 10.66.7.0/24 overlaps the route 10.66.0.0/16 via 198.51.100.1 dev uplink" in answer["Warning"]
    )


def test_more_networks_than_docker_has_pools(daemon: Daemon) -> None:
    for number in range(35):
        status, answer = daemon.call("POST", "/networks/create", {"Name": f"n{number}"})
        assert status == 201, answer

    blocks = [ipaddress.ip_network(_subnet(daemon, f"n{number}")) for number in range(35)]
    assert str(blocks[-1]) == "10.128.4.0/24"


def test_any_free_block_of_a_size(daemon: Daemon) -> None:
    status, _ = _create(daemon, IPAM={"Config": [{"Subnet": "0.0.0.0/27"}]})

    assert status == 201
    assert _subnet(daemon, "made").endswith("/27")


def test_isolated_network_joins_its_containers_and_nobody_else(daemon: Daemon) -> None:
    mode = {f"{PREFIX}bridge.gateway_mode_ipv4": "isolated", f"{PREFIX}bridge.name": "sealed0"}
    status, _ = _create(daemon, Internal=True, Options=mode)

    other = _pair(daemon, "made")

    assert status == 201
    assert _pings(daemon, other)
    assert _bridge_addresses(daemon, "sealed0") == []
    assert daemon.host.run("ping", "-c", "1", "-W", "1", other, check=False).returncode != 0
    assert plan(daemon) == []


def test_bridge_without_an_address_still_names_the_gateway(daemon: Daemon) -> None:
    wanted = {f"{PREFIX}bridge.inhibit_ipv4": "true", f"{PREFIX}bridge.name": "bare0"}
    _create(daemon, Options=wanted, IPAM={"Config": [{"Subnet": "10.67.0.0/24", "Gateway": "10.67.0.254"}]})

    _pair(daemon, "made")

    assert _bridge_addresses(daemon, "bare0") == []
    assert "default via 10.67.0.254" in daemon.docker.ok("exec", "one", "ip", "route")


def test_interfaces_are_called_as_the_network_says(daemon: Daemon) -> None:
    _create(daemon, Options={f"{PREFIX}container_iface_prefix": "lan", f"{PREFIX}driver.mtu": "1400"})

    _pair(daemon, "made")

    assert "lan0" in daemon.docker.ok("exec", "one", "ls", "/sys/class/net").split()
    assert daemon.docker.ok("exec", "one", "cat", "/sys/class/net/lan0/mtu") == "1400"


def test_an_address_may_be_chosen_on_any_user_network(daemon: Daemon) -> None:
    daemon.docker.ok("network", "create", "made")
    wanted = str(ipaddress.ip_network(_subnet(daemon, "made")).network_address + 77)

    daemon.docker.ok(
        "run", "-d", "--name", "one", "--net", "made", "--ip", wanted, "busybox", "sleep", "1000"
    )

    assert wanted in daemon.docker.ok("exec", "one", "ip", "-o", "-4", "address")


def test_a_static_address_of_a_stopped_container_is_kept(daemon: Daemon) -> None:
    daemon.docker.ok("network", "create", "--subnet", "10.68.0.0/24", "made")
    daemon.docker.ok(
        "create", "--name", "keeper", "--net", "made", "--ip", "10.68.0.2", "busybox", "sleep", "9"
    )

    _pair(daemon, "made")
    refused = daemon.docker("run", "--rm", "--net", "made", "--ip", "10.68.0.2", "busybox", "true")

    assert "Address already in use: 10.68.0.2 is reserved for container keeper" in refused.err
    daemon.docker.ok("start", "keeper")
    assert "10.68.0.2/24" in daemon.docker.ok("exec", "keeper", "ip", "-o", "-4", "address")


@pytest.mark.parametrize(
    ("wishes", "status", "sentence"),
    [
        ({"Options": {f"{PREFIX}bridge.gateway_mode_ipv4": "x"}}, 400, "unknown gateway mode x"),
        (
            {"Options": {f"{PREFIX}bridge.gateway_mode_ipv6": "isolated"}},
            400,
            "gateway mode 'isolated' can only be used for an internal network",
        ),
        (
            {"Options": {f"{PREFIX}enable_ipv6": "x"}},
            400,
            f'driver-opt "{PREFIX}enable_ipv6" is not a valid bool',
        ),
        ({"EnableIPv4": False}, 400, "IPv4 or IPv6 must be enabled"),
        ({"IPAM": {"Driver": "null"}}, 400, "ipv4 pool is empty"),
        ({"IPAM": {"Config": [{"Subnet": "0.0.0.0/3"}]}}, 400, "no /3 is free"),
        (
            {"EnableIPv6": True, "IPAM": {"Config": [{"Subnet": "fd01::/64"}, {"Subnet": "fd02::/64"}]}},
            403,
            "bridge driver doesn't support multiple subnets",
        ),
    ],
)
def test_an_impossible_network_is_refused(
    daemon: Daemon, wishes: dict[str, Any], status: int, sentence: str
) -> None:
    answer = _create(daemon, **wishes)

    assert answer[0] == status
    assert sentence in answer[1]["message"]
    assert "made" not in daemon.docker.ok("network", "ls", "--format", "{{.Name}}").split()
