"""Published ports on a real kernel, through the real docker command line, on both firewall backends."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.testhost import OUTSIDE_ADDRESS, UPLINK_ADDRESS, Host
from tests.support.wait import until

pytestmark = pytest.mark.host

ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
BACKENDS = ("nftables", "iptables")
# Answers each visitor with the address it sees: "echo PROTOCOL ADDRESS PORT".
_ECHO = """
import socket, sys
protocol, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
if protocol == "udp":
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((address, port))
    print("ready", flush=True)
    while True:
        _, peer = server.recvfrom(100)
        server.sendto(peer[0].encode(), peer)
server = socket.create_server((address, port), family=family)
print("ready", flush=True)
while True:
    connection, peer = server.accept()
    connection.sendall(peer[0].encode())
    connection.close()
"""
_ASK = """
import socket, sys
protocol, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
family = socket.AF_INET6 if ":" in address else socket.AF_INET
client = socket.socket(family, kind)
client.settimeout(1)
try:
    client.connect((address, port))
    if protocol == "udp":
        client.send(b"?")
    print(client.recv(100).decode(), end="")
except OSError as error:
    print("-", end="")
"""


class Machine:
    """A daemon, with servers in its containers' networks and clients wherever they are wanted."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon, self.docker, self.host = daemon, daemon.docker, daemon.host

    def run(self, name: str, *options: str) -> None:
        self.docker.ok("run", "-d", "--name", name, *options, "busybox", "sleep", "1000")

    def pid(self, name: str) -> str:
        return self.docker.ok("inspect", "-f", "{{.State.Pid}}", name)

    def address(self, name: str) -> str:
        return self.docker.ok("inspect", "-f", ADDRESS, name)

    def serve(self, name: str, protocol: str = "tcp", port: int = 80, address: str = "0.0.0.0") -> None:
        """A server in the container's network: it tells each visitor what address it comes from."""
        inside = ("nsenter", "-t", self.pid(name), "-n", sys.executable, "-c", _ECHO)
        server = self.host.popen([*inside, protocol, address, str(port)], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        with server.stdout:
            assert server.stdout.readline() == "ready\n"

    def ask(self, address: str, port: int, protocol: str = "tcp", *, inside: str = "") -> str:
        """What a server says to the host, or to a process in a container's network; '-' for no answer."""
        entering = ("nsenter", "-t", self.pid(inside), "-n") if inside else ()
        return self._answer(self.host, *entering, address=address, port=port, protocol=protocol)

    def ask_from_outside(self, address: str, port: int, protocol: str = "tcp") -> str:
        return self._answer(self.host.outside(), address=address, port=port, protocol=protocol)

    def _answer(self, host: Host, *entering: str, address: str, port: int, protocol: str) -> str:
        words = (*entering, sys.executable, "-c", _ASK, protocol, address, str(port))
        return host.run(*words, timeout_s=10).stdout


@pytest.fixture(scope="module", params=BACKENDS)
def shared(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Containers web (on lan, ports 8080/tcp+udp and, on loopback, 8081), peer (lan), other (far), plain."""
    with Host(f"ports-{request.param}") as host:
        host.outside()
        with bridgehead(host, f"--firewall-backend={request.param}") as daemon:
            daemon.import_image()
            machine = Machine(daemon)
            for network in ("lan", "far"):
                machine.docker.ok("network", "create", network)
            published = ("-p", "8080:80", "-p", "8080:80/udp", "-p", "127.0.0.1:8081:80")
            machine.run("web", "--net", "lan", *published)
            machine.run("peer", "--net", "lan")
            machine.run("other", "--net", "far")
            machine.run("plain")
            machine.serve("web")
            machine.serve("web", "udp")
            machine.serve("web", port=81)
            yield machine


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_the_outside_is_let_in_and_keeps_its_address(shared: Machine, protocol: str) -> None:
    assert shared.ask_from_outside(UPLINK_ADDRESS, 8080, protocol) == OUTSIDE_ADDRESS


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_the_host_reaches_it_by_its_own_address(shared: Machine, protocol: str) -> None:
    assert shared.ask(UPLINK_ADDRESS, 8080, protocol) == UPLINK_ADDRESS


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_localhost_reaches_it(shared: Machine, address: str, protocol: str) -> None:
    assert shared.ask(address, 8080, protocol) != "-"


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("visitor", ["web", "peer", "other", "plain"])
def test_containers_reach_it_by_the_hosts_address(shared: Machine, visitor: str, protocol: str) -> None:
    assert shared.ask(UPLINK_ADDRESS, 8080, protocol, inside=visitor) != "-"


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("visitor", ["peer", "other", "plain"])
def test_containers_keep_their_address(shared: Machine, visitor: str, protocol: str) -> None:
    assert shared.ask(UPLINK_ADDRESS, 8080, protocol, inside=visitor) == shared.address(visitor)


def test_a_server_with_a_leg_in_the_clients_network_answers_by_the_host(shared: Machine) -> None:
    """Its own way back would be the shorter, and its answer from an address that the client never asked."""
    shared.run("twice", "--net", "far", "-p", "8090:80")
    shared.docker.ok("network", "connect", "lan", "twice")
    shared.serve("twice")

    near, far, plain, outside = (
        shared.ask(UPLINK_ADDRESS, 8090, inside="peer"),
        shared.ask(UPLINK_ADDRESS, 8090, inside="other"),
        shared.ask(UPLINK_ADDRESS, 8090, inside="plain"),
        shared.ask_from_outside(UPLINK_ADDRESS, 8090),
    )
    gateway = shared.docker.ok("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", "far")
    shared.docker.ok("rm", "-f", "twice")

    assert near == gateway
    assert (far, plain, outside) == (shared.address("other"), shared.address("plain"), OUTSIDE_ADDRESS)


def test_a_port_published_on_loopback_is_the_hosts_alone(shared: Machine) -> None:
    shared.host.outside().run("ip", "route", "replace", "127.0.0.1/32", "via", UPLINK_ADDRESS, check=False)

    assert shared.ask("127.0.0.1", 8081) != "-"
    assert shared.ask_from_outside(UPLINK_ADDRESS, 8081) == "-"
    assert shared.ask(UPLINK_ADDRESS, 8081, inside="peer") == "-"


@pytest.mark.parametrize("port", [80, 81])
def test_a_container_is_not_reached_by_routing_to_it(shared: Machine, port: int) -> None:
    outside, target = shared.host.outside(), shared.address("web")
    outside.run("ip", "route", "replace", f"{target}/32", "via", UPLINK_ADDRESS)

    assert shared.ask_from_outside(target, port) == "-"
    assert shared.ask(target, port) != "-"


def test_a_busy_port_names_its_container_and_changes_nothing(shared: Machine) -> None:
    before = shared.docker.ok("ps", "-q")

    answer = shared.docker("run", "-d", "--name", "late", "-p", "8080:80", "busybox", "sleep", "1000")

    assert answer.code == 125
    assert "0.0.0.0:8080 failed: port is already allocated (by container web)" in answer.err
    assert shared.docker.ok("ps", "-q") == before
    shared.docker.ok("rm", "late")


def test_a_busy_port_names_its_process(shared: Machine) -> None:
    words = [sys.executable, "-c", _ECHO, "tcp", "0.0.0.0", "8099"]
    holder = shared.host.popen(words, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == "ready\n"

    answer = shared.docker("run", "--rm", "-p", "8099:80", "busybox", "true")
    shared.host.run("pkill", "-f", "tcp 0.0.0.0 8099", check=False)

    assert answer.code == 125
    assert "8099" in answer.err
    assert "python" in answer.err


def test_ports_are_freed_by_a_stop(shared: Machine) -> None:
    for _ in range(2):
        shared.docker.ok("run", "--rm", "-p", "8070:80", "-p", "8070:80/udp", "busybox", "true")

    assert shared.ask("127.0.0.1", 8070) == "-"


def test_publishing_to_any_port_shows_which(shared: Machine) -> None:
    shared.run("any", "--net", "lan", "-P", "--expose", "80", "-p", "81")
    shared.serve("any")

    shown = json.loads(shared.docker.ok("inspect", "-f", "{{json .NetworkSettings.Ports}}", "any"))
    port = int(shown["80/tcp"][0]["HostPort"])
    answer = shared.ask_from_outside(UPLINK_ADDRESS, port)
    shared.docker.ok("rm", "-f", "any")

    assert {binding["HostIp"] for binding in shown["80/tcp"]} == {"0.0.0.0", "::"}
    assert shown["81/tcp"][0]["HostPort"] not in {"", "0", str(port)}
    assert answer == OUTSIDE_ADDRESS


def test_a_thousand_ports_at_once(shared: Machine) -> None:
    before = len(shared.host.processes())
    shared.run("many", "--net", "far", "-p", "20000-20999:20000-20999")
    shared.serve("many", port=20777)

    answers = [shared.ask_from_outside(UPLINK_ADDRESS, 20777), shared.ask("127.0.0.1", 20777)]
    processes = len(shared.host.processes()) - before
    shared.docker.ok("rm", "-f", "many")

    assert answers[0] == OUTSIDE_ADDRESS
    assert answers[1] != "-"
    assert processes < 5  # the container, what stands beside it, and our server
    assert shared.ask_from_outside(UPLINK_ADDRESS, 20777) == "-"


@pytest.fixture(params=BACKENDS)
def machine(request: pytest.FixtureRequest, host: Host) -> Iterator[Machine]:
    host.outside()
    with bridgehead(host, f"--firewall-backend={request.param}") as daemon:
        daemon.import_image()
        yield Machine(daemon)


def test_published_ports_outlive_the_daemon(machine: Machine) -> None:
    machine.run("web", "-p", "8080:80")
    machine.serve("web")

    machine.daemon.kill()

    for address in (UPLINK_ADDRESS, "127.0.0.1", "::1"):
        assert machine.ask(address, 8080) != "-"
    words = (sys.executable, "-c", "import socket; socket.create_server(('', 8080))")
    assert "Address already in use" in machine.host.run(*words, check=False).stderr
    machine.daemon.start()
    assert machine.ask_from_outside(UPLINK_ADDRESS, 8080) == OUTSIDE_ADDRESS
    assert "8080" in machine.docker.ok("port", "web")


def test_udp_flows_move_to_the_new_container_at_once(machine: Machine) -> None:
    client = _steady_client(machine.host.outside())
    for name in ("old", "new"):
        machine.run(name, "-p", "5300:53/udp")
        machine.serve(name, "udp", 53)
        _until_line(client, "answered")

        machine.docker.ok("rm", "-f", name)
        _until_line(client, "silence")
    client.send_signal(signal.SIGKILL)
    assert client.stdout is not None
    client.stdout.close()
    client.wait(5)


_STEADY = """
import socket, sys, time
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind(("", 40000))
client.settimeout(0.05)
while True:
    client.sendto(b"?", (sys.argv[1], 5300))
    try:
        client.recv(100)
        print("answered", flush=True)
        time.sleep(0.05)
    except OSError:
        print("silence", flush=True)
"""


def _steady_client(host: Host) -> "subprocess.Popen[str]":
    """One source port that never stops asking, so that its flow never runs out by itself."""
    words = [sys.executable, "-c", _STEADY, UPLINK_ADDRESS]
    return host.popen(words, stdout=subprocess.PIPE, text=True)


def _until_line(client: "subprocess.Popen[str]", wanted: str) -> None:
    assert client.stdout is not None
    output = client.stdout
    until(lambda: output.readline().strip() == wanted, f"the client is {wanted}", 5, pause_s=0)


def test_ports_move_with_the_way_out(machine: Machine) -> None:
    for network in ("one", "two"):
        machine.docker.ok("network", "create", network)
    machine.run("web", "--net", "two", "-p", "8080:80")
    machine.serve("web")
    assert machine.ask_from_outside(UPLINK_ADDRESS, 8080) == OUTSIDE_ADDRESS

    machine.docker.ok("network", "connect", "one", "web")
    assert machine.ask_from_outside(UPLINK_ADDRESS, 8080) == OUTSIDE_ADDRESS
    machine.docker.ok("network", "disconnect", "one", "web")

    assert machine.ask_from_outside(UPLINK_ADDRESS, 8080) == OUTSIDE_ADDRESS


def test_nothing_of_published_ports_is_left_behind(machine: Machine, tmp_path: Path) -> None:
    machine.docker.ok("run", "--rm", "busybox", "true")
    before = machine.host.run("ss", "-Hlntu").stdout
    for _ in range(3):
        machine.docker.ok("run", "--rm", "-p", "8080-8090:80-90", "-p", "8080:80/udp", "busybox", "true")

    assert machine.host.run("ss", "-Hlntu").stdout == before
