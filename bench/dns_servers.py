"""The name servers under measurement: dockerd's and ours in a container, dnsmasq and aardvark beside them.

Each knows one name. dockerd and ours are whole daemons on machines of their own, asked from inside a
container of theirs at 127.0.0.11, port 53. The other two have no redirect before them, so ours is also run
without.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.host.space import make_namespace
from tests.support.oracle import available
from tests.support.testhost import Host

from bench.sides import Side, running
from bridgehead.core.plan.diff import Create
from bridgehead.core.plan.names import NameRecord, ResolverView
from bridgehead.host.resolver.plane import ResolverPlane

NAME, ADDRESS = "web", "10.99.0.2"
PORT = 5353
DOCKER, OURS, OURS_PLAIN = "dockerd", "bridgehead", "bridgehead, plain"
DNSMASQ, AARDVARK = "dnsmasq", "aardvark-dns"


@dataclass(frozen=True)
class Server:
    """`namespace` is a path; `pid` answers, in our own numbering."""

    name: str
    namespace: str
    address: str
    port: int
    pid: int


@contextmanager
def daemons() -> Iterator[dict[str, Side]]:
    """Each daemon with a network and two containers on it: `web`, and `asker` that is to ask."""
    with ExitStack() as stack:
        sides = {OURS: stack.enter_context(running("ours", "bridgehead"))}
        if available():
            sides[DOCKER] = stack.enter_context(running("docker", "docker"))
        for side in sides.values():
            side.create_network("lan", 0)
            for name in (NAME, "asker"):
                side.create_container(name, "lan")
                side.call("POST", f"/containers/{name}/start")
        yield sides


def embedded(sides: dict[str, Side]) -> Iterator[Server]:
    for name, side in sides.items():
        asker = json.loads(side.call("GET", "/containers/asker/json"))["State"]["Pid"]
        namespace = f"{side.daemon.host.root}/proc/{asker}/ns/net"
        answering = side.daemon.pid if name == DOCKER else _resolver(side.daemon.host)
        yield Server(name, namespace, "127.0.0.11", 53, _outer(side.daemon.host, answering))


def plain(stack: ExitStack, folder: Path) -> list[Server]:
    plane = ResolverPlane(str(folder / "resolver.sock"))
    stack.callback(plane.stop)
    plane.observe()
    namespace = make_namespace(folder / "plain")
    record = NameRecord("endpoint", "network", "net", (NAME,), (ADDRESS,))
    view = ResolverView(namespace, namespace, PORT, ("network",))
    if failed := plane.apply([Create(record), Create(view)]):
        raise SystemExit(f"resolver: {failed}")
    return [Server(OURS_PLAIN, namespace, "127.0.0.11", PORT, plane.pid or 0)]


def dnsmasq(stack: ExitStack, folder: Path) -> list[Server]:
    if shutil.which("dnsmasq") is None:
        return []
    namespace = make_namespace(folder / "dnsmasq")
    command = ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null"]
    command += [f"--host-record={NAME},{ADDRESS}", f"--port={PORT}", "--listen-address=127.0.0.1"]
    command += ["--bind-interfaces", "--user=root", "--pid-file", "--cache-size=1000", "--log-facility=-"]
    pid = stack.enter_context(_process(["nsenter", f"--net={namespace}", *command]))
    return [Server(DNSMASQ, namespace, "127.0.0.1", PORT, pid)]


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
    return [Server(AARDVARK, namespace, "127.0.0.1", PORT, pid)]


def _outer(host: Host, inner: int) -> int:
    """Our own number for a process of a test host."""
    wanted = Path(f"/proc/{host.pid}/ns/pid").stat().st_ino
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, StopIteration):
            if entry.name.isdigit() and (entry / "ns/pid").stat().st_ino == wanted:
                lines = (entry / "status").read_text().splitlines()
                numbers = next(line for line in lines if line.startswith("NSpid:")).split()[1:]
                if int(numbers[-1]) == inner:
                    return int(entry.name)
    raise SystemExit(f"no process {inner} on the test host {host.name}")


def _resolver(host: Host) -> int:
    return next(pid for pid, words in host.processes().items() if "bridgehead.host.resolver" in words)


@contextmanager
def _process(command: list[str]) -> Iterator[int]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.kill()
