"""Processes without threads or polling: start them by posix_spawn, wait for them by pidfd."""

import asyncio
import os
import select
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_EXITING = 0x4  # PF_EXITING, among the flags in /proc/PID/stat


async def readable(descriptor: int) -> None:
    """Wait until `descriptor` can be read: a pipe has data or has ended, the process of a pidfd is dead."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(descriptor, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def spawn(argv: list[str], *, environment: Mapping[str, str], output: int, keep: Sequence[int] = ()) -> int:
    """Start a process in a session of its own; `output` takes what it prints, `keep` stay open in it."""
    return os.posix_spawnp(
        argv[0],
        argv,
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
            # Onto itself: that alone takes the close-on-exec mark away, and only in the child.
            *((os.POSIX_SPAWN_DUP2, descriptor, descriptor) for descriptor in keep),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
    )


async def finished(child: int) -> int:
    """Wait for a child of ours; its exit code, 128 and more for a signal."""
    descriptor = os.pidfd_open(child)
    try:
        await readable(descriptor)
    finally:
        os.close(descriptor)
    return _reap(child)


def _reap(child: int) -> int:
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


async def run(argv: list[str], *, seconds: float = 30) -> tuple[int, str]:
    """Exit code and all that was printed: into a file in memory, for a grandchild may hold a pipe open.

    Raises:
        TimeoutError: it was killed after `seconds`.
    """
    output = os.memfd_create("output", os.MFD_CLOEXEC)
    try:
        child = spawn(argv, environment=os.environ, output=output)
        try:
            code = await asyncio.wait_for(finished(child), seconds)
        except TimeoutError:
            os.kill(child, signal.SIGKILL)
            await finished(child)
            raise
        os.lseek(output, 0, os.SEEK_SET)
        return code, os.read(output, 1 << 20).decode(errors="replace").strip()
    finally:
        os.close(output)


@dataclass(frozen=True, slots=True)
class Held:
    """A process that cannot be mistaken for another while this is open."""

    pid: int
    descriptor: int

    @property
    def dead(self) -> bool:
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        return bool(poll.poll(0))

    async def ended(self) -> None:
        await readable(self.descriptor)

    def send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, number)

    def close(self) -> None:
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def hold(pid: int | None, *, evidence: str, mark: str) -> Held | None:
    """The process `pid` if its /proc file `evidence` holds `mark`; else another has its number now."""
    if pid is None:
        return None
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    held = Held(pid, descriptor)
    # Opened first and looked at second: what is seen belongs to what is held, or else it is dead.
    seen = _read(pid, evidence)
    if (mark.encode() in seen or (not seen and _is_leaving(pid))) and not held.dead:
        return held
    held.close()
    return None


def _is_leaving(pid: int) -> bool:
    """A process gives up its memory, and so its arguments, a moment before it is dead: then wait for that."""
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return bool(fields) and bool(int(fields[6]) & _EXITING)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
