"""A network and a mount namespace around the calling thread, for tests that call adapters directly."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEW_NET, NEW_MOUNTS = 0x40000000, 0x00020000
_WORKING_FOLDER = 0x200
_PRIVATE, _RECURSIVE, _BIND = 1 << 18, 16384, 4096

libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def own_space() -> Iterator[None]:
    """Until the end, what this thread mounts and configures is its own; then it is where it was."""
    folder = Path.cwd()
    before = [os.open(f"/proc/thread-self/ns/{name}", os.O_RDONLY) for name in ("net", "mnt")]
    _check(libc.unshare(NEW_NET | NEW_MOUNTS))
    try:
        _check(libc.mount(None, b"/", None, ctypes.c_ulong(_RECURSIVE | _PRIVATE), None))
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield
    finally:
        # A thread that just ended may still share our working folder, and then no mounts can be entered.
        _check(libc.unshare(_WORKING_FOLDER))
        for descriptor in before:
            _check(libc.setns(descriptor, 0))
            os.close(descriptor)
        os.chdir(folder)


def bind(source: str, target: Path) -> None:
    _check(libc.mount(source.encode(), bytes(target), None, ctypes.c_ulong(_BIND), None))


def mount_tmpfs(target: Path) -> None:
    _check(libc.mount(b"tmpfs", bytes(target), b"tmpfs", ctypes.c_ulong(0), None))


def make_namespace(path: Path) -> str:
    """A network namespace kept alive at `path`, made without leaving the present one."""
    path.touch()
    command = ["unshare", "--net", "sh", "-c", "ip link set lo up; echo; exec sleep 60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == b"\n"
        bind(f"/proc/{keeper.pid}/ns/net", path)
        keeper.kill()
    return str(path)


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
