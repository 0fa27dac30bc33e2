"""Starting conmon, one for each container and each exec, and hearing from it how that went.

conmon leaves us at once (it forks twice), so neither our death nor a restart is noticed by a container.
It reports on a pipe in lines of JSON.
"""

import asyncio
import os
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import msgspec

from bridgehead.core.model.errors import HostRefused
from bridgehead.host.runtime.folder import Folder
from bridgehead.host.runtime.processes import finished, readable, spawn

_PATIENCE_S = 60.0
_LOG_BYTES = 100_000_000


class Reply(msgspec.Struct, frozen=True):
    """`data` is a process id or an exit code; below zero, `message` says what went wrong."""

    data: int = -1
    message: str = ""


class Replies:
    """conmon's lines, as they come."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = b""

    async def next(self) -> Reply | None:
        """None once conmon has closed its end.

        Raises:
            HostRefused: nothing came for a minute.
        """
        while b"\n" not in self._buffer:
            try:
                await asyncio.wait_for(readable(self._descriptor), _PATIENCE_S)
            except TimeoutError as error:
                raise HostRefused(f"conmon was silent for {_PATIENCE_S:.0f} seconds") from error
            piece = os.read(self._descriptor, 65536)
            if not piece:
                return None
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        return msgspec.json.decode(line, type=Reply)


@dataclass(frozen=True, slots=True)
class Conmon:
    """How to call conmon. `state` is the OCI runtime's own folder."""

    program: str
    state: str

    def container_arguments(
        self, folder: Folder, runtime: str, *, log: str, tty: bool, stdin: bool, stdin_once: bool
    ) -> list[str]:
        arguments = [*self._common(folder, folder.name, runtime), "-l", f"k8s-file:{log}"]
        arguments += ["--log-size-max", str(_LOG_BYTES), "--no-sync-log"]
        if tty:
            arguments.append("-t")
        if stdin:
            arguments.append("-i")
        if tty or not stdin_once:
            arguments.append("--leave-stdin-open")
        return arguments

    def exec_arguments(
        self, folder: Folder, container: str, runtime: str, *, tty: bool, stdin: bool, attach: bool
    ) -> list[str]:
        arguments = [*self._common(folder, container, runtime), "-l", "none"]
        arguments += ["-e", "--exec-process-spec", folder.config]
        if attach:
            arguments.append("--exec-attach")
        if tty:
            arguments.append("-t")
        if stdin:
            arguments.append("-i")
        return arguments

    def _common(self, folder: Folder, container: str, runtime: str) -> list[str]:
        return [
            *(self.program, "--api-version", "1", "--full-attach", "--log-level", "warning"),
            *("-c", container, "-n", container, "-u", folder.name),
            *("-r", runtime, "--runtime-arg", "--root", "--runtime-arg", self.state),
            *("-b", folder.path, "-p", folder.pidfile, "-P", folder.conmon_pidfile),
            *("--exit-dir", folder.exits, "--persist-dir", folder.path),
        ]


class Talk:
    """One conversation with a conmon that is being started; close it when the last reply was read."""

    def __init__(self, arguments: list[str], folder: Folder, *, attach: bool) -> None:
        self._open = ExitStack()
        self._folder = folder
        with ExitStack() as theirs:
            words, sync = self._pipe(theirs)
            environment = {
                "PATH": os.environ.get("PATH", os.defpath),
                "TZ": "UTC",
                "_OCI_SYNCPIPE": str(sync),
            }
            keep = [sync]
            self._replies = Replies(words)
            if attach:
                listening, attached = self._pipe(theirs)
                self._listening = Replies(listening)
                environment["_OCI_ATTACHPIPE"] = str(attached)
                ours, self._go = os.pipe()
                theirs.callback(os.close, ours)
                self._open.callback(os.close, self._go)
                environment["_OCI_STARTPIPE"] = str(ours)
                keep += [attached, ours]
                self.go_on()
            errors = os.open(folder.errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            theirs.callback(os.close, errors)
            # conmon drops a file `oom` wherever it runs; the bundle is where that belongs.
            there = ["env", "-C", folder.path, *arguments]
            self._child = spawn(there, environment=environment, output=errors, keep=keep)

    def _pipe(self, theirs: ExitStack) -> tuple[int, int]:
        ours, other = os.pipe()
        self._open.callback(os.close, ours)
        theirs.callback(os.close, other)
        os.set_blocking(ours, False)
        return ours, other

    async def forked(self) -> None:
        """conmon's first process is gone: what is left is not our child."""
        await finished(self._child)

    async def socket_listens(self) -> bool:
        return await self._listening.next() is not None

    def go_on(self) -> None:
        """An attached conmon waits for this twice: at first, and before it runs the command, which could else
        be over before anybody is attached.
        """
        with suppress(BrokenPipeError):  # one that has ended says why in its reply
            os.write(self._go, b"\0")

    async def started(self) -> Reply:
        """The process id, or below zero the runtime's complaint.

        Raises:
            HostRefused: conmon itself could not start.
        """
        reply = await self._replies.next()
        if reply is None:
            raise HostRefused(f"conmon did not start: {self._folder.read_errors() or 'it said nothing'}")
        return reply

    def close(self) -> None:
        self._open.close()
