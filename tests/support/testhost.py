"""A test host: a machine in a box, made of namespaces, on which a daemon can do as it likes.

One process, the first of its own PID namespace, holds the network, mount, host name and process namespaces.
It reads a pipe that only the test holds: when the test ends, in whatever way, the pipe closes, the first
process leaves, and the kernel ends every other process of the box and drops its mounts and links with it.
"""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

OUTSIDE_ADDRESS = "198.51.100.1"
UPLINK_ADDRESS = "198.51.100.2"
RESOLV_CONF = f"nameserver {OUTSIDE_ADDRESS}\nsearch example.test\n"

_NAMESPACES = ("--net", "--mount", "--uts", "--pid", "--ipc")
# /proc still is the outer one when the first line runs: that is how the first process learns its outer id.
# A new /sys shows this host's links instead of the machine's; the control groups are carried over into it.
_FIRST_PROCESS = """
set -e
read -r outer _ </proc/self/stat
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/cgroup
mount --rbind /sys/fs/cgroup /run/cgroup
umount --recursive --lazy /sys
mount -t sysfs sysfs /sys
mount --move /run/cgroup /sys/fs/cgroup
rmdir /run/cgroup
mount --bind "$2" /etc/resolv.conf
echo "$1" >/proc/sys/kernel/hostname
ip link set lo up
echo "$outer"
trap : TERM INT HUP
read -r _ || true
"""
_serial = itertools.count(1)


class CommandFailed(AssertionError):
    """A command that a test needs to succeed did not."""


class Host:
    """A context manager; else call `close`. `folder` is shared with the outside; /run is the host's own."""

    def __init__(self, name: str = "") -> None:
        self.name = name or f"host{next(_serial)}"
        self.folder = Path(tempfile.mkdtemp(prefix=f"bh-{self.name}-"))
        self._outside: Host | None = None
        self._started: list[subprocess.Popen[Any]] = []
        (self.folder / "resolv.conf").write_text(RESOLV_CONF)
        self._boot()

    def _boot(self) -> None:
        self._holder = subprocess.Popen(
            [
                *("unshare", *_NAMESPACES, "--fork", "--kill-child", "--propagation", "private"),
                *("bash", "-c", _FIRST_PROCESS, "holder", self.name, str(self.folder / "resolv.conf")),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._holder.stdout is not None
        answer = self._holder.stdout.readline()
        if not answer:
            self.close()
            raise CommandFailed(f"test host {self.name} did not come up")
        self.pid = int(answer)

    def reboot(self) -> None:
        """Power off and on: every process, link, rule and mount is gone, /run is empty, `folder` is kept."""
        self._end()
        self._boot()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def root(self) -> Path:
        """The host's file system as seen from outside, its own mounts included."""
        return Path(f"/proc/{self.pid}/root")

    def entering(self, argv: Sequence[str | Path]) -> list[str]:
        """`argv` changed so that it runs inside."""
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-u", "-p", "-i", *map(str, argv)]

    def popen(self, argv: Sequence[str | Path], **options: Any) -> "subprocess.Popen[Any]":
        """Start a process inside. The process returned is its parent outside and ends with the same code."""
        process = subprocess.Popen(self.entering(argv), **options)
        self._started.append(process)
        return process

    def run(
        self,
        *argv: str | Path,
        timeout_s: float = 20,
        check: bool = True,
        stdin: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command inside to its end.

        Raises:
            CommandFailed: it did not return 0 and `check` is set.
        """
        outcome = subprocess.run(
            self.entering(argv),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env={**os.environ, **(environment or {})},
        )
        if check and outcome.returncode:
            words = " ".join(map(str, argv))
            raise CommandFailed(f"{words}: exit {outcome.returncode}: {outcome.stderr}{outcome.stdout}")
        return outcome

    def json(self, *argv: str | Path) -> Any:
        return json.loads(self.run(*argv).stdout or "[]")

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Signal a process by the id it has inside; one that is gone already is no error."""
        self.run("kill", f"-{number}", str(pid), check=False)

    def processes(self) -> dict[int, str]:
        """Every process inside but the first, by its id there, with its command line."""
        found = {}
        for entry in (self.root / "proc").iterdir():
            if entry.name.isdigit() and entry.name != "1":
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found[int(entry.name)] = words.strip() or (entry / "comm").read_text().strip()
        return found

    def mounts(self) -> list[str]:
        """Mount points as seen inside."""
        lines = (self.root / "proc/1/mounts").read_text().splitlines()
        return [line.split()[1] for line in lines]

    def outside(self) -> "Host":
        """A second machine at the other end of this one's uplink, which becomes its default route."""
        if self._outside is None:
            self._outside = Host(f"{self.name}-out")
            self._connect_outside(self._outside)
        return self._outside

    def _connect_outside(self, outside: "Host") -> None:
        add = ["ip", "link", "add", "uplink", "type", "veth", "peer", "name", "uplink", "netns"]
        # Only the network is entered: process ids are meant in the numbering out here.
        inside_network = ["nsenter", "-t", str(self.pid), "-n"]
        subprocess.run([*inside_network, *add, str(outside.pid)], check=True, timeout=10)
        for host, address in ((self, UPLINK_ADDRESS), (outside, OUTSIDE_ADDRESS)):
            host.run("ip", "address", "add", f"{address}/24", "dev", "uplink")
            host.run("ip", "link", "set", "uplink", "up")
        self.run("ip", "route", "add", "default", "via", OUTSIDE_ADDRESS)

    def close(self) -> None:
        """End every process inside, drop the namespaces, remove the folder. Safe to call twice."""
        if self._outside is not None:
            self._outside.close()
        containers = self._cgroups() if self.folder.exists() else []
        self._end()
        for path in containers:
            with contextlib.suppress(OSError):
                path.rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        for pipe in (self._holder.stdin, self._holder.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._holder.wait(timeout=5)  # the kernel lets the first process go only after all the others
        except subprocess.TimeoutExpired:
            self._holder.kill()  # --kill-child: the first process inside goes with it
            self._holder.wait(timeout=5)
        for process in self._started:
            process.wait(timeout=5)
        self._started.clear()

    def _cgroups(self) -> list[Path]:
        """The control groups of containers known in this host's folder: they alone outlive its processes."""
        identifiers = {path.name for path in self.folder.glob("*/containers/*")}
        return [path for name in identifiers for path in cgroups_named(name)]


def cgroups_named(container: str) -> Iterator[Path]:
    for pattern in (f"*/*/{container}", f"*/{container}"):
        yield from Path("/sys/fs/cgroup").glob(pattern)
