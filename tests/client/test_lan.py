"""macvlan networks through the real docker client: a wire with a machine at its other end."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client import sandboxes
from tests.client.lan import LAN, create, endpoint, inside, lan_daemon, pings, refused, run
from tests.support import guest, nameserver
from tests.support.bridgehead import plan
from tests.support.daemon import Daemon
from tests.support.testhost import OUTSIDE_ADDRESS, UPLINK_ADDRESS
from tests.support.wait import until

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def machine() -> Iterator[Daemon]:
    with lan_daemon("lan") as daemon:
        yield daemon


@pytest.fixture
def daemon(machine: Daemon) -> Iterator[Daemon]:
    yield machine
    machine.docker.remove_all()


def hairpin(daemon: Daemon, state: str) -> None:
    daemon.host.outside().run("bridge", "link", "set", "dev", "uplink", "hairpin", state)


def test_containers_are_machines_of_the_lan(daemon: Daemon) -> None:
    create(daemon, "lan", *LAN)
    run(daemon, "one", "lan", "--ip", "198.51.100.50", "--mac-address", "02:00:00:00:00:50")
    run(daemon, "two", "lan", "--network-alias", "second")

    assert pings(daemon, "one", OUTSIDE_ADDRESS)
    assert pings(daemon, "one", "two")
    assert pings(daemon, "one", "second")
    assert daemon.host.outside().run("ping", "-c1", "-W2", "198.51.100.50").returncode == 0
    assert not pings(daemon, "one", UPLINK_ADDRESS), "the kernel keeps the host and its endpoints apart"
    assert daemon.host.run("ping", "-c1", "-W1", "198.51.100.50", check=False).returncode == 1
    assert "default via 198.51.100.1 dev eth0" in inside(daemon, "one", "ip", "route")
    assert "02:00:00:00:00:50" in inside(daemon, "one", "ip", "link", "show", "eth0")
    assert endpoint(daemon, "one", "lan")["MacAddress"] == "02:00:00:00:00:50"
    assert plan(daemon) == []


def test_the_host_joins_the_lan_as_the_manual_says(daemon: Daemon) -> None:
    create(daemon, "lan", *LAN, "--aux-address", "shim=198.51.100.254")
    run(daemon, "one", "lan")
    for line in (
        "ip link add shim link uplink type macvlan mode bridge",
        "ip address add 198.51.100.254/32 dev shim",
        "ip link set shim up",
        "ip route add 198.51.100.128/25 dev shim",
    ):
        daemon.host.run(*line.split())
    try:
        address = endpoint(daemon, "one", "lan")["IPAddress"]
        assert daemon.host.run("ping", "-c1", "-W2", address).returncode == 0
        assert pings(daemon, "one", "198.51.100.254")
        assert plan(daemon) == []
    finally:
        daemon.host.run("ip", "link", "del", "shim")


def test_private_endpoints_do_not_reach_each_other(daemon: Daemon) -> None:
    create(daemon, "lan", *LAN, "-o", "macvlan_mode=private")
    run(daemon, "one", "lan")
    run(daemon, "two", "lan")
    hairpin(daemon, "on")
    try:
        assert not pings(daemon, "one", endpoint(daemon, "two", "lan")["IPAddress"])
    finally:
        hairpin(daemon, "off")
    assert pings(daemon, "one", OUTSIDE_ADDRESS)


def test_vepa_endpoints_need_a_switch_that_sends_back(daemon: Daemon) -> None:
    create(daemon, "lan", *LAN, "-o", "macvlan_mode=vepa")
    run(daemon, "one", "lan")
    run(daemon, "two", "lan")
    address = endpoint(daemon, "two", "lan")["IPAddress"]

    assert not pings(daemon, "one", address)
    hairpin(daemon, "on")
    try:
        until(lambda: pings(daemon, "one", address), "the way over the switch")
    finally:
        hairpin(daemon, "off")


def test_passthru_gives_the_parent_to_one(daemon: Daemon) -> None:
    create(daemon, "whole", *LAN, "-o", "macvlan_mode=passthru")
    run(daemon, "one", "whole")

    refusal = refused(daemon, "run", "--name", "two", "--net", "whole", "busybox", "true")

    assert "passes its parent interface uplink through to one container alone, and one has it" in refusal
    assert pings(daemon, "one", OUTSIDE_ADDRESS)
    [uplink] = daemon.host.json("ip", "-j", "link", "show", "uplink")
    assert uplink["address"] in inside(daemon, "one", "ip", "link", "show", "eth0")
    assert plan(daemon) == []
    daemon.docker.ok("rm", "-f", "one")
    daemon.docker.ok("rm", "-f", "two")
    run(daemon, "two", "whole")


def test_internal_networks_lead_nowhere_and_reserve_no_gateway(daemon: Daemon) -> None:
    create(daemon, "inner", "--internal", "--subnet", "10.9.0.0/31")
    run(daemon, "one", "inner")
    run(daemon, "two", "inner")

    assert pings(daemon, "one", "two")
    assert "default" not in inside(daemon, "one", "ip", "route")
    assert endpoint(daemon, "one", "inner")["IPAddress"] == "10.9.0.0"


def test_an_address_that_changes_hands_is_told_to_the_lan(daemon: Daemon) -> None:
    create(daemon, "lan", *LAN)
    outside = daemon.host.outside()
    for name in ("one", "two"):
        run(daemon, name, "lan", "--ip", "198.51.100.70")
        assert outside.run("ping", "-c1", "-W1", "198.51.100.70").returncode == 0, name
        daemon.docker.ok("rm", "-f", name)


def test_a_network_of_ipv6_alone(daemon: Daemon) -> None:
    create(daemon, "six", "--ipv4=false", "--ipv6", "--subnet", "2001:db8::/64", "--gateway", "2001:db8::1")
    run(daemon, "one", "six")

    assert pings(daemon, "one", "2001:db8::1")
    assert "inet " not in inside(daemon, "one", "ip", "address", "show", "eth0")


def test_outside_names_are_asked_for_only_where_the_network_leads_outside(daemon: Daemon) -> None:
    create(daemon, "lan", *LAN)
    create(daemon, "inner", "--internal", "--subnet", "10.9.0.0/24")
    for network in ("lan", "inner"):
        run(daemon, f"on-{network}", network)

    known = ("nslookup", "-type=a", nameserver.KNOWN_NAME)
    assert nameserver.KNOWN_ADDRESS in inside(daemon, "on-lan", *known)
    assert daemon.docker("exec", "on-inner", *known).code != 0


def test_several_subnets_each_with_its_gateway(daemon: Daemon) -> None:
    create(
        daemon,
        "wide",
        *("--subnet", "10.10.1.0/24", "--gateway", "10.10.1.254"),
        *("--subnet", "10.10.2.0/24", "--gateway", "10.10.2.254", "--aux-address", "nas=10.10.2.1"),
        *("--ipv6", "--subnet", "2001:db8:1::/64", "--subnet", "2001:db8:2::/64"),
    )
    run(daemon, "first", "wide")
    run(daemon, "second", "wide", "--ip", "10.10.2.9", "--ip6", "2001:db8:2::9")

    # The docker command line sends several subnets in an order of its own, and the first one counts.
    (shown,) = json.loads(daemon.docker.ok("network", "inspect", "wide"))
    first = next(item["Gateway"] for item in shown["IPAM"]["Config"] if ":" not in item["Subnet"])
    assert f"default via {first}" in inside(daemon, "first", "ip", "route")
    assert "default via 10.10.2.254" in inside(daemon, "second", "ip", "route")
    assert "default via 2001:db8:2::1 " in inside(daemon, "second", "ip", "-6", "route")
    assert "10.10.2.1 is auxiliary address nas" in refused(
        daemon, "run", "--net", "wide", "--ip", "10.10.2.1", "busybox", "true"
    )


def test_an_address_of_the_hosts_own_that_containers_may_be_given_is_named(daemon: Daemon) -> None:
    config = {"Config": [{"Subnet": "198.51.100.0/24", "Gateway": OUTSIDE_ADDRESS}]}
    body = {"Name": "lan", "Driver": "macvlan", "Options": {"parent": "uplink"}, "IPAM": config}

    status, answer = daemon.call("POST", "/networks/create", body)

    assert status == 201
    assert f"containers may be given {UPLINK_ADDRESS}, which is the address" in answer["Warning"]


def test_ipv6_reaches_the_lan(daemon: Daemon) -> None:
    create(daemon, "six", *LAN, "--ipv6", "--subnet", "2001:db8::/64", "--gateway", "2001:db8::1")
    run(daemon, "one", "six")
    run(daemon, "two", "six")

    assert pings(daemon, "one", "2001:db8::1")
    assert pings(daemon, "one", endpoint(daemon, "two", "six")["GlobalIPv6Address"])


def test_without_ipam_the_container_sees_to_its_address(daemon: Daemon) -> None:
    create(daemon, "bare", "--ipam-driver", "null")
    run(daemon, "one", "bare", "--cap-add", "NET_ADMIN")

    assert endpoint(daemon, "one", "bare")["IPAddress"] == ""
    assert daemon.docker.ok("network", "inspect", "-f", "{{json .IPAM.Config}}", "bare") == (
        '[{"Subnet":"0.0.0.0/0"}]'
    )
    assert "inet " not in inside(daemon, "one", "ip", "addr", "show", "eth0")
    inside(daemon, "one", "ip", "addr", "add", "198.51.100.77/24", "dev", "eth0")
    assert pings(daemon, "one", OUTSIDE_ADDRESS)
    assert "ipv4 pool is empty" in refused(daemon, "network", "create", "--ipam-driver", "null", "x")


def test_live_connect_beside_a_bridge_network_and_the_way_out(daemon: Daemon) -> None:
    daemon.docker.ok("network", "create", "backend")
    create(daemon, "a-lan", *LAN)
    run(daemon, "one", "backend")
    gateway = inside(daemon, "one", "ip", "route", "show", "default")

    daemon.docker.ok(
        *("network", "connect", "--driver-opt", "com.docker.network.endpoint.ifname=lan0"),
        *("--driver-opt", "com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1"),
        *("a-lan", "one"),
    )
    assert "default via 198.51.100.1 dev lan0" in inside(daemon, "one", "ip", "route")
    assert inside(daemon, "one", "cat", "/proc/sys/net/ipv4/conf/lan0/log_martians") == "1"
    assert plan(daemon) == []
    daemon.docker.ok("network", "disconnect", "a-lan", "one")

    assert gateway == inside(daemon, "one", "ip", "route", "show", "default")
    assert "lan0" not in inside(daemon, "one", "ip", "link")


def test_published_ports_have_no_effect(daemon: Daemon) -> None:
    create(daemon, "lan", *LAN)

    run(daemon, "one", "lan", "-p", "8080:80")

    assert daemon.docker.ok("port", "one") == ""
    assert "8080" not in daemon.host.run("ss", "-ltn").stdout


def test_a_namespace_of_somebody_elses_joins_the_lan_and_leaves_it_clean(daemon: Daemon) -> None:
    create(daemon, "lan", *LAN)
    path = sandboxes.add(daemon, "visitor", "--network", "lan")

    assert guest.run(daemon.host, path, "ping", "-c1", "-W2", OUTSIDE_ADDRESS)
    assert guest.resolved(daemon.host, path, nameserver.KNOWN_NAME.rstrip(".")) == [nameserver.KNOWN_ADDRESS]
    assert plan(daemon) == []
    sandboxes.bridgehead(daemon, "sandbox", "rm", "visitor")

    assert "eth0" not in guest.links(daemon.host, path)
    daemon.host.run("ip", "netns", "del", "visitor")


def test_the_common_recipe_of_a_configuration(daemon: Daemon) -> None:
    daemon.docker.ok("network", "create", "--config-only", "-o", "parent=uplink", *LAN, "recipe")
    daemon.docker.ok("network", "create", "-d", "macvlan", "--config-from", "recipe", "made")

    run(daemon, "one", "made")

    assert pings(daemon, "one", OUTSIDE_ADDRESS)
    assert daemon.docker.ok("network", "inspect", "-f", "{{.Options.parent}}", "made") == "uplink"
    daemon.docker.ok("rm", "-f", "one")
    daemon.docker.ok("network", "rm", "made")


def test_info_and_listing_name_the_drivers(daemon: Daemon) -> None:
    create(daemon, "lan", *LAN)

    drivers = json.loads(daemon.docker.ok("info", "-f", "{{json .Plugins.Network}}"))

    assert {"bridge", "host", "ipvlan", "macvlan", "null"} <= set(drivers)
    assert daemon.docker.ok("network", "ls", "--filter", "driver=macvlan", "--format", "{{.Name}}") == "lan"


def test_an_endpoint_somebody_deleted_comes_back(daemon: Daemon) -> None:
    create(daemon, "lan", *LAN)
    run(daemon, "one", "lan", "--cap-add", "NET_ADMIN")
    until(lambda: pings(daemon, "one", OUTSIDE_ADDRESS), "a first answer")

    inside(daemon, "one", "ip", "link", "del", "eth0")

    until(lambda: pings(daemon, "one", OUTSIDE_ADDRESS), "the interface", 10)
    assert plan(daemon) == []


def test_a_parent_that_goes_is_told_and_what_stood_on_it_returns_with_it(daemon: Daemon) -> None:
    daemon.host.run("ip", "link", "add", "eth9", "type", "veth", "peer", "name", "far9")
    daemon.host.run("ip", "link", "set", "far9", "up")
    create(daemon, "nine", "--subnet", "10.90.0.0/24", parent="eth9")
    run(daemon, "one", "nine")
    run(daemon, "two", "nine")
    run(daemon, "three", "nine")
    assert pings(daemon, "one", "two")

    daemon.host.run("ip", "link", "del", "eth9")

    until(lambda: "parent interface eth9 is gone" in Path(daemon.log_path).read_text(), "a word about it")
    daemon.docker.ok("rm", "-f", "three")
    assert "parent interface eth9 is not there" in refused(
        daemon, "run", "--name", "late", "--net", "nine", "busybox", "true"
    )
    daemon.host.run("ip", "link", "add", "eth9", "type", "veth", "peer", "name", "far9")
    daemon.host.run("ip", "link", "set", "far9", "up")
    until(lambda: pings(daemon, "one", "two"), "the interfaces", 5)
    told = ("events", "--since", "1m", "--until", "0s", "--filter", "network=nine", "--format", "{{.Action}}")
    until(lambda: {"parent-gone", "repair"} <= set(daemon.docker.ok(*told).split()), "events of both", 10)
    daemon.docker.ok("rm", "-f", "one", "two", "late")
    daemon.docker.ok("network", "rm", "nine")
    daemon.host.run("ip", "link", "del", "eth9")


def test_containers_do_not_notice_that_the_daemon_dies(daemon: Daemon) -> None:
    create(daemon, "lan", *LAN)
    run(daemon, "one", "lan", "--ip", "198.51.100.60")
    run(daemon, "two", "lan")
    index = inside(daemon, "one", "cat", "/sys/class/net/eth0/ifindex")

    daemon.kill()
    assert daemon.host.outside().run("ping", "-c1", "-W2", "198.51.100.60").returncode == 0
    daemon.start()

    assert plan(daemon) == []
    assert index == inside(daemon, "one", "cat", "/sys/class/net/eth0/ifindex")
    assert pings(daemon, "one", "two")
