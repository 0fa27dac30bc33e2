"""How fast one local name is answered, by us and by whichever other name servers are installed here.

    .venv/bin/python -m bench.dns [ROUNDS]

Everything runs in network and mount namespaces of its own. Rounds are interleaved over the servers, so a
noisy neighbour hits all of them. Ours is asked at its own port and, as a container would, at port 53 through
the sandbox's redirect.

Sequential: one asker in Python, one question at a time, asker and server on one processor; waking another
processor takes three times as long as the answer, and would be all that is measured. Load: dnsperf with 100
questions under way on all processors (left out if it is not installed).
"""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.host.space import make_namespace, own_space

from bridgehead.core.plan.diff import Create
from bridgehead.core.plan.objects import NameRecord, ResolverRedirect, ResolverView
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.nft.plane import FirewallPlane
from bridgehead.host.resolver.plane import ResolverPlane

NAME, ADDRESS = "web", "10.0.0.2"
QUESTION = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03web\x00\x00\x01\x00\x01"
ASKED_IN_SEQUENCE = 3000
LOAD_S = 2
PORT = 5353


@dataclass(frozen=True)
class Server:
    name: str
    namespace: str
    address: str
    port: int
    pid: int


@dataclass(frozen=True)
class Figures:
    p50_us: float
    p99_us: float
    per_second: float


@contextmanager
def running(command: list[str]) -> Iterator[int]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.kill()


@contextmanager
def on_one_processor(server: Server) -> Iterator[None]:
    threads = [0, *(int(thread.name) for thread in Path(f"/proc/{server.pid}/task").iterdir())]
    everywhere = os.sched_getaffinity(0)
    for thread in threads:
        os.sched_setaffinity(thread, {min(everywhere)})
    try:
        yield
    finally:
        for thread in threads:
            os.sched_setaffinity(thread, everywhere)


def ours(stack: ExitStack, folder: Path) -> list[Server]:
    plane = ResolverPlane(str(folder / "resolver.sock"))
    stack.callback(plane.stop)
    plane.observe()
    plain, redirected = (make_namespace(folder / name) for name in ("ours", "redirected"))
    views = [ResolverView(path, path, PORT, ("network",)) for path in (plain, redirected)]
    record = NameRecord("endpoint", "network", "net", (NAME,), (ADDRESS,))
    if failed := plane.apply([Create(record), *(Create(view) for view in views)]):
        raise SystemExit(f"resolver: {failed}")
    _redirect(redirected)
    pid = plane.pid or 0
    print(f"resolver process: {_memory_kb(pid)} kB resident")
    return [
        Server("bridgehead", plain, "127.0.0.11", PORT, pid),
        Server("bridgehead, port 53", redirected, "127.0.0.11", 53, pid),
    ]


def dnsmasq(stack: ExitStack, folder: Path) -> list[Server]:
    if shutil.which("dnsmasq") is None:
        return []
    namespace = make_namespace(folder / "dnsmasq")
    command = ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null"]
    command += [f"--host-record={NAME},{ADDRESS}", f"--port={PORT}", "--listen-address=127.0.0.1"]
    command += ["--bind-interfaces", "--user=root", "--pid-file", "--cache-size=1000", "--log-facility=-"]
    pid = stack.enter_context(running(["nsenter", f"--net={namespace}", *command]))
    return [Server("dnsmasq", namespace, "127.0.0.1", PORT, pid)]


def aardvark(stack: ExitStack, folder: Path) -> list[Server]:
    program = Path("/usr/lib/podman/aardvark-dns")
    if not program.exists():
        return []
    namespace = make_namespace(folder / "aardvark")
    configuration = folder / "aardvark-configuration"
    configuration.mkdir()
    (configuration / "net").write_text(f"127.0.0.1\n{'a' * 64} {ADDRESS}  {NAME}\n")
    command = [str(program), "--config", str(configuration), "--port", str(PORT), "run"]
    subprocess.run(["nsenter", f"--net={namespace}", *command], check=True, timeout=10)
    pid = int((configuration / "aardvark.pid").read_text())
    stack.callback(os.kill, pid, signal.SIGKILL)
    return [Server("aardvark-dns", namespace, "127.0.0.1", PORT, pid)]


def sequential(server: Server) -> tuple[float, float]:
    """p50 and p99 in microseconds."""
    taken = []
    with on_one_processor(server), socket_in(server.namespace, socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(2)
        asker.connect((server.address, server.port))
        for _ in range(ASKED_IN_SEQUENCE):
            start = time.perf_counter()
            asker.send(QUESTION)
            asker.recv(512)
            taken.append((time.perf_counter() - start) * 1e6)
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


def load(server: Server, folder: Path) -> float:
    """Answers a second; 0 without dnsperf."""
    if shutil.which("dnsperf") is None:
        return 0.0
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
    command += ["-d", str(questions), "-l", str(LOAD_S), "-q", "100"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    line = next(line for line in result.stdout.splitlines() if "Queries per second" in line)
    return float(line.split(":")[1])


def main(rounds: int) -> None:
    with own_space(), tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        stack.callback(_unmount, folder)
        servers = [server for installed in (ours, dnsmasq, aardvark) for server in installed(stack, folder)]
        time.sleep(0.5)
        measured: dict[Server, list[Figures]] = {server: [] for server in servers}
        for _ in range(rounds):
            for server in servers:
                measured[server].append(Figures(*sequential(server), load(server, folder)))
    print(f"{f'{rounds} rounds, median':<22} {'p50 us':>8} {'p99 us':>8} {'answers/s':>10} {'best':>8}")
    for server, figures in measured.items():
        p50, p99, speed = (
            statistics.median(getattr(one, field) for one in figures)
            for field in ("p50_us", "p99_us", "per_second")
        )
        best = max(one.per_second for one in figures)
        print(f"{server.name:<22} {p50:>8.0f} {p99:>8.0f} {speed:>10.0f} {best:>8.0f}")


def _redirect(namespace: str) -> None:
    with closing(FirewallPlane(str(Path(namespace).parent), socket_in)) as firewall:
        if failed := firewall.apply([Create(ResolverRedirect(namespace, PORT))]):
            raise SystemExit(f"redirect: {failed}")


def _memory_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def _unmount(folder: Path) -> None:
    for name in ("ours", "redirected", "dnsmasq", "aardvark"):
        if (folder / name).exists():
            subprocess.run(["umount", str(folder / name)], check=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
