"""macvlan networks through the real docker client: a wire with a machine at its other end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import nameserver
from tests.support.bridgehead import bridgehead, plan
from tests.support.census import links
from tests.support.daemon import Daemon
from tests.support.testhost import OUTSIDE_ADDRESS, UPLINK_ADDRESS, Host
from tests.support.wait import until

pytestmark = pytest.mark.host

LAN = ("--subnet", "198.51.100.0/24", "--gateway", OUTSIDE_ADDRESS, "--ip-range", "198.51.100.128/25")


@pytest.fixture(scope="module")
def machine() -> Iterator[Daemon]:
    with Host("lan") as host:
        outside = host.outside()
        # A switch stands between: it sends a frame back where it came from only where a test says so.
        outside.run("ip", "address", "flush", "dev", "uplink")
        outside.run("ip", "link", "add", "switch", "type", "bridge")
        outside.run("ip", "link", "set", "uplink", "master", "switch")
        outside.run("ip", "address", "add", f"{OUTSIDE_ADDRESS}/24", "dev", "switch")
        outside.run("ip", "-6", "address", "add", "2001:db8::1/64", "dev", "switch", "nodad")
        outside.run("ip", "link", "set", "switch", "up")
        nameserver.start(host)
        with bridgehead(host) as daemon:
            daemon.import_image()
            yield daemon


@pytest.fixture
def daemon(machine: Daemon) -> Iterator[Daemon]:
    yield machine
    if names := machine.docker.ok("ps", "-aq").split():
        machine.docker.ok("rm", "-f", *names)
    machine.docker.ok("network", "prune", "-f")
    for name in machine.docker.ok("network", "ls", "-q", "--filter", "type=custom").split():
        machine.docker.ok("network", "rm", name)


def create(daemon: Daemon, name: str, *words: str, parent: str = "uplink", driver: str = "macvlan") -> str:
    given = ("-o", f"parent={parent}") if parent else ()
    return daemon.docker.ok("network", "create", "-d", driver, *given, *words, name)


def run(daemon: Daemon, name: str, network: str, *words: str) -> str:
    return daemon.docker.ok("run", "-d", "--name", name, "--net", network, *words, "busybox", "sleep", "1000")


def pings(daemon: Daemon, container: str, target: str) -> bool:
    return daemon.docker("exec", container, "ping", "-c", "1", "-W", "1", target).code == 0


def inside(daemon: Daemon, container: str, *words: str) -> str:
    return daemon.docker.ok("exec", container, *words)


def refused(daemon: Daemon, *words: str) -> str:
    answer = daemon.docker(*words)
    assert answer.code != 0, answer
    return answer.err


def endpoint(daemon: Daemon, container: str, network: str) -> dict[str, Any]:
    told = daemon.docker.ok("inspect", "-f", "{{json .NetworkSettings.Networks}}", container)
    found: dict[str, Any] = json.loads(told)[network]
    return found


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


def test_macvlan_networks_share_a_parent_unless_one_takes_it_whole(daemon: Daemon) -> None:
    first = create(daemon, "first", "--subnet", "10.1.0.0/24")
    create(daemon, "second", "--subnet", "10.2.0.0/24", "-o", "macvlan_mode=private")

    sharing = (
        "network",
        "create",
        "-d",
        "macvlan",
        "-o",
        "parent=uplink",
        "-o",
        "macvlan_mode=passthru",
        "x",
    )
    assert (
        f"cannot use mode passthru, macvlan network {first} is already using parent interface uplink "
        "(network first)" in refused(daemon, *sharing)
    )
    daemon.docker.ok("network", "rm", "first", "second")
    whole = create(daemon, "whole", "-o", "macvlan_mode=passthru")
    sharing = ("network", "create", "-d", "macvlan", "-o", "parent=uplink", "x")
    assert f"macvlan network {whole} is already using parent interface uplink in mode passthru" in refused(
        daemon, *sharing
    )


REFUSALS = {
    "missing": ("nosuch0", (), "invalid subinterface vlan name nosuch0, example formatting is eth0.10"),
    "loopback": ("lo", (), "loopback interface is not a valid macvlan parent link"),
    "long": ("averyverylongname", (), "at most 15 letters"),
    "vlan 0": ("uplink.0", (), "vlan id must be between 1-4094, received: 0"),
    "vlan 4095": ("uplink.4095", (), "vlan id must be between 1-4094, received: 4095"),
    "vlan x": ("uplink.x", (), "unable to parse a valid vlan id from: x (ex. eth0.10 for vlan 10)"),
    "no base": ("eth7.10", (), "parent interface eth7 was not found on the host"),
    "mode": (
        "uplink",
        ("-o", "macvlan_mode=l2"),
        "requested macvlan mode 'l2' is not valid, 'bridge' mode is the macvlan driver default",
    ),
    "mtu": ("uplink", ("-o", "com.docker.network.driver.mtu=9000"), "takes 1500 at the most"),
    "subnet": ("uplink", ("--subnet", "172.17.5.0/24"), "Pool overlaps with other one on this address space"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_is_refused_before_anything_changes(daemon: Daemon, case: str) -> None:
    parent, words, sentence = REFUSALS[case]
    before = links(daemon.host)

    refusal = refused(
        daemon, "network", "create", "-d", "macvlan", "-o", f"parent={parent}", *words, "refused"
    )

    assert sentence in refusal
    assert before == links(daemon.host)
    assert plan(daemon) == []


def test_a_port_of_a_bridge_is_no_parent(daemon: Daemon) -> None:
    run(daemon, "one", "bridge")
    port = next(name for name in links(daemon.host) if name.startswith("veth"))

    refusal = refused(daemon, "network", "create", "-d", "macvlan", "-o", f"parent={port}", "refused")

    assert f"{port} cannot be a parent interface: it is a port of docker0" in refusal


@pytest.mark.parametrize(
    ("driver", "words", "option"),
    [
        ("ipvlan", ("-o", "parent=uplink"), "CONFIG_IPVLAN"),
        ("macvlan", (), "CONFIG_DUMMY"),
        ("macvlan", ("-o", "parent=uplink.50"), "CONFIG_VLAN_8021Q"),
    ],
)
def test_what_this_kernel_lacks_is_named(
    daemon: Daemon, driver: str, words: tuple[str, ...], option: str
) -> None:
    answer = daemon.docker("network", "create", "-d", driver, *words, "wished")

    if answer.code == 0:
        pytest.skip(f"this kernel has {option}")
    assert f"needs {option}, built in or as a module" in answer.err
    assert "wished" not in daemon.docker.ok("network", "ls")


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

    assert "default via 10.10.1.254" in inside(daemon, "first", "ip", "route")
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
    assert pings(daemon, "one", "two")

    daemon.host.run("ip", "link", "del", "eth9")

    until(lambda: "parent interface eth9 is gone" in Path(daemon.log_path).read_text(), "a word about it")
    assert "parent interface eth9 is not there" in refused(
        daemon, "run", "--name", "late", "--net", "nine", "busybox", "true"
    )
    daemon.host.run("ip", "link", "add", "eth9", "type", "veth", "peer", "name", "far9")
    daemon.host.run("ip", "link", "set", "far9", "up")
    until(lambda: pings(daemon, "one", "two"), "the interfaces", 5)
    events = daemon.docker.ok(
        "events", "--since", "1m", "--until", "0s", "--filter", "network=nine", "--format", "{{.Action}}"
    )
    assert "parent-gone" in events.split()
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
