"""The daemon's networking parameters, each on a daemon and with containers of its own."""

import signal
import sys
from pathlib import Path

import pytest

from tests.client.starting import MTU, once, running, sleeper, visitors
from tests.support.bridgehead import bridgehead, plan
from tests.support.testhost import OUTSIDE_ADDRESS, UPLINK_ADDRESS, Host
from tests.support.wait import until

pytestmark = pytest.mark.host


def test_mtu_reaches_docker0_and_containers_but_not_other_networks(host: Host) -> None:
    with running(host, "--mtu=1400") as daemon:
        daemon.docker.ok("network", "create", "other")
        sleeper(daemon, "stays")
        found = [
            daemon.docker.ok("exec", "stays", "sh", "-c", MTU),
            host.run("cat", "/sys/class/net/docker0/mtu").stdout.strip(),
            once(daemon, MTU, "--net", "other"),
        ]

    assert found == ["1400", "1400", "1500"]


def test_without_mtu_it_follows_the_uplink(host: Host) -> None:
    host.outside()
    host.run("ip", "link", "set", "uplink", "mtu", "1280")

    with running(host) as daemon:
        daemon.docker.ok("network", "create", "other")
        found = [once(daemon, MTU), once(daemon, MTU, "--net", "other")]

    assert found == ["1280", "1280"]


def test_a_default_gateway_elsewhere_is_the_containers_way_out(host: Host) -> None:
    with running(host, "--default-gateway=172.17.0.254") as daemon:
        route = once(daemon, "ip route")
        sleeper(daemon, "stays")
        shown = daemon.docker.ok(
            "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}", "stays"
        )

    assert "default via 172.17.0.254 dev eth0" in route
    assert shown == "172.17.0.254"


def test_without_icc_containers_on_docker0_do_not_talk(host: Host) -> None:
    with running(host, "--icc=false") as daemon:
        other = sleeper(daemon, "other")
        once(daemon, "ping -c 1 -W 1 172.17.0.1")
        sleeper(daemon, "one")
        refused = daemon.docker("exec", "one", "ping", "-c", "1", "-W", "1", other)

    assert refused.code == 1


@pytest.mark.parametrize(
    ("flags", "seen_as"), [([], UPLINK_ADDRESS), (["--ip-masq=false"], "172.17.0.2")], ids=["on", "off"]
)
def test_masquerading_hides_containers_unless_switched_off(
    host: Host, flags: list[str], seen_as: str
) -> None:
    outside = host.outside()
    outside.run("ip", "route", "add", "172.17.0.0/16", "via", UPLINK_ADDRESS)

    with running(host, *flags) as daemon, visitors(outside) as seen:
        once(daemon, f"echo | nc -w 2 {OUTSIDE_ADDRESS} 7000")

        assert seen.readline() == f"{seen_as}\n"


def test_forwarding_is_left_alone_when_told_so(host: Host) -> None:
    host.run("sysctl", "-q", "net.ipv4.ip_forward=0")
    with bridgehead(host, "--ip-forward=false") as daemon:
        status, info = daemon.call("GET", "/info")
        assert (status, info["IPv4Forwarding"], info["Warnings"]) == (
            200,
            False,
            ["WARNING: IPv4 forwarding is disabled"],
        )

    with bridgehead(host) as daemon:
        info = daemon.call("GET", "/info")[1]
        assert (info["IPv4Forwarding"], info["Warnings"]) == (True, None)


@pytest.mark.parametrize("backend", ["iptables", "nftables"])
def test_no_rule_is_made_or_left_when_told_so(host: Host, backend: str) -> None:
    with bridgehead(host, f"--firewall-backend={backend}"):
        assert "docker0" in host.run("nft", "list", "ruleset").stdout

    with running(host, "--iptables=false") as daemon:
        once(daemon, "true")
        rules = host.run("nft", "list", "ruleset").stdout
        info = daemon.call("GET", "/info")[1]

    assert "docker0" not in rules
    assert "bridgehead" not in rules
    assert info["FirewallBackend"]["Driver"] == "none"


def test_without_the_proxy_only_ports_that_rules_can_lead_in_are_shown(host: Host) -> None:
    with running(host) as daemon:
        daemon.docker.ok("network", "create", "--ipv6", "both")
        published = ("run", "-d", "-p", "8080:80", "--name")
        daemon.docker.ok(*published, "web", "busybox", "sleep", "1000")
        shown = [daemon.docker.ok("port", "web").splitlines()]

        daemon.stop()
        with bridgehead(host, "--userland-proxy=false") as other:
            shown.append(other.docker.ok("port", "web").splitlines())
            listed = other.docker.ok("ps", "--format", "{{.Ports}}")
            other.docker.ok("network", "connect", "both", "web")
            shown.append(other.docker.ok("port", "web").splitlines())

    by_rules, by_hand = "80/tcp -> 0.0.0.0:8080", "80/tcp -> [::]:8080"
    assert shown == [[by_rules, by_hand], [by_rules], [by_rules, by_hand]]
    assert listed == "0.0.0.0:8080->80/tcp"


