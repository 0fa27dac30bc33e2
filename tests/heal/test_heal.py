"""Others damage what is ours, on a real kernel and a real daemon: it is back before anybody asks for it."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.bridgehead import RECIPE, bridgehead, plan
from tests.support.daemon import Daemon
from tests.support.testhost import Host
from tests.support.wait import until

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def healing(daemon: Daemon) -> Iterator[Daemon]:
    """A network, and a container on it and on the default bridge."""
    docker = daemon.docker
    docker.ok(
        "network", "create", "--subnet", "10.99.0.0/24", "-o", "com.docker.network.bridge.name=ward", "w"
    )
    docker.ok("run", "-d", "--name", "patient", "busybox", "sleep", "100000")
    docker.ok("network", "connect", "w", "patient")
    yield daemon
    docker.ok("rm", "-f", "patient")
    docker.ok("network", "rm", "w")


def _log(daemon: Daemon) -> list[str]:
    return Path(daemon.log_path).read_text(errors="replace").splitlines()


def _repairs(daemon: Daemon) -> list[str]:
    return [line for line in _log(daemon) if "vigil: repaired" in line]


def _ports(host: Host, bridge: str) -> list[str]:
    return sorted(link["ifname"] for link in host.json("ip", "-j", "link", "show", "master", bridge))


def _shown(host: Host) -> dict[str, Any]:
    """What somebody else would see of this host, without what changes by itself."""
    links = {
        link["ifname"]: (link["mtu"], "UP" in link["flags"], link.get("master"))
        for link in host.json("ip", "-j", "link")
    }
    routes = sorted(json.dumps(route) for route in host.json("ip", "-j", "route"))
    addresses = {
        link["ifname"]: sorted(item["local"] for item in link["addr_info"] if item["family"] == "inet")
        for link in host.json("ip", "-j", "address")
    }
    macs = {
        link["ifname"]: link["address"] for link in host.json("ip", "-j", "link", "show", "type", "bridge")
    }
    # In whatever order: chains come as they were made.
    rules = sorted(host.run("nft", "--stateless", "list", "ruleset").stdout.splitlines())
    return {"macs": macs, "links": links, "routes": routes, "addresses": addresses, "rules": rules}


def _events(daemon: Daemon, *filters: str) -> list[dict[str, Any]]:
    """Up to the last full second: the client cuts off the rest."""
    words = [word for item in filters for word in ("--filter", item)]
    told = daemon.docker.ok("events", "--since", "10m", "--until", "0s", "--format", "{{json .}}", *words)
    return [json.loads(line) for line in told.splitlines()]


DAMAGES = [
    "nft flush ruleset",
    "iptables -F",
    "iptables -t nat -F",
    "iptables -t nat -D PREROUTING 1",
    "ip address del 172.17.0.1/16 dev docker0",
    "ip address flush dev ward",
    "ip link del docker0",
    "ip link del ward",
    "ip link set ward name stolen",
    "ip link set docker0 down",
    "ip link set ward mtu 1300",
    "ip link set ward address 02:42:00:00:00:99",
    "ip link set PORT nomaster",
    "ip link set PORT down",
    "ip link set PORT mtu 1300",
    "ip link del PORT",
    "ip route del 172.17.0.0/16",
    "ip route del 10.99.0.0/24",
    "sysctl -w net.ipv4.ip_forward=0",
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_repaired_told_and_logged_once(healing: Daemon, damage: str) -> None:
    host = healing.host
    before, told, events = _shown(host), len(_repairs(healing)), len(_events(healing, "event=repair"))
    words = damage.replace("PORT", (_ports(host, "ward") or ["-"])[0])

    host.run(*words.split())

    until(lambda: _repairs(healing)[told:], "a repair")
    until(lambda: _shown(host) == before, "everything as before", limit_s=5)
    assert plan(healing) == []
    assert healing.docker.ok("exec", "patient", "ping", "-c1", "-W5", "10.99.0.1")
    assert len(_repairs(healing)) == told + 1
    until(lambda: len(_events(healing, "event=repair")) > events, "the event")


def test_the_event_names_the_network_and_what_was_repaired(healing: Daemon) -> None:
    before = len(_events(healing, "event=repair", "network=w"))

    healing.host.run("ip", "link", "set", "ward", "down")

    until(lambda: len(_events(healing, "event=repair", "network=w")) > before, "the event")

    event = _events(healing, "event=repair", "network=w")[-1]
    assert event["Type"] == "network"
    assert event["Actor"]["Attributes"]["name"] == "w"
    assert "bridge ward" in event["Actor"]["Attributes"]["repaired"]


def test_what_belongs_to_no_network_is_an_event_of_the_daemon(healing: Daemon) -> None:
    before = len(_events(healing, "event=repair", "type=daemon"))

    healing.host.run("iptables", "-t", "nat", "-D", "PREROUTING", "1")

    until(lambda: len(_events(healing, "event=repair", "type=daemon")) > before, "the event")
    event = _events(healing, "event=repair", "type=daemon")[-1]
    assert "PREROUTING" in event["Actor"]["Attributes"]["repaired"]
    assert event["Actor"]["Attributes"]["by"].startswith("iptables (pid ")


def test_what_is_not_ours_is_left_as_others_leave_it(healing: Daemon) -> None:
    host = healing.host
    for words in (
        "ip link add guest type bridge",
        "ip address add 192.0.2.1/24 dev guest",
        "nft add table inet guest",
        "nft add chain inet guest forward { type filter hook forward priority 0 ; policy accept ; }",
        "ip link set guest down",
        "ip route add blackhole 192.0.2.128/25",
    ):
        host.run(*words.split())
    before, told = _shown(host), len(_repairs(healing))

    host.run("ip", "link", "set", "docker0", "down")

    until(lambda: _repairs(healing)[told:], "a repair")
    until(lambda: _shown(host) == before, "all as before", limit_s=5)
    for words in (
        "ip link del guest",
        "nft delete table inet guest",
        "ip route del blackhole 192.0.2.128/25",
    ):
        host.run(*words.split())


def test_a_route_into_a_network_is_told_and_left_alone(healing: Daemon) -> None:
    host = healing.host
    for words in ("ip link add vpn type bridge", "ip link set vpn up", "ip route add 10.99.0.128/25 dev vpn"):
        host.run(*words.split())

    until(lambda: _events(healing, "event=overlap", "network=w"), "the event")

    attributes = _events(healing, "event=overlap", "network=w")[-1]["Actor"]["Attributes"]
    assert attributes["route"] == "10.99.0.128/25 dev vpn"
    assert attributes["subnet"] == "10.99.0.0/24"
    assert any("10.99.0.128/25 dev vpn overlaps" in line for line in _log(healing))
    assert "10.99.0.128/25" in host.run("ip", "route").stdout
    host.run("ip", "link", "del", "vpn")


def test_a_route_that_came_later_is_avoided_by_the_next_network(healing: Daemon) -> None:
    host = healing.host
    healing.docker.ok("network", "create", "probe")
    (found,) = json.loads(healing.docker.ok("network", "inspect", "probe"))
    subnet = found["IPAM"]["Config"][0]["Subnet"]
    healing.docker.ok("network", "rm", "probe")
    for words in ("ip link add vpn type bridge", "ip link set vpn up", f"ip route add {subnet} dev vpn"):
        host.run(*words.split())

    def avoided() -> bool:
        healing.docker.ok("network", "create", "probe")
        (found,) = json.loads(healing.docker.ok("network", "inspect", "probe"))
        healing.docker.ok("network", "rm", "probe")
        return bool(found["IPAM"]["Config"][0]["Subnet"] != subnet)

    until(avoided, "another subnet")
    host.run("ip", "link", "del", "vpn")


def _wakings(daemon: Daemon) -> int:
    status = (daemon.host.root / f"proc/{daemon.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("voluntary")).split()[1])


def test_ordinary_life_is_no_reason_to_look_at_the_host(host: Host) -> None:
    with bridgehead(host, "-D") as daemon:
        daemon.import_image()
        looks = _looks(daemon)

        _live(daemon)
        _in_parallel(8, lambda number: _live(daemon, str(number)))

        # The last word is a damage, so that whatever was heard before it has been judged.
        host.run("ip", "link", "set", "docker0", "down")
        until(lambda: _repairs(daemon), "the repair")
        assert _looks(daemon) == looks + 1
        assert len(_repairs(daemon)) == 1


def test_a_daemon_at_rest_sleeps(healing: Daemon) -> None:
    """But for one look a second at the host's name servers."""

    def still() -> bool:
        before = _wakings(healing)
        threading.Event().wait(1.0)
        return _wakings(healing) <= before + 2

    until(still, "a second of sleep")


