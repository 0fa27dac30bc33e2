"""Asking a name server: one question at a time, or as many as it can take."""

import os
import shutil
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.dns_servers import NAME, Server
from bridgehead.host.namespaces.entering import socket_in

ASKED_IN_SEQUENCE = 3000
LOAD_S = 1.5
_UNDER_WAY = 100
_SOCKETS = 4
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_QUESTION = b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03web\x00\x00\x01\x00\x01"


@dataclass(frozen=True)
class Figures:
    """`cpu_us` is the server's processor time an answer under load."""

    p50_us: float
    p99_us: float
    per_second: float
    cpu_us: float


def measure(server: Server, folder: Path) -> Figures:
    p50, p99 = sequential(server)
    before = _processor_s(server.pid)
    answered, took_s = load(server, folder)
    spent_s = _processor_s(server.pid) - before
    return Figures(p50, p99, answered / took_s, 1e6 * spent_s / max(answered, 1))


def generator() -> str:
    return "dnsperf" if shutil.which("dnsperf") else "our own asker (no dnsperf here: it is the limit)"


def sequential(server: Server) -> tuple[float, float]:
    """p50 and p99 in microseconds; asker and server on one processor.

    Waking another processor takes three times as long as the answer, and would be all that is measured.
    """
    taken = []
    with _on_one_processor(server.pid), _asker(server) as asker:
        send, receive, now = asker.send, asker.recv, time.perf_counter
        for number in range(ASKED_IN_SEQUENCE):
            packet = number.to_bytes(2, "big") + _QUESTION
            start = now()
            send(packet)
            answer = receive(512)
            taken.append((now() - start) * 1e6)
            if answer[:2] != packet[:2] or answer[7] != 1:
                raise SystemExit(f"{server.name} answered {answer!r}")
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


def load(server: Server, folder: Path) -> tuple[int, float]:
    """How many answers came in how many seconds."""
    if shutil.which("dnsperf") is None:
        return _own_load(server, folder)
    questions = folder / "questions"
    questions.write_text(f"{NAME} A\n")
    command = [
        "nsenter",
        f"--net={server.namespace}",
        "dnsperf",
        "-s",
        server.address,
        "-p",
        str(server.port),
    ]
    command += [
        "-p",
        str(server.port),
        "-d",
        str(questions),
        "-l",
        str(LOAD_S),
        "-q",
        str(_UNDER_WAY),
        "-c",
        str(_SOCKETS),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    pairs = (line.partition(":") for line in result.stdout.splitlines())
    words = {key.strip(): value.split() for key, _, value in pairs}
    return int(words["Queries completed"][0]), float(words["Run time (s)"][0])


def _own_load(server: Server) -> tuple[int, float]:
    counts = [0] * _SOCKETS
    end = time.perf_counter() + LOAD_S

    def ask(index: int) -> None:
        with _asker(server) as asker:
            for number in range(_UNDER_WAY // _SOCKETS):
                asker.send(number.to_bytes(2, "big") + _QUESTION)
            while time.perf_counter() < end:
                asker.send(asker.recv(512)[:2] + _QUESTION)
                counts[index] += 1

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(_SOCKETS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), LOAD_S


@contextmanager
def _asker(server: Server) -> Iterator[socket.socket]:
    with socket_in(server.namespace, socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(5)
        asker.connect((server.address, server.port))
        yield asker


@contextmanager
def _on_one_processor(pid: int) -> Iterator[None]:
    threads = [0, *(int(thread.name) for thread in Path(f"/proc/{pid}/task").iterdir())]
    everywhere = os.sched_getaffinity(0)
    for thread in threads:
        os.sched_setaffinity(thread, {min(everywhere)})
    try:
        yield
    finally:
        for thread in [0, *(int(thread.name) for thread in Path(f"/proc/{pid}/task").iterdir())]:
            os.sched_setaffinity(thread, everywhere)


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S
