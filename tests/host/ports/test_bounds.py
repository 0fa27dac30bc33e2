"""How many clients a relay serves, and for how long, with limits small enough to be reached."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bridgehead.host.companion.loop import Loop
from bridgehead.host.ports import sockets
from bridgehead.host.ports.allowance import Allowance
from bridgehead.host.ports.keeper import KeptPort
from bridgehead.host.ports.tcp_relay import TcpRelay
from bridgehead.host.ports.udp_relay import UdpRelay
from tests.host.ports.machine import (
    LIMIT_S,
    bound,
    connected,
    echo,
    everything,
    hold,
    place,
    serving,
    udp_client,
)
from tests.support.wait import until

pytestmark = pytest.mark.host

Run = Callable[[Loop, TcpRelay | UdpRelay], None]
OUTSIDE, CONTAINER = "127.0.0.1:8080", "127.0.0.2:80"


@pytest.fixture
def run(machine: Path) -> Iterator[Run]:
    """Runs a relay's loop beside the test, and ends both."""
    with ExitStack() as running:

        def begin(loop: Loop, relay: TcpRelay | UdpRelay) -> None:
            thread = threading.Thread(target=loop.run)
            loop.later(0.01, lambda: _stay_awake(loop))
            thread.start()
            running.callback(relay.close)
            running.callback(thread.join, LIMIT_S)
            running.callback(loop.stop)

        yield begin


def _stay_awake(loop: Loop) -> None:
    """So that it sees at once that it was stopped from outside."""
    loop.later(0.01, lambda: _stay_awake(loop))


@pytest.fixture
def heard(machine: Path) -> Iterator[list[tuple[bytes, int]]]:
    """Datagrams that reached the container, with the port of the session that brought them."""
    received: list[tuple[bytes, int]] = []

    def listen(door: socket.socket) -> None:
        while True:
            data, (_, port) = door.recvfrom(100)
            if not data:
                return
            received.append((data, port))
            door.sendto(data, (_, port))

    with serving("udp", CONTAINER, listen):
        yield received
        with udp_client(CONTAINER) as client:
            client.send(b"")


def test_a_session_ends_when_it_is_idle_and_not_before(run: Run, heard: list[tuple[bytes, int]]) -> None:
    loop, allowance = Loop(), Allowance(1)
    with bound("udp", OUTSIDE, reuse=False) as kept, udp_client(OUTSIDE) as client:
        kept.setblocking(False)
        run(loop, UdpRelay(loop, kept, place(CONTAINER), allowance, idle_s=0.3))

        for _ in range(8):  # 0.4 s, with a pause of 0.05 s after each
            client.send(b"x")
            assert client.recv(10) == b"x"
            threading.Event().wait(0.05)
        ports = {port for _, port in heard}
        until(lambda: allowance.take(1), "the end of the session")
        allowance.give_back(1)
        client.send(b"again")
        assert client.recv(10) == b"again"

    assert len(ports) == 1


def test_the_longest_idle_session_makes_room_for_another(run: Run, heard: list[tuple[bytes, int]]) -> None:
    loop = Loop()
    with ExitStack() as opened:
        kept = opened.enter_context(bound("udp", OUTSIDE, reuse=False))
        kept.setblocking(False)
        run(loop, UdpRelay(loop, kept, place(CONTAINER), Allowance(2)))
        clients = [opened.enter_context(udp_client(OUTSIDE)) for _ in range(3)]

        for number in (0, 1, 0, 2, 0, 1):
            clients[number].send(b"%d" % number)
            assert clients[number].recv(10) == b"%d" % number

    ports = {data: [port for word, port in heard if word == data] for data, _ in heard}
    assert len(ports) == 3
    assert len(set(ports[b"0"])) == 1


def test_a_connection_too_many_waits_for_its_turn(run: Run, machine: Path) -> None:
    loop = Loop()
    with (
        bound("tcp", OUTSIDE) as kept,
        serving("tcp", CONTAINER, echo),
        connected(OUTSIDE) as first,
        connected(OUTSIDE) as second,
    ):
        kept.setblocking(False)
        run(loop, TcpRelay(loop, kept, place(CONTAINER), Allowance(2)))
        for client in (first, second):
            client.sendall(b"hello")

        assert first.recv(5) == b"hello"
        second.settimeout(0.2)
        with pytest.raises(TimeoutError):
            second.recv(5)
        first.shutdown(socket.SHUT_WR)
        assert everything(first) == b""
        second.settimeout(LIMIT_S)
        assert second.recv(5) == b"hello"
        second.shutdown(socket.SHUT_WR)
        assert everything(second) == b""


def test_whoever_still_waits_when_a_relay_ends_is_turned_away(machine: Path) -> None:
    loop, nobody = Loop(), Allowance(0)
    relayed, silent = hold("tcp", OUTSIDE, CONTAINER), hold("tcp", OUTSIDE)
    with sockets.opened(relayed) as kept:
        port = KeptPort(relayed, kept)
        port.lead(loop, relayed, nobody)

        with connected(OUTSIDE) as client:
            port.lead(loop, silent, nobody)
            assert client.recv(1) == b""
