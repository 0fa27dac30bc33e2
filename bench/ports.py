"""What keeping published ports costs, and how fast what no rule can lead in is carried to a container.

    .venv/bin/python -m bench.ports [ROUNDS]

Everything runs in network and mount namespaces of its own. The relay carries IPv6 to a server at an address
of IPv4, beside docker-proxy (left out if it is not installed) and the way without anything between. Rounds
are interleaved over the three, so a noisy neighbour hits all of them.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path

from tests.host.space import own_space

from bridgehead.core.plan.diff import Create, Delete
from bridgehead.core.plan.objects import PortHold
from bridgehead.host.ports.host_ports import KernelPorts
from bridgehead.host.ports.plane import PortPlane

PORTS, FAMILIES = 1000, ("0.0.0.0", "::")
ORACLE = Path(__file__).parent.parent / ".oracle/usr/sbin"
SERVER = ("127.0.0.2", 80)
CARRIED = 512 << 20
EXCHANGES, CONNECTIONS = 3000, 500
Doors = dict[str, tuple[str, int]]


def milliseconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1000


def resident_mb(pid: int | None) -> float:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


def keeping(folder: Path, rounds: int) -> None:
    plane, other = PortPlane(str(folder / "ports.sock")), PortPlane(str(folder / "other.sock"))
    many = [PortHold("tcp", ip_address(host), 20000 + n) for n in range(PORTS) for host in FAMILIES]
    first = PortHold("udp", ip_address("127.0.0.1"), 9)
    print(
        f"start {milliseconds(lambda: plane.apply([Create(first)])):.0f} ms, {resident_mb(plane.pid):.1f} MB"
    )
    other.apply([Create(PortHold("udp", ip_address("127.0.0.1"), 10))])
    figures: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, action in {
            f"hold {len(many)}": lambda: plane.apply([Create(item) for item in many]),
            "observe them": plane.observe,
            "list all ports in use": KernelPorts().busy,
            "refuse one and name its holder": lambda: other.apply([Create(many[0])]),
            "refuse all and name their holder": lambda: other.apply([Create(item) for item in many]),
            f"let {len(many)} go": lambda: plane.apply([Delete(item) for item in many]),
        }.items():
            figures.setdefault(name, []).append(milliseconds(action))
            if name.startswith("observe"):
                held_mb = resident_mb(plane.pid)
    for name, times in figures.items():
        print(f"{name:34} {statistics.median(times):7.1f} ms")
    print(f"while they are held {held_mb:.1f} MB")
    plane.stop()
    other.stop()


@contextmanager
def docker_proxy(program: str, port: int) -> Iterator[None]:
    words = f"-proto tcp -host-ip :: -host-port {port} -container-ip {SERVER[0]} -container-port {SERVER[1]}"
    ready, told = os.pipe()
    # It tells its descriptor 3 when it listens.
    within = ["bash", "-c", f'exec "$@" 3>&{told}', "bash", program, *words.split()]
    process = subprocess.Popen(within, pass_fds=[told])
    os.read(ready, 2)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def throughput(door: tuple[str, int], listening: socket.socket) -> float:
    """Gbit a second."""

    def drink() -> None:
        connection, _ = listening.accept()
        room = bytearray(1 << 20)
        with connection:
            while connection.recv_into(room):
                pass

    reader = threading.Thread(target=drink)
    reader.start()
    piece = bytes(1 << 20)
    begin = time.perf_counter()
    with socket.create_connection(door) as client:
        for _ in range(CARRIED // len(piece)):
            client.sendall(piece)
    reader.join()
    return CARRIED * 8 / (time.perf_counter() - begin) / 1e9


def exchanges(door: tuple[str, int], listening: socket.socket) -> float:
    """Thousands a second, on one connection."""
    with socket.create_connection(door) as client, listening.accept()[0] as server:
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin = time.perf_counter()
        for _ in range(EXCHANGES):
            client.send(b"x")
            server.send(server.recv(1))
            client.recv(1)
        return EXCHANGES / (time.perf_counter() - begin) / 1000


def connections(door: tuple[str, int], listening: socket.socket) -> float:
    """Thousands a second, each with one exchange."""
    begin = time.perf_counter()
    for _ in range(CONNECTIONS):
        with socket.create_connection(door) as client, listening.accept()[0] as server:
            client.send(b"x")
            server.send(server.recv(1))
            client.recv(1)
    return CONNECTIONS / (time.perf_counter() - begin) / 1000


def carrying(folder: Path, rounds: int) -> None:
    doors: Doors = {"nothing between": SERVER, "ours": ("::1", 8080)}
    with ExitStack() as running:
        plane = PortPlane(str(folder / "relay.sock"))
        target = (ip_address(SERVER[0]), SERVER[1])
        plane.apply([Create(PortHold("tcp", ip_address("::"), 8080, target))])
        running.callback(plane.stop)
        program = shutil.which("docker-proxy", path=f"{os.environ['PATH']}:{ORACLE}")
        if program:
            running.enter_context(docker_proxy(program, 8081))
            doors["docker-proxy"] = ("::1", 8081)
        listening = running.enter_context(socket.create_server(SERVER))
        figures: dict[str, list[list[float]]] = {name: [] for name in doors}
        for _ in range(rounds):
            for name, door in doors.items():
                workloads = (throughput, exchanges, connections)
                figures[name].append([workload(door, listening) for workload in workloads])
    print(f"{'':16} {'Gbit/s':>8} {'krr/s':>8} {'kcrr/s':>8}")
    for name, found in figures.items():
        columns = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{name:16} " + " ".join(f"{figure:8.2f}" for figure in columns))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with own_space(), tempfile.TemporaryDirectory() as folder:
        keeping(Path(folder), rounds)
        carrying(Path(folder), rounds)


if __name__ == "__main__":
    main()
