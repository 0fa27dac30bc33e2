"""One exec in a running container, from its start to its exit code."""

import asyncio
import shutil
import signal
from contextlib import suppress

from bridgehead.host.runtime.attach import AttachedStream
from bridgehead.host.runtime.folder import Folder
from bridgehead.host.runtime.processes import Held, hold
from bridgehead.host.runtime.terminal import resize

_UNKNOWN = 255


class RunningExecution:
    """The folder of an exec is removed when it ends, whether or not anyone waits for it."""

    def __init__(self, folder: Folder, pid: int, stream: AttachedStream | None) -> None:
        self.pid = pid
        self.stream = stream
        self._folder = folder
        self._conmon = conmon_of(folder)
        self.end = asyncio.ensure_future(self._ended())

    async def wait(self) -> int:
        return await asyncio.shield(self.end)

    def resize(self, height: int, width: int) -> None:
        resize(self._folder, height, width)

    def kill(self) -> None:
        if self.end.done():
            return
        if held := hold(self.pid, evidence="cgroup", mark=f"/{self._folder.container}\n"):
            with held:
                held.send(signal.SIGKILL)

    async def _ended(self) -> int:
        if self._conmon:
            with self._conmon as conmon:
                await conmon.ended()
        code = self._folder.exit_code()
        with suppress(FileNotFoundError):
            shutil.rmtree(self._folder.path)
        return _UNKNOWN if code is None else code


def conmon_of(folder: Folder) -> Held | None:
    """The conmon that serves this folder, while it lives."""
    return hold(folder.conmon_pid(), evidence="cmdline", mark=f"\0-u\0{folder.name}\0")
