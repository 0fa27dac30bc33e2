"""The daemon's networking parameters, each on a daemon and with containers of its own."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.support import nameserver
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon, DaemonFailed
from tests.support.oracle import available, oracle
from tests.support.testhost import OUTSIDE_ADDRESS, UPLINK_ADDRESS, Host
from tests.support.wait import until

pytestmark = pytest.mark.host

_FIRST_VISITOR = """
import socket, sys
server = socket.create_server((sys.argv[1], 7000))
server.settimeout(20)
print("listening", flush=True)
print(server.accept()[1][0], flush=True)
"""
ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
MTU = "cat /sys/class/net/eth0/mtu"


@contextmanager
def running(host: Host, *flags: str) -> Iterator[Daemon]:
    with bridgehead(host, *flags) as daemon:
        daemon.import_image()
        yield daemon


def refusal(host: Host, *flags: str) -> str:
    with pytest.raises(DaemonFailed) as failed:
        bridgehead(host, *flags).start()
    return str(failed.value)


def once(daemon: Daemon, command: str, *options: str) -> str:
    return daemon.docker.ok("run", "--rm", *options, "busybox", "sh", "-c", command)


def sleeper(daemon: Daemon, name: str, *options: str) -> str:
    """A container that stays, and its address."""
    daemon.docker.ok("run", "-d", "--name", name, *options, "busybox", "sleep", "1000")
    return daemon.docker.ok("inspect", "-f", ADDRESS, name)


def addresses(host: Host, link: str) -> list[str]:
    return [
        f"{item['local']}/{item['prefixlen']}"
        for item in host.json("ip", "-json", "address", "show", link)[0]["addr_info"]
        if item["scope"] == "global"
    ]


@contextmanager
def visitors(outside: Host) -> Iterator[IO[str]]:
    """A line with the address of whoever connects to port 7000 out there."""
    listener = outside.popen(
        [sys.executable, "-c", _FIRST_VISITOR, OUTSIDE_ADDRESS], stdout=subprocess.PIPE, text=True
    )
    assert listener.stdout is not None
    with listener.stdout as seen:
        assert seen.readline() == "listening\n"
        yield seen


def brctl(host: Host) -> None:
    """The manual's own two commands, with a machine that has them."""
    host.run("busybox", "brctl", "addbr", "br0")
    host.run("busybox", "ifconfig", "br0", "188.18.0.1")


def test_bip_gives_docker0_its_address_and_containers_its_subnet(host: Host) -> None:
    with running(host, "--bip=192.168.100.1/24") as daemon:
        shown = once(daemon, "ip -o -4 address show eth0; ip route")

    assert addresses(host, "docker0") == ["192.168.100.1/24"]
    assert "inet 192.168.100.2/24" in shown
    assert "default via 192.168.100.1 dev eth0" in shown


def test_bip_does_not_change_a_docker0_that_is_there(host: Host) -> None:
    with bridgehead(host):
        pass

    words = refusal(host, "--bip=192.168.100.1/24")

    assert "172.17.0.1/16 of docker0 does not match requested configuration 192.168.100.1/24" in words
    assert addresses(host, "docker0") == ["172.17.0.1/16"]
    host.run("ip", "link", "delete", "docker0")
    with bridgehead(host, "--bip=192.168.100.1/24"):
        assert addresses(host, "docker0") == ["192.168.100.1/24"]
    with bridgehead(host, "--bip=192.168.100.1/24"):
        assert addresses(host, "docker0") == ["192.168.100.1/24"]


def test_somebodys_docker0_with_the_address_of_bip_is_used_and_stays(host: Host) -> None:
    host.run("ip", "link", "add", "docker0", "type", "bridge")
    host.run("ip", "address", "add", "10.9.0.1/24", "dev", "docker0")

    with running(host, "--bip=10.9.0.1/24") as daemon:
        assert "inet 10.9.0.2/24" in once(daemon, "ip -o -4 address show eth0; ping -c 1 -W 1 10.9.0.1")

    with bridgehead(host, "--bridge=none"):
        assert addresses(host, "docker0") == ["10.9.0.1/24"]


@pytest.mark.skipif(not available(), reason="no dockerd here: run script/bootstrap --oracle")
def test_a_dockerd_keeps_its_docker0(host: Host) -> None:
    other = oracle(host)
    other.argv = [word.replace("api.sock", "docker.sock").replace("/data", "/docker") for word in other.argv]
    other.socket = host.folder / "docker.sock"
    with other:
        assert "docker0 is used by dockerd (process " in refusal(host)

        with bridgehead(host, "--bridge=none") as daemon:
            assert daemon.docker.ok("network", "ls", "--format={{.Name}}").split() == ["host", "none"]


