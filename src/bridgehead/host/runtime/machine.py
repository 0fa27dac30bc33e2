"""What this machine can give to containers."""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from msgspec import structs

from bridgehead.core.model.confinement import DeviceWish
from bridgehead.core.model.errors import HostRefused, InvalidParameter
from bridgehead.core.oci.capabilities import ORDER
from bridgehead.core.oci.config import Device
from bridgehead.core.oci.spec import Host

_GROUPS = "/sys/fs/cgroup"
_INITS = ("docker-init", "tini-static")  # linked statically: an image may have no C library
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


def wished(devices: Iterable[DeviceWish]) -> Iterator[tuple[Device, str]]:
    """The nodes that were asked for, as they are to be inside, with the access to each.

    Raises:
        InvalidParameter: there is no such node.
    """
    for wish in devices:
        for path, target in _nodes(wish):
            try:
                status = Path(path).stat()
            except OSError as error:
                raise _no_device(wish, error.strerror or "") from error
            if not (stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)):
                raise _no_device(wish, "not a device node")
            yield structs.replace(_device(path, status), path=target), wish.access


def _no_device(wish: DeviceWish, reason: str) -> InvalidParameter:
    return InvalidParameter(
        f'error gathering device information while adding custom device "{wish.source}": {reason.lower()}'
    )


def _nodes(wish: DeviceWish) -> Iterator[tuple[str, str]]:
    if not Path(wish.source).is_dir():
        yield wish.source, wish.target
        return
    for device in devices(wish.source):
        yield device.path, wish.target + device.path.removeprefix(wish.source)


def init_program() -> str:
    """A program that can be a container's first process: it passes signals on and buries the dead.

    Raises:
        HostRefused: none is installed.
    """
    for name in _INITS:
        if program := shutil.which(name):
            return program
    raise HostRefused(f"--init needs {' or '.join(_INITS)} on this host; Debian's package is tini")


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
