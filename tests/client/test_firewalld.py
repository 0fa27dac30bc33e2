"""Beside a real firewalld in its default configuration: what passes passes, and what must not does not."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.client.test_publishing import _ECHO, BACKENDS, Machine
from tests.support.bridgehead import bridgehead, plan
from tests.support.firewalld import MISSING, Firewalld
from tests.support.testhost import OUTSIDE_ADDRESS, UPLINK_ADDRESS, Host
from tests.support.wait import until

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING} (Debian: firewalld, dbus)"),
]
SERVICE = 90  # a port that somebody listens on outside, and somebody else on the host


@pytest.fixture(scope="module", params=BACKENDS)
def shared(request: pytest.FixtureRequest) -> Iterator[tuple[Machine, Firewalld]]:
    with Host(f"firewalld-{request.param}") as host:
        host.outside()
        with Firewalld(host) as firewalld, bridgehead(host, f"--firewall-backend={request.param}") as daemon:
            daemon.import_image()
            machine = Machine(daemon)
            populate(machine)
            for place in (host, host.outside()):
                listen(place)
            yield machine, firewalld


def populate(machine: Machine) -> None:
    for network in ("lan", "far"):
        machine.docker.ok("network", "create", network)
    machine.docker.ok("network", "create", "--internal", "closed")
    machine.run("web", "--net", "lan", "-p", "8080:80", "-p", "127.0.0.1:8081:80")
    machine.run("peer", "--net", "lan")
    machine.run("other", "--net", "far")
    machine.run("shut", "--net", "closed")
    machine.run("plain")
    machine.serve("web")


def listen(host: Host) -> None:
    server = host.popen(
        [sys.executable, "-c", _ECHO, "tcp", "0.0.0.0", str(SERVICE)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    with server.stdout:
        assert server.stdout.readline() == "ready\n"


def everybody_reaches_whom_they_may(machine: Machine) -> None:
    web = machine.address("web")
    assert machine.ask(OUTSIDE_ADDRESS, SERVICE, inside="plain") == UPLINK_ADDRESS
    assert machine.ask(OUTSIDE_ADDRESS, SERVICE, inside="peer") == UPLINK_ADDRESS
    assert machine.ask(web, 80, inside="peer") == machine.address("peer")
    assert machine.ask(web, 80) != "-"
    assert machine.ask_from_outside(UPLINK_ADDRESS, 8080) == OUTSIDE_ADDRESS
    assert machine.ask("127.0.0.1", 8081) != "-"
    assert machine.ask(UPLINK_ADDRESS, 8080, inside="other") == machine.address("other")
    assert machine.ask(UPLINK_ADDRESS, 8080, inside="web") != "-"
    assert machine.ask(UPLINK_ADDRESS, SERVICE, inside="peer") == machine.address("peer")
    assert machine.docker.ok("exec", "peer", "nslookup", "web.") != ""

    assert machine.ask(web, 80, inside="other") == "-"
    assert machine.ask(OUTSIDE_ADDRESS, SERVICE, inside="shut") == "-"
    assert machine.ask_from_outside(UPLINK_ADDRESS, SERVICE) == "-", "firewalld protects the host no longer"


def goes_out(machine: Machine) -> bool:
    return machine.ask(OUTSIDE_ADDRESS, SERVICE, inside="plain") != "-"


def driver(machine: Machine) -> str:
    return str(machine.daemon.call("GET", "/info")[1]["FirewallBackend"]["Driver"])


def test_everybody_reaches_whom_they_may(shared: tuple[Machine, Firewalld]) -> None:
    machine, _ = shared

    everybody_reaches_whom_they_may(machine)


@pytest.mark.parametrize("reload", ["--reload", "--complete-reload"])
def test_a_reload_cuts_nobody_off_for_long(shared: tuple[Machine, Firewalld], reload: str) -> None:
    machine, firewalld = shared
    bridges = firewalld.members("trusted")

    firewalld.tell(reload)

    until(lambda: firewalld.members("trusted") == bridges, "the bridges are back in their zone")
    until(lambda: goes_out(machine), "the way out")
    everybody_reaches_whom_they_may(machine)


def test_a_network_takes_its_membership_along(shared: tuple[Machine, Firewalld]) -> None:
    machine, firewalld = shared
    before = firewalld.members("trusted")

    bridge = f"br-{machine.docker.ok('network', 'create', 'passing')[:12]}"
    during = firewalld.members("trusted")
    machine.docker.ok("network", "rm", "passing")

    assert during - before == {bridge}
    assert firewalld.members("trusted") == before


def test_a_new_daemon_finds_nothing_to_do(shared: tuple[Machine, Firewalld]) -> None:
    machine, _ = shared

    assert plan(machine.daemon) == []


@pytest.fixture
def machine(host: Host) -> Iterator[Machine]:
    """Our daemon on a host where firewalld does not run yet."""
    host.outside()
    listen(host.outside())
    with bridgehead(host, "--firewall-backend=iptables") as daemon:
        daemon.import_image()
        machine = Machine(daemon)
        machine.run("plain")
        yield machine


def test_one_that_comes_goes_and_comes_again(machine: Machine) -> None:
    firewalld = Firewalld(machine.host)

    for _ in range(2):
        firewalld.start()
        until(lambda: firewalld.members("trusted") == {"docker0"}, "docker0 in its zone")
        assert goes_out(machine)
        assert driver(machine) == "iptables+firewalld"

        firewalld.stop()  # it flushes iptables, ours with the rest
        until(lambda: goes_out(machine), "the way out, without it")
        machine.docker.ok("network", "create", "meanwhile")
        machine.docker.ok("network", "rm", "meanwhile")


def test_the_zone_that_dockerd_made_is_taken(machine: Machine) -> None:
    with Firewalld(machine.host, with_docker_zone=True) as firewalld:
        until(lambda: firewalld.members("docker") == {"docker0"}, "docker0 in its zone")

        assert firewalld.members("trusted") == set()
        assert goes_out(machine)


def test_with_the_policy_that_dockerd_made_routed_networks_are_reached(machine: Machine) -> None:
    options = ("-o", "com.docker.network.bridge.gateway_mode_ipv4=routed", "--subnet", "10.77.0.0/24")
    machine.docker.ok("network", "create", *options, "routed")
    machine.run("web", "--net", "routed", "-p", "80")
    for port in (80, 81):
        machine.serve("web", port=port)
    machine.host.outside().run("ip", "route", "add", "10.77.0.0/24", "via", UPLINK_ADDRESS)

    with Firewalld(machine.host, with_docker_zone=True) as firewalld:
        until(lambda: len(firewalld.members("docker")) == 2, "both bridges in their zone")

        assert machine.ask_from_outside(machine.address("web"), 80) == OUTSIDE_ADDRESS
        assert machine.ask_from_outside(machine.address("web"), 81) == "-"


def test_a_zone_that_the_user_chose_stays(machine: Machine) -> None:
    with Firewalld(machine.host) as firewalld:
        firewalld.tell("--zone=internal", "--change-interface=lan0")

        options = ("-o", "com.docker.network.bridge.name=lan0")
        machine.docker.ok("network", "create", *options, "lan")
        during = firewalld.members("internal")
        machine.docker.ok("network", "rm", "lan")

        assert during == {"lan0"}
        assert firewalld.members("internal") == {"lan0"}
        assert firewalld.members("trusted") == {"docker0"}


def test_members_that_are_not_ours_are_left_alone(machine: Machine) -> None:
    with Firewalld(machine.host) as firewalld:
        firewalld.tell("--zone=trusted", "--add-interface=wg0")
        until(lambda: "docker0" in firewalld.members("trusted"), "docker0 in its zone")

        machine.daemon.restart()

        assert firewalld.members("trusted") == {"docker0", "wg0"}


def test_a_silent_firewalld_holds_up_nobody_for_ever(machine: Machine) -> None:
    with Firewalld(machine.host) as firewalld:
        until(lambda: firewalld.members("trusted") == {"docker0"}, "docker0 in its zone")

        firewalld.freeze()
        refused = machine.docker("network", "create", "lan")
        firewalld.thaw()

        assert refused.code != 0
        assert "FirewallD" in refused.err
        machine.docker.ok("network", "create", "lan")