def test_fixed_cidr_of_the_manual_is_the_containers_range(host: Host) -> None:
    with running(host, "--fixed-cidr=172.17.1.1/24") as daemon:
        found = [sleeper(daemon, name) for name in ("one", "two")]
        reached = daemon.docker("exec", "one", "ping", "-c", "1", "-W", "1", found[1])

    assert found == ["172.17.1.1", "172.17.1.2"]
    assert addresses(host, "docker0") == ["172.17.0.1/16"]
    assert reached.code == 0


def test_fixed_cidr_outside_of_the_subnet_is_refused(host: Host) -> None:
    assert "10.5.0.0/24 is outside of 172.17.0.0/16" in refusal(host, "--fixed-cidr=10.5.0.0/24")


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


def test_a_bridge_of_the_users_is_used_and_left_as_it_was(host: Host) -> None:
    nameserver.start(host)
    brctl(host)

    with running(host, "--bridge=br0") as daemon:
        found = [sleeper(daemon, name) for name in ("one", "two")]
        for target in (found[1], "188.18.0.1", OUTSIDE_ADDRESS):
            daemon.docker.ok("exec", "one", "ping", "-c", "1", "-W", "1", target)
        daemon.docker.ok("rm", "-f", "one", "two")
        links = [link["ifname"] for link in host.json("ip", "-json", "link")]

    assert found == ["188.18.0.2", "188.18.0.3"]
    assert "docker0" not in links
    with bridgehead(host, "--bridge=none"):
        assert addresses(host, "br0") == ["188.18.0.1/16"]


def test_a_bare_bridge_gets_an_address_and_is_brought_up(host: Host) -> None:
    host.run("ip", "link", "add", "br0", "type", "bridge")

    with running(host, "-b", "br0") as daemon:
        once(daemon, "ping -c 1 -W 1 172.17.0.1")

    assert addresses(host, "br0") == ["172.17.0.1/16"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--bridge=br9"], "bridge device with non default name br9 must be created manually"),
        (["--bridge=lo"], "existing interface lo is not a bridge"),
        (["-b", "br0", "--bip=10.0.0.1/24"], "You specified -b & --bip, mutually exclusive options"),
        (["--icc=false", "--iptables=false"], "Please set --icc or --iptables to true"),
    ],
)
def test_what_cannot_be_is_refused_in_dockerds_words(host: Host, flags: list[str], words: str) -> None:
    assert words in refusal(host, *flags)


def test_without_a_default_network_containers_have_a_loopback(host: Host) -> None:
    with running(host, "--bridge=none") as daemon:
        links = once(daemon, "ip -o link | wc -l; ping -c 1 -W 1 127.0.0.1 >/dev/null && echo alive")
        names = daemon.docker.ok("network", "ls", "--format", "{{.Name}}").split()
        named = once(daemon, "ip -o link | wc -l", "--net", "bridge")
        daemon.docker.ok("network", "create", "own")
        own = once(daemon, "ip -o link | wc -l", "--net", "own")

    assert links.split() == ["1", "alive"]
    assert names == ["host", "none"]
    assert (named, own) == ("1", "2")


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
        shown = once(daemon, "ip -o -6 address show eth0; ping -6 -c 1 -W 2 fd00:1::1")

    assert "inet6 fd00:1::2/64" in shown
    assert host.run("cat", "/proc/sys/net/ipv6/conf/all/forwarding").stdout == "1\n"
    assert "default via fe80::" in host.run("ip", "-6", "route").stdout


def test_under_containers_the_default_network_stays_and_says_so(host: Host) -> None:
    brctl(host)
    with running(host) as daemon:
        sleeper(daemon, "stays")

    with bridgehead(host, "--bridge=br0") as daemon:
        daemon.docker.ok("exec", "stays", "ping", "-c", "1", "-W", "1", "172.17.0.1")
        assert "it is on docker0, not br0; it has 172.17.0.1/16, not 188.18.0.1/16" in daemon.log()
        daemon.docker.ok("rm", "-f", "stays")
        identifier = daemon.docker.ok("network", "inspect", "-f", "{{.Id}}", "bridge")

    with bridgehead(host, "--bridge=br0") as daemon:
        assert "188.18.0.0/16" in daemon.docker.ok("network", "inspect", "bridge")
        assert daemon.docker.ok("network", "inspect", "-f", "{{.Id}}", "bridge") == identifier
        assert "docker0" not in host.run("ip", "link").stdout


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
