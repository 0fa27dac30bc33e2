"""The control groups of our containers, in every hierarchy the host has mounted (v1, v2 or both)."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.model.ids import ContainerID

_TRIES = 20
_PAUSE_S = 0.01


@dataclass(frozen=True)
class Cgroups:
    """`parent` is the group that holds one group for each container, named by its id."""

    parent: str

    @cached_property
    def _mounts(self) -> tuple[str, ...]:
        fields = [line.split() for line in Path("/proc/self/mounts").read_text("utf-8").splitlines()]
        return tuple(place for _, place, kind, *_ in fields if kind in {"cgroup", "cgroup2"})

    def of(self, container: ContainerID) -> list[str]:
        paths = (f"{mount}{self.parent}/{container}" for mount in self._mounts)
        return [path for path in paths if Path(path).is_dir()]

    def processes(self, container: ContainerID) -> list[int]:
        pids = {
            int(word)
            for top in self.of(container)
            for path in _tree(top)
            for word in _read(f"{path}/cgroup.procs").split()
        }
        return sorted(pids)

    def out_of_memory(self, container: ContainerID) -> bool:
        """Whether the kernel has killed anything inside for want of memory."""
        for path in self.of(container):
            counters = _read(f"{path}/memory.oom_control") + _read(f"{path}/memory.events")
            if any(line.startswith("oom_kill ") and line != "oom_kill 0" for line in counters.splitlines()):
                return True
        return False

    def thaw(self, container: ContainerID) -> None:
        """Let what is paused run on: even SIGKILL waits for that."""
        for path in self.of(container):
            for name, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
                switch = Path(path, name)
                if switch.exists():
                    switch.write_text(word, "ascii")

    async def remove(self, container: ContainerID) -> None:
        """
        Raises:
            HostRefused: a group is still in use after a fifth of a second.
        """
        for path in self.of(container):
            for group in _tree(path):
                await _remove(group)


async def _remove(group: str) -> None:
    for attempt in range(_TRIES):
        try:
            os.rmdir(group)  # noqa: PTH106 - pathlib's is taken for slow in an async function
        except FileNotFoundError:
            return
        except OSError as error:
            # The last process is dead but the kernel has not let go of it yet.
            if attempt == _TRIES - 1:
                raise HostRefused(f"cannot remove control group {group}: {error.strerror}") from error
            await asyncio.sleep(_PAUSE_S)
        else:
            return


def _tree(top: str) -> Iterator[str]:
    """Groups below and then `top` itself."""
    for path, _, _ in os.walk(top, topdown=False):
        yield path


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii")
    except OSError:
        return ""
