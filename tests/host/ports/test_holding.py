"""A held port: nobody else can have it, and nothing gets through it."""

import errno
import socket
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from bridgehead.core.model.errors import BridgeheadError, Conflict, HostRefused
from bridgehead.core.plan.diff import Create, Delete, Update, diff
from bridgehead.core.plan.objects import state
from bridgehead.host.ports.plane import PortPlane
from tests.host.ports.machine import bound, connected, descriptors, hold, program, udp_client

pytestmark = pytest.mark.host

MakePlane = Callable[..., PortPlane]


def test_what_was_applied_is_observed(plane: PortPlane) -> None:
    desired = state(
        hold("tcp", "0.0.0.0:8080"),
        hold("tcp", "[::]:8080", "127.0.0.1:80"),
        hold("udp", "127.0.0.1:53", "127.0.0.1:5353"),
        hold("udp", "[::1]:53"),
    )

    assert plane.apply(diff(plane.observe(), desired)) == {}
    assert diff(plane.observe(), desired) == []
    assert plane.apply([Create(item) for item in desired.values()]) == {}
    assert plane.apply([Delete(item) for item in [*desired.values(), *desired.values()]]) == {}
    assert plane.observe() == {}


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ("0.0.0.0:8080", "0.0.0.0:8080"),
        ("0.0.0.0:8080", "127.0.0.1:8080"),
        ("127.0.0.1:8080", "0.0.0.0:8080"),
        ("[::]:8080", "[::]:8080"),
        ("[::]:8080", "[::1]:8080"),
        ("[::1]:8080", "[::]:8080"),
    ],
)
@pytest.mark.parametrize("reuse", [True, False])
def test_nobody_else_can_have_a_held_port(
    plane: PortPlane, protocol: str, held: str, wanted: str, reuse: bool
) -> None:
    plane.apply([Create(hold(protocol, held))])

    with pytest.raises(OSError) as refusal:
        bound(protocol, wanted, reuse=reuse)
    plane.apply([Delete(hold(protocol, held))])

    assert refusal.value.errno == errno.EADDRINUSE
    bound(protocol, wanted, reuse=reuse).close()


def test_families_protocols_and_addresses_are_held_apart(plane: PortPlane) -> None:
    plane.apply([Create(hold("tcp", "[::]:8080")), Create(hold("udp", "127.0.0.1:8080"))])

    others = [bound("tcp", "0.0.0.0:8080"), bound("udp", "[::]:8080"), bound("udp", "127.0.0.2:8080")]

    for other in others:
        other.close()


def test_earlier_connections_that_linger_are_not_in_the_way(plane: PortPlane) -> None:
    with bound("tcp", "127.0.0.1:8080") as door, connected("127.0.0.1:8080") as client:
        server, _ = door.accept()
        server.close()  # first, so it is the server's end that lingers
        assert client.recv(1) == b""
    with pytest.raises(OSError):
        bound("tcp", "127.0.0.1:8080", reuse=False)

    assert plane.apply([Create(hold("tcp", "0.0.0.0:8080"))]) == {}


@pytest.mark.parametrize("where", ["127.0.0.1:8080", "[::1]:8080"])
def test_a_deaf_port_lets_nothing_through(plane: PortPlane, where: str) -> None:
    plane.apply([Create(hold("tcp", where)), Create(hold("udp", where))])

    with pytest.raises(TimeoutError):
        connected(where, limit_s=0.3)
    with udp_client(where) as client:
        client.send(b"anybody?")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(10)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("0.0.0.0:8080", "0.0.0.0:8080"),
        ("127.0.0.1:8080", "0.0.0.0:8080"),
        ("0.0.0.0:8080", "127.0.0.1:8080"),
        ("[::1]:8080", "[::]:8080"),
    ],
)
def test_whoever_has_the_port_is_named(plane: PortPlane, protocol: str, theirs: str, ours: str) -> None:
    other = program(
        "import sys; from tests.host.ports.machine import bound\n"
        f"door = bound({protocol!r}, {theirs!r}); open('/proc/self/comm', 'w').write('nginx')\n"
        "print('ready', flush=True); sys.stdin.read()"
    )

    wanted = hold(protocol, ours)
    failed = plane.apply([Create(wanted), Create(hold(protocol, "127.0.0.1:8081"))])
    other.kill()
    other.communicate()

    assert list(failed) == [wanted.key]
    assert isinstance(failed[wanted.key], Conflict)
    assert f"address already in use: {ours}/{protocol} is held by nginx (pid {other.pid})" == str(
        failed[wanted.key]
    )
    assert plane.apply([Create(wanted)]) == {}


def test_a_busy_program_is_named_while_it_opens_and_closes(plane: PortPlane) -> None:
    other = program(
        "import os; from tests.host.ports.machine import bound\n"
        "rest = [os.dup(0) for _ in range(50)]; door = bound('tcp', '0.0.0.0:8080')\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    for number in rest: os.close(number)\n"
        "    for number in rest: os.dup2(0, number)\n"
    )

    failures = [plane.apply([Create(hold("tcp", "0.0.0.0:8080"))]) for _ in range(20)]
    other.kill()
    other.communicate()

    named = [f"(pid {other.pid})" in str(error) for failed in failures for error in failed.values()]
    assert named == [True] * 20


