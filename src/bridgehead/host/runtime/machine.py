"""What this machine can give to containers."""

import os
import stat
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bridgehead.core.oci.capabilities import ORDER
from bridgehead.core.oci.config import Device
from bridgehead.core.oci.spec import Host

_GROUPS = "/sys/fs/cgroup"
# Made afresh in each container, so never the host's.
_OWN = frozenset({"/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/fd", "/dev/console", "/dev/.lxc"})


@cache
def look() -> Host:
    cgroup_v2 = Path(_GROUPS, "cgroup.controllers").exists()
    return Host(
        machine=os.uname().machine,
        cgroup_v2=cgroup_v2,
        swap_accounting=_swap_accounting(cgroup_v2=cgroup_v2),
        capabilities=_capabilities(),
    )


def devices(folder: str = "/dev") -> Iterator[Device]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.path in _OWN:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from devices(entry.path)
                continue
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
                yield _device(entry.path, status)


def _device(path: str, status: os.stat_result) -> Device:
    return Device(
        path=path,
        type="c" if stat.S_ISCHR(status.st_mode) else "b",
        major=os.major(status.st_rdev),
        minor=os.minor(status.st_rdev),
        file_mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
    )


def _capabilities() -> frozenset[str]:
    status = Path("/proc/self/status").read_text("utf-8").splitlines()
    bits = next(int(line.split()[1], 16) for line in status if line.startswith("CapBnd:"))
    return frozenset(name for number, name in enumerate(ORDER) if bits >> number & 1)


def _swap_accounting(*, cgroup_v2: bool) -> bool:
    if not cgroup_v2:
        return Path(_GROUPS, "memory/memory.memsw.limit_in_bytes").exists()
    return any(Path(_GROUPS).glob("*/memory.swap.max"))
