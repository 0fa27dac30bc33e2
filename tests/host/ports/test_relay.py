"""What a rule cannot lead to a container is carried there: all of it, both ways, and each end by itself."""

import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest

from bridgehead.core.plan.diff import Create, Delete, Update
from bridgehead.host.ports.plane import PortPlane
from tests.host.ports.machine import (
    LIMIT_S,
    bound,
    connected,
    descriptors,
    echo,
    everything,
    hold,
    serving,
    udp_client,
)
from tests.support.wait import until

pytestmark = pytest.mark.host

Serve = Callable[[socket.socket], object]
OUTSIDE, CONTAINER, OTHER = "[::]:8080", "127.0.0.2:80", "127.0.0.3:80"


def test_a_client_of_ipv6_reaches_a_container_of_ipv4(plane: PortPlane) -> None:
    plane.apply([Create(hold("tcp", OUTSIDE, CONTAINER)), Create(hold("udp", OUTSIDE, CONTAINER))])

    with serving("tcp", CONTAINER, echo), connected("[::1]:8080") as client:
        client.sendall(b"hello")
        client.shutdown(socket.SHUT_WR)
        assert everything(client) == b"hello"
    with serving("udp", CONTAINER, echo), udp_client("[::1]:8080") as client:
        client.send(b"hello")
        assert client.recv(100) == b"echo hello"
        client.send(b"")


def test_each_side_may_end_first_and_still_be_spoken_to(plane: PortPlane) -> None:
    plane.apply([Create(hold("tcp", OUTSIDE, CONTAINER))])
    heard: list[bytes] = []

    def farewell(connection: socket.socket) -> None:
        connection.sendall(b"only this")
        connection.shutdown(socket.SHUT_WR)
        heard.append(everything(connection))

    with serving("tcp", CONTAINER, farewell), connected("[::1]:8080") as client:
        assert everything(client) == b"only this"
        client.sendall(b"and this, later")
        client.shutdown(socket.SHUT_WR)
        until(lambda: heard, "the client's words")

    assert heard == [b"and this, later"]


def test_much_is_carried_both_ways_at_once_without_loss(plane: PortPlane) -> None:
    plane.apply([Create(hold("tcp", OUTSIDE, CONTAINER))])
    sent = bytes(range(256)) * 40_000

    with serving("tcp", CONTAINER, echo), connected("[::1]:8080") as client:
        writer = threading.Thread(target=lambda: (client.sendall(sent), client.shutdown(socket.SHUT_WR)))
        writer.start()
        received = everything(client)
        writer.join(LIMIT_S)

    assert received == sent


def test_a_slow_reader_slows_the_writer_down_and_costs_no_memory(plane: PortPlane) -> None:
    plane.apply([Create(hold("tcp", OUTSIDE, CONTAINER))])
    release = threading.Event()
    heard: list[int] = []

    def late(connection: socket.socket) -> None:
        release.wait(LIMIT_S)
        heard.append(len(everything(connection)))

    with serving("tcp", CONTAINER, late), connected("[::1]:8080") as client:
        client.settimeout(0.3)
        sent = 0
        with suppress(TimeoutError):
            while sent < 256 << 20:
                sent += client.send(bytes(1 << 16))
        release.set()
        client.settimeout(LIMIT_S)
        client.shutdown(socket.SHUT_WR)
        until(lambda: heard, "all that was sent")

    assert sent < 256 << 20
    assert heard == [sent]


def test_a_connection_to_a_container_that_does_not_listen_is_reset(plane: PortPlane) -> None:
    plane.apply([Create(hold("tcp", OUTSIDE, CONTAINER))])

    # Whoever is slow to be told of the connection is told of its end first.
    with pytest.raises(ConnectionResetError), connected("[::1]:8080") as client:
        client.recv(1)


@pytest.mark.parametrize("breaker", ["client", "container"])
def test_a_reset_is_passed_on(plane: PortPlane, breaker: str) -> None:
    plane.apply([Create(hold("tcp", OUTSIDE, CONTAINER))])

    with bound("tcp", CONTAINER) as door, connected("[::1]:8080") as client:
        inside, _ = door.accept()
        inside.settimeout(LIMIT_S)
        client.send(b"x")
        assert inside.recv(1) == b"x"
        broken, other = (client, inside) if breaker == "client" else (inside, client)
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        broken.close()
        with pytest.raises(ConnectionResetError):
            other.recv(1)
        other.close()