def test_a_server_of_both_families_is_named_too(plane: PortPlane, tmp_path: Path) -> None:
    with bound("tcp", "[::]:8080", v6only=False):
        failed = plane.apply([Create(hold("tcp", "0.0.0.0:8080"))])

    [error] = failed.values()
    assert f"(pid {_own_pid()})" in str(error)


def test_a_connection_from_that_port_is_named_too(plane: PortPlane) -> None:
    with bound("tcp", "127.0.0.1:80") as door, socket.socket() as client:
        client.bind(("127.0.0.1", 8080))
        client.connect(door.getsockname())
        failed = plane.apply([Create(hold("tcp", "0.0.0.0:8080"))])

    [error] = failed.values()
    assert f"(pid {_own_pid()})" in str(error)


def test_a_holder_that_the_kernel_does_not_list_is_admitted(plane: PortPlane) -> None:
    with socket.socket() as silent:
        silent.bind(("0.0.0.0", 8080))
        failed = plane.apply([Create(hold("tcp", "0.0.0.0:8080"))])

    [error] = failed.values()
    assert isinstance(error, Conflict)
    assert str(error) == "address already in use: 0.0.0.0:8080/tcp is held by a process that cannot be found"


def test_another_daemons_keeper_is_named(plane: PortPlane, machine: Path) -> None:
    wanted = hold("tcp", "0.0.0.0:8080")
    other = PortPlane(str(machine / "other.sock"))
    other.apply([Create(wanted)])

    [error] = plane.apply([Create(wanted)]).values()
    pid = other.pid
    other.stop()

    assert f"is held by bh-port-keeper (pid {pid})" in str(error)


def _own_pid() -> str:
    return Path("/proc/self").readlink().name


@pytest.mark.parametrize(
    ("protocol", "where", "words"),
    [
        ("tcp", "203.0.113.9:80", "203.0.113.9 is no address of this host"),
        ("udp", "[2001:db8::9]:80", "2001:db8::9 is no address of this host"),
        ("carrier-pigeon", "0.0.0.0:80", "no such port: 80/carrier-pigeon"),
        ("tcp", "0.0.0.0:70000", "no such port: 70000/tcp"),
        ("tcp", "0.0.0.0:0", "no such port: 0/tcp"),
        ("sctp", "0.0.0.0:80", "cannot be carried to a container by hand"),
    ],
)
def test_what_the_host_cannot_do_is_said_and_hinders_nothing_else(
    plane: PortPlane, protocol: str, where: str, words: str
) -> None:
    bad = hold(protocol, where, "127.0.0.2:80" if protocol == "sctp" else None)
    good = hold("tcp", "0.0.0.0:8081")

    failed = plane.apply([Create(bad), Create(good)])

    assert list(failed) == [bad.key]
    assert isinstance(failed[bad.key], HostRefused)
    assert words in str(failed[bad.key])
    assert plane.observe() == state(good)


def test_sctp_is_held_where_the_kernel_has_it(plane: PortPlane) -> None:
    wanted = hold("sctp", "0.0.0.0:132")

    failed = plane.apply([Create(wanted)])

    if _has_sctp():
        assert failed == {}
    else:
        assert str(failed[wanted.key]) == "cannot publish on 0.0.0.0:132/sctp: the kernel has no SCTP"


def _has_sctp() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP).close()
    except OSError:
        return False
    return True


def test_a_thousand_ports_of_both_families_are_held_and_let_go(plane: PortPlane) -> None:
    many = [
        hold("tcp", f"{address}:{port}") for port in range(20000, 21000) for address in ("0.0.0.0", "[::]")
    ]
    before = descriptors(plane)

    failed = plane.apply([Create(item) for item in many])
    held = descriptors(plane) - before
    observed = plane.observe()
    plane.apply([Delete(item) for item in many])

    assert failed == {}
    assert held == len(many)
    assert observed == state(*many)
    assert descriptors(plane) == before


def test_of_two_who_want_one_port_one_gets_it(plane: PortPlane) -> None:
    wide, narrow = hold("tcp", "0.0.0.0:8080"), hold("tcp", "127.0.0.1:8080")

    failed: dict[tuple[str, ...], BridgeheadError] = dict(plane.apply([Create(wide), Create(narrow)]))

    assert list(failed) == [narrow.key]
    assert plane.observe() == state(wide)


def test_a_port_stays_bound_while_its_relay_changes(plane: PortPlane) -> None:
    where = "0.0.0.0:8080"
    steps = [hold("tcp", where), hold("tcp", where, "127.0.0.1:80"), hold("tcp", where)]
    inodes = set()

    plane.apply([Create(steps[0])])
    for before, after in pairwise(steps):
        plane.apply([Update(before, after)])
        inodes.add(_inode(8080))
        assert plane.observe() == state(after)

    assert len(inodes) == 1


def _inode(port: int) -> str:
    lines = Path("/proc/thread-self/net/tcp").read_text().splitlines()
    return next(line.split()[9] for line in lines if f":{port:04X} " in line)