def _looks(daemon: Daemon) -> int:
    return sum("looking at the " in line for line in _log(daemon))


def _live(daemon: Daemon, suffix: str = "") -> None:
    docker, network, container = daemon.docker, f"net{suffix}", f"box{suffix}"
    docker.ok("network", "create", network)
    docker.ok("run", "-d", "--name", container, "busybox", "sleep", "100")
    docker.ok("network", "connect", network, container)
    docker.ok("network", "disconnect", "bridge", container)
    docker.ok("restart", "-t", "0", container)
    docker.ok("kill", container)
    docker.ok("rm", "-f", container)
    docker.ok("network", "rm", network)


def _in_parallel(count: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_our_own_table_cannot_be_taken_away_and_needs_no_repair(host: Host) -> None:
    with bridgehead(host, "--firewall-backend=nftables") as daemon:
        before = _shown(host)

        for words in (
            "nft flush ruleset",
            "nft delete table inet bridgehead",
            "nft flush table inet bridgehead",
        ):
            host.run(*words.split(), check=False)

        assert _shown(host) == before
        host.run("ip", "link", "set", "docker0", "down")
        until(lambda: _repairs(daemon), "the repair")
        assert len(_repairs(daemon)) == 1


@pytest.mark.parametrize("damage", ["iptables-legacy -F", "iptables-legacy -t nat -F DOCKER"])
def test_rules_of_iptables_legacy_are_repaired_too(host: Host, damage: str) -> None:
    """The kernel announces nothing of them."""
    programs = host.folder / "programs"
    programs.mkdir()
    (programs / "iptables").symlink_to("/usr/sbin/xtables-legacy-multi")
    environment = {**RECIPE.environment, "PATH": f"{programs}:{os.environ['PATH']}"}
    with Daemon(host, replace(RECIPE, environment=environment), "--firewall-backend=iptables") as daemon:
        daemon.import_image()
        daemon.docker.ok("run", "-d", "--name", "web", "-p", "8080:80", "busybox", "sleep", "1000")
        before = host.run("iptables-legacy-save").stdout.count("\n-A ")

        host.run(*damage.split())

        until(lambda: _repairs(daemon), "a repair", 5)
        until(lambda: host.run("iptables-legacy-save").stdout.count("\n-A ") == before, "every rule", 5)
        assert "--dport 8080 -j DNAT" in host.run("iptables-legacy-save").stdout


def test_a_war_is_fought_ever_more_slowly_and_names_the_opponent(host: Host) -> None:
    with bridgehead(host) as daemon:
        loop = "while sleep 0.05; do iptables -F FORWARD; done"
        opponent = host.popen(["sh", "-c", loop])
        try:
            until(
                lambda: any("again and again by iptables (pid" in line for line in _log(daemon)), "a warning"
            )
        finally:
            host.kill(next(pid for pid, words in host.processes().items() if words.startswith("sh -c while")))
            opponent.wait(5)

        host.run("iptables", "-F")
        until(lambda: plan(daemon) == [], "peace", limit_s=30, pause_s=0.5)
        assert len(_repairs(daemon)) < 15