def test_many_connections_are_open_at_once(plane: PortPlane) -> None:
    plane.apply([Create(hold("tcp", OUTSIDE, CONTAINER))])
    before = descriptors(plane)

    with ExitStack() as opened:
        door = opened.enter_context(bound("tcp", CONTAINER))
        door.listen(1000)
        pairs = []
        for _ in range(500):
            client = opened.enter_context(connected("[::1]:8080"))
            pairs.append((client, opened.enter_context(door.accept()[0])))
        clients = {client.getsockname()[1] for client, _ in pairs}
        held = descriptors(plane) - before
        for number, (client, _) in enumerate(pairs):
            client.sendall(b"%04d" % number)
        words = {inside.recv(4) for _, inside in pairs}

    assert len(clients) == 500
    assert held == 1000
    assert words == {b"%04d" % number for number in range(500)}
    until(lambda: descriptors(plane) == before, "the last closed descriptor")


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_relay_begins_turns_to_another_container_and_ends(plane: PortPlane, protocol: str) -> None:
    silent, first, second = (hold(protocol, OUTSIDE, target) for target in (None, CONTAINER, OTHER))
    plane.apply([Create(silent)])

    with serving(protocol, CONTAINER, _named(b"first")), serving(protocol, OTHER, _named(b"second")):
        plane.apply([Update(silent, first)])
        one = _asked(protocol)
        plane.apply([Update(first, second)])
        two = _asked(protocol)
        plane.apply([Update(second, silent)])
        with pytest.raises(TimeoutError):
            _asked(protocol, limit_s=0.3)
        for target in (CONTAINER, OTHER):
            with suppress(OSError), udp_client(target) as client:
                client.send(b"")

    assert (one, two) == (b"first", b"second")


def _named(name: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        if connection.type == socket.SOCK_STREAM:
            connection.sendall(name)
            return
        while True:
            data, sender = connection.recvfrom(100)
            if not data:
                return
            connection.sendto(name, sender)

    return serve


def _asked(protocol: str, limit_s: float = LIMIT_S) -> bytes:
    if protocol == "tcp":
        with connected("[::1]:8080", limit_s) as client:
            return everything(client)
    with udp_client("[::1]:8080") as client:
        client.settimeout(limit_s)
        client.send(b"who?")
        return client.recv(100)


def test_a_turn_to_another_container_cuts_connections_with_the_former(plane: PortPlane) -> None:
    first, second = hold("tcp", OUTSIDE, CONTAINER), hold("tcp", OUTSIDE, OTHER)
    plane.apply([Create(first)])

    with bound("tcp", CONTAINER) as door, connected("[::1]:8080") as client:
        inside, _ = door.accept()
        plane.apply([Update(first, second)])
        with inside, pytest.raises(ConnectionResetError):
            client.recv(1)


def test_answers_leave_from_the_address_that_was_written_to(plane: PortPlane) -> None:
    plane.apply([Create(hold("udp", "0.0.0.0:8080", CONTAINER))])

    with serving("udp", CONTAINER, echo), udp_client("127.0.0.7:8080") as client:
        client.send(b"hello")  # a connected socket hears nobody but 127.0.0.7
        assert client.recv(100) == b"echo hello"
        client.send(b"")


def test_clients_of_udp_are_told_apart(plane: PortPlane) -> None:
    plane.apply([Create(hold("udp", OUTSIDE, CONTAINER))])

    with serving("udp", CONTAINER, echo), ExitStack() as opened:
        clients = [opened.enter_context(udp_client("[::1]:8080")) for _ in range(50)]
        for number, client in enumerate(clients):
            client.send(b"%d" % number)
        answers = [client.recv(100) for client in clients]
        clients[0].send(b"")

    assert answers == [b"echo %d" % number for number in range(50)]


def test_the_largest_datagram_passes(plane: PortPlane) -> None:
    plane.apply([Create(hold("udp", "127.0.0.1:8080", CONTAINER))])
    most = bytes(65_507 - len(b"echo "))

    with serving("udp", CONTAINER, echo), udp_client("127.0.0.1:8080") as client:
        client.send(most)
        assert client.recv(65535) == b"echo " + most
        client.send(b"")


def test_a_container_that_hears_nobody_yet_is_reached_later(plane: PortPlane) -> None:
    plane.apply([Create(hold("udp", OUTSIDE, CONTAINER))])

    with udp_client("[::1]:8080") as client:
        client.send(b"too early")
        with serving("udp", CONTAINER, echo):
            client.settimeout(0.1)
            until(lambda: _answered(client), "an answer")
            client.send(b"")


def _answered(client: socket.socket) -> bool:
    client.send(b"hello")
    try:
        return client.recv(100) == b"echo hello"
    except TimeoutError:
        return False


def test_no_descriptor_outlives_its_use(plane: PortPlane) -> None:
    before = descriptors(plane)

    for _ in range(3):
        plane.apply([Create(hold(protocol, OUTSIDE, CONTAINER)) for protocol in ("tcp", "udp")])
        with (
            serving("tcp", CONTAINER, echo),
            serving("udp", CONTAINER, echo),
            connected("[::1]:8080") as client,
            udp_client("[::1]:8080") as other,
        ):
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            other.send(b"x")
            assert other.recv(10) == b"echo x"
            other.send(b"")
            plane.apply([Delete(hold(protocol, OUTSIDE)) for protocol in ("tcp", "udp")])
            with pytest.raises(ConnectionResetError):
                client.recv(1)

    until(lambda: descriptors(plane) == before, "the last closed descriptor")