def test_name_servers_are_for_containers_without_their_own(host: Host) -> None:
    flags = ("--dns=192.0.2.1", "--dns", "192.0.2.2", "--dns-search=corp.test", "--dns-opt=timeout:1")
    with running(host, *flags) as daemon:
        daemon.docker.ok("network", "create", "own")
        default = once(daemon, "cat /etc/resolv.conf")
        mixed = once(daemon, "cat /etc/resolv.conf", "--dns=192.0.2.9")
        embedded = once(daemon, "cat /etc/resolv.conf", "--net", "own")

    assert default.splitlines() == [
        "search corp.test",
        "nameserver 192.0.2.1",
        "nameserver 192.0.2.2",
        "options timeout:1",
    ]
    assert mixed.splitlines() == ["search corp.test", "nameserver 192.0.2.9", "options timeout:1"]
    assert "search corp.test\nnameserver 127.0.0.11\noptions timeout:1" in embedded


def test_own_pools_feed_docker0_and_new_networks(host: Host) -> None:
    with running(host, "--default-address-pool", "base=10.64.0.0/16,size=24") as daemon:
        daemon.docker.ok("network", "create", "own")
        found = [once(daemon, "hostname -i"), once(daemon, "hostname -i", "--net", "own")]
        info = daemon.call("GET", "/info")[1]

    assert found == ["10.64.0.2", "10.64.1.2"]
    assert info["DefaultAddressPools"][0] == {"Base": "10.64.0.0/16", "Size": 24}


def test_new_networks_take_the_default_options_they_do_not_give(host: Host) -> None:
    option = "com.docker.network.driver.mtu"
    with running(host, "--default-network-opt", f"bridge={option}=1300") as daemon:
        daemon.docker.ok("network", "create", "plain")
        daemon.docker.ok("network", "create", "-o", f"{option}=1200", "chosen")
        found = [once(daemon, MTU, "--net", name) for name in ("plain", "chosen", "bridge")]
        shown = daemon.docker.ok("network", "inspect", "-f", "{{json .Options}}", "plain")

    assert found == ["1300", "1200", "1500"]
    assert shown == f'{{"{option}":"1300"}}'


def test_host_gateway_is_what_it_was_said_to_be(host: Host) -> None:
    with running(host, "--host-gateway-ip=192.0.2.77") as daemon:
        hosts = once(daemon, "cat /etc/hosts", "--add-host", "outer:host-gateway")

    assert "192.0.2.77\touter" in hosts


def test_ipv6_on_docker0_leaves_the_hosts_own_way_out(host: Host) -> None:
    outside = host.outside()
    root = Path(__file__).parents[2]

    def advertised() -> bool:
        outside.run(
            "env", f"PYTHONPATH={root}", sys.executable, "-m", "tests.support.router", "uplink", check=False
        )
        return "proto ra" in host.run("ip", "-6", "route").stdout

    until(advertised, "an advertised route", limit_s=10)

    with running(host, "--ipv6", "--fixed-cidr-v6=fd00:1::/64") as daemon:
        assert plan(daemon) == []
        shown = once(daemon, "ip -o -6 address show eth0; ping -6 -c 1 -W 2 fd00:1::1")

    assert "inet6 fd00:1::2/64" in shown
    assert host.run("cat", "/proc/sys/net/ipv6/conf/all/forwarding").stdout == "1\n"
    assert "default via fe80::" in host.run("ip", "-6", "route").stdout


def test_a_hangup_takes_over_what_it_can(host: Host) -> None:
    file = host.folder / "daemon.json"
    file.write_text('{"dns": ["192.0.2.1"], "labels": ["floor=one"]}')
    with running(host, "--config-file", str(file)) as daemon:
        sleeper(daemon, "stays")
        pid = daemon.pid
        file.write_text(
            '{"dns": ["192.0.2.2"], "labels": ["floor=two"], "debug": true, "icc": false,'
            ' "default-address-pools": [{"base": "10.64.0.0/16", "size": 24}]}'
        )
        host.kill(pid, signal.SIGHUP)
        until(lambda: daemon.call("GET", "/info")[1]["Labels"] == ["floor=two"], "the new label")
        until(lambda: "192.0.2.2" in daemon.docker.ok("exec", "stays", "cat", "/etc/resolv.conf"), "new dns")
        daemon.docker.ok("network", "create", "own")
        subnet = daemon.docker.ok("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", "own")
        file.write_text("{")
        host.kill(pid, signal.SIGHUP)
        until(lambda: "nothing reloaded" in daemon.log(), "a line about the broken file")
        events = daemon.docker.ok(
            "events", "--since=1", "--until=-1s", "--filter=type=daemon", "--format=json"
        )
        info = daemon.call("GET", "/info")[1]
        icc = daemon.docker.ok("network", "inspect", "bridge")

    assert info["Debug"] is True
    assert subnet == "10.64.0.0/24"
    assert '"com.docker.network.bridge.enable_icc": "true"' in icc
    assert "only after a restart: --icc" in daemon.log()
    (event,) = events.splitlines()
    assert '"Action":"reload"' in event
    assert '"labels":"[floor=two]"' in event


def test_info_names_the_runtime_that_runs(host: Host) -> None:
    with running(host, "--label=a=b", "--userland-proxy=false", "--firewall-backend=nftables") as daemon:
        sleeper(daemon, "stays")
        info = daemon.call("GET", "/info")[1]
        conmon = next(words for words in host.processes().values() if "conmon" in words)

    assert f"/{info['DefaultRuntime']} " in conmon
    assert info["Runtimes"] == {info["DefaultRuntime"]: {"path": info["DefaultRuntime"]}}
    assert info["FirewallBackend"] == {"Driver": "nftables", "Info": [["EnableUserlandProxy", "false"]]}
    assert info["Labels"] == ["a=b"]
