"""Holds in short, and the programs that a published port has to do with: servers, clients, containers."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

from bridgehead.core.plan.objects import PortHold
from bridgehead.host.ports.plane import PortPlane
from tests.support.wait import until

LIMIT_S = 10.0
_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


def place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def hold(protocol: str, where: str, relay: str | None = None) -> PortHold:
    address, port = place(where)
    target = None
    if relay is not None:
        host, number = place(relay)
        target = (ip_address(host), number)
    return PortHold(protocol, ip_address(address), port, target)


def bound(protocol: str, where: str, *, reuse: bool = True, v6only: bool = True) -> socket.socket:
    """What another program would do. Raises OSError."""
    address, port = place(where)
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, _KINDS[protocol])
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
        made.bind((address, port))
        if protocol == "tcp":
            made.listen()
    except OSError:
        made.close()
        raise
    made.settimeout(LIMIT_S)
    return made


def connected(where: str, limit_s: float = LIMIT_S) -> socket.socket:
    return socket.create_connection(place(where), limit_s)


def udp_client(where: str) -> socket.socket:
    address, port = place(where)
    client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(LIMIT_S)
    client.connect((address, port))
    return client


@contextmanager
def serving(protocol: str, where: str, serve: Callable[[socket.socket], object]) -> Iterator[None]:
    """`serve` gets each connection in a thread of its own, or the one UDP socket."""
    door = bound(protocol, where)
    threads: list[threading.Thread] = []

    def take() -> None:
        with suppress(OSError):
            while True:
                connection, _ = door.accept()
                threads.append(threading.Thread(target=_to_its_end, args=(serve, connection)))
                threads[-1].start()

    first = take if protocol == "tcp" else lambda: _to_its_end(serve, door)
    threads.append(threading.Thread(target=first))
    threads[0].start()
    try:
        yield
    finally:
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(LIMIT_S)
        door.close()


def _to_its_end(serve: Callable[[socket.socket], object], connection: socket.socket) -> None:
    connection.settimeout(LIMIT_S)
    with suppress(OSError):
        serve(connection)
    if connection.type == socket.SOCK_STREAM:
        connection.close()


def echo(connection: socket.socket) -> None:
    """Every byte back, then the end; or every datagram, marked."""
    if connection.type == socket.SOCK_DGRAM:
        while True:
            data, sender = connection.recvfrom(65535)
            if not data:
                return
            connection.sendto(b"echo " + data, sender)
    while data := connection.recv(65536):
        connection.sendall(data)


def everything(connection: socket.socket) -> bytes:
    received = bytearray()
    while data := connection.recv(1 << 16):
        received += data
    return bytes(received)


def program(text: str) -> "subprocess.Popen[str]":
    """Another process with this Python program, which prints a line when it is ready."""
    started = subprocess.Popen(
        [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    assert started.stdout.readline()
    return started


def descriptors(plane: PortPlane) -> int:
    return len(list(Path(f"/proc/{plane.pid}/fd").iterdir()))


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def killed(plane: PortPlane) -> int:
    pid = plane.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: gone(pid), "the keeper's death")
    return pid
