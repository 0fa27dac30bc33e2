"""The resolver's redirect with real sockets: clients talk to 127.0.0.11:53, the server listens elsewhere."""

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridgehead.core.model.errors import Conflict
from bridgehead.core.plan.diff import Create, Delete, diff
from bridgehead.core.plan.names import ResolverRedirect
from bridgehead.core.plan.objects import state
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.namespaces.files import identity, lend
from bridgehead.host.nft.plane import FirewallPlane
from tests.host.space import make_namespace

pytestmark = pytest.mark.host

PORT = 34567
RESOLVER = ("127.0.0.11", 53)
TRACKING = """
table inet firewall {
	chain output {
		type filter hook output priority filter; policy accept;
		ct state invalid drop
	}
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,new accept
	}
}
"""


@pytest.fixture
def sandbox(plane: FirewallPlane, namespaces: Path) -> str:
    path = make_namespace(namespaces / "0123456789ab")
    assert plane.apply([Create(ResolverRedirect(path, PORT))]) == {}
    return path


@pytest.fixture
def server(sandbox: str) -> Iterator[str]:
    """An echo that doubles what it gets, over UDP and TCP, twice."""
    datagrams = _open(sandbox, socket.SOCK_DGRAM)
    datagrams.bind((RESOLVER[0], PORT))
    listener = _open(sandbox, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((RESOLVER[0], PORT))
    listener.listen()
    threads = [
        threading.Thread(target=_echo_udp, args=(datagrams,)),
        threading.Thread(target=_echo_tcp, args=(listener,)),
    ]
    for thread in threads:
        thread.start()
    yield sandbox
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with _open(sandbox, kind) as waker:
            waker.connect(RESOLVER)
            waker.send(b"stop")
    for thread in threads:
        thread.join(5)
    datagrams.close()
    listener.close()


def _echo_udp(channel: socket.socket) -> None:
    while (received := channel.recvfrom(65536))[0] != b"stop":
        channel.sendto(received[0] * 2, received[1])


def _echo_tcp(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            if (received := connection.recv(65536)) == b"stop":
                return
            connection.sendall(received * 2)


def _open(namespace: str, kind: int) -> socket.socket:
    channel = socket_in(namespace, socket.AF_INET, kind, 0)
    channel.settimeout(5)
    return channel


def _inside(namespace: str, *command: str, script: str = "") -> str:
    argv = ["nsenter", f"--net={namespace}", *command]
    return subprocess.run(argv, input=script, check=True, capture_output=True, text=True, timeout=10).stdout


def _ask(namespace: str, kind: int, question: bytes) -> tuple[int, object]:
    with _open(namespace, kind) as client:
        client.connect(RESOLVER)
        client.send(question)
        answer = b""
        while len(answer) < 2 * len(question):
            answer += client.recv(65536)
        return len(answer), client.getpeername()


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_questions_to_port_53_reach_the_resolver_and_answers_come_from_there(server: str, kind: int) -> None:
    answer = _ask(server, kind, b"question" * 50)

    assert answer == (800, RESOLVER)


def test_an_unconnected_client_sees_port_53_as_the_sender(server: str) -> None:
    with _open(server, socket.SOCK_DGRAM) as client:
        client.sendto(b"question", RESOLVER)
        answer = client.recvfrom(100)

    assert answer == (b"questionquestion", RESOLVER)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_checksums_hold_when_the_kernel_computes_them_before_the_rewriting(server: str, kind: int) -> None:
    """Fragments cannot leave the checksum to the device, so a wrong one would be noticed."""
    _inside(server, "ip", "link", "set", "lo", "mtu", "1280")

    answer = _ask(server, kind, b"question" * 500)

    assert answer == (8000, RESOLVER)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_sandbox_that_tracks_connections_sees_a_valid_one(server: str, kind: int) -> None:
    _inside(server, "nft", "-f", "-", script=TRACKING)

    answer = _ask(server, kind, b"question")

    assert answer == (16, RESOLVER)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_without_a_resolver_the_client_is_refused_at_once(sandbox: str, kind: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        _ask(sandbox, kind, b"question")


def test_other_addresses_keep_their_port_53(server: str) -> None:
    with _open(server, socket.SOCK_DGRAM) as own, _open(server, socket.SOCK_DGRAM) as client:
        own.bind(("127.0.0.1", 53))
        client.sendto(b"mine", ("127.0.0.1", 53))
        received = own.recv(100)

    assert received == b"mine"


def test_a_plane_without_memory_finds_redirects_and_reads_their_ports(
    sandbox: str, namespaces: Path, new_plane: Callable[[], FirewallPlane]
) -> None:
    make_namespace(namespaces / "without")
    (namespaces / "no-namespace").touch()

    assert state(ResolverRedirect(sandbox, PORT)) == new_plane().observe()


def test_a_new_port_takes_the_place_of_the_old(plane: FirewallPlane, sandbox: str) -> None:
    wanted = state(ResolverRedirect(sandbox, PORT + 1))

    failed = plane.apply(diff(plane.observe(), wanted))

    assert failed == {}
    assert wanted == plane.observe()


@pytest.mark.parametrize(
    "damage",
    ["flush chain ip bridgehead answer", "insert rule ip bridgehead request accept", "flush ruleset"],
)
def test_a_damaged_redirect_is_made_again(plane: FirewallPlane, sandbox: str, damage: str) -> None:
    wanted = state(ResolverRedirect(sandbox, PORT))
    _inside(sandbox, "nft", "-f", "-", script=damage + "\n")

    seen = plane.observe()
    failed = plane.apply(diff(seen, wanted))

    assert wanted != seen
    assert failed == {}
    assert wanted == plane.observe()


def test_deleting_removes_it_and_what_is_gone_needs_no_deleting(plane: FirewallPlane, sandbox: str) -> None:
    redirect = ResolverRedirect(sandbox, PORT)
    elsewhere = ResolverRedirect(f"{sandbox}-gone", PORT)

    failed = plane.apply([Delete(redirect), Delete(redirect), Delete(elsewhere)])

    assert failed == {}
    assert _inside(sandbox, "nft", "list", "ruleset") == ""


def test_a_missing_namespace_is_a_failure_of_that_redirect_alone(plane: FirewallPlane, sandbox: str) -> None:
    lost = ResolverRedirect(f"{sandbox}-gone", PORT)

    failed = plane.apply([Create(lost), Create(ResolverRedirect(sandbox, PORT))])

    assert [lost.key] == list(failed)


def test_in_a_lent_namespace_it_is_taken_away_by_itself(plane: FirewallPlane, namespaces: Path) -> None:
    other = make_namespace(namespaces.parent / "other")
    lent = ResolverRedirect(f"{namespaces}/0123456789ab", PORT, lent=True)
    lend(lent.namespace, other, identity(other) or 0)

    assert plane.apply([Create(lent)]) == {}

    assert plane.observe()[lent.key] == lent
    assert [op.object for op in diff(plane.observe(), {}) if op.object.key == lent.key] == [lent]
    assert plane.apply([Delete(lent)]) == {}
    assert _ruleset(other) == ""


@pytest.mark.parametrize(
    "parts",
    [
        "",
        "chain own { };",
        "chain request { };",
        "set own { type ipv4_addr; elements = { 192.0.2.1 }; };",
        "chain own { accept; };",
        "chain request { accept; }; chain answer { };",
    ],
)
def test_a_table_of_that_name_which_is_not_ours_stays(
    plane: FirewallPlane, namespaces: Path, parts: str
) -> None:
    other = make_namespace(namespaces.parent / "other")
    lent = ResolverRedirect(f"{namespaces}/0123456789ab", PORT, lent=True)
    lend(lent.namespace, other, identity(other) or 0)
    theirs = f"table ip bridgehead {{ {parts} }}"
    subprocess.run(["nsenter", f"--net={other}", "nft", theirs], check=True, timeout=10)
    before = _ruleset(other)

    failures = plane.apply([Create(lent)])

    assert isinstance(failures[lent.key], Conflict)
    assert lent.key not in plane.observe()
    assert _ruleset(other) == before


def test_a_lent_redirect_whose_rules_were_flushed_is_made_again(
    plane: FirewallPlane, namespaces: Path
) -> None:
    other = make_namespace(namespaces.parent / "other")
    lent = ResolverRedirect(f"{namespaces}/0123456789ab", PORT, lent=True)
    lend(lent.namespace, other, identity(other) or 0)
    assert plane.apply([Create(lent)]) == {}
    before = _ruleset(other)
    _inside(other, "nft", "flush table ip bridgehead")

    failures = plane.apply([Create(lent)])

    assert failures == {}
    assert _ruleset(other) == before


def _ruleset(namespace: str) -> str:
    words = ["nsenter", f"--net={namespace}", "nft", "list", "ruleset"]
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=10).stdout
