"""Network namespaces kept alive by a bind mount over a file, without any process inside."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from bridgehead.host.namespaces.entering import CLONE_NEWNET, checked, in_own_thread, libc

_MS_BIND = 0x1000
_MNT_DETACH = 0x2
_OWN_NAMESPACE = "/proc/thread-self/ns/net"


def identity(path: str) -> int | None:
    """The inode of the namespace kept at `path`, None when none is. Another inode, another namespace."""
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        return None
    return found.st_ino if found.st_dev == Path(_OWN_NAMESPACE).stat().st_dev else None


def make(path: str, furnish: Callable[[], None]) -> None:
    """A new namespace at `path`; `furnish` runs inside before anyone can see it there.

    Raises:
        OSError: it could not be made; nothing is left behind.
    """

    def make_and_keep() -> None:
        checked(libc.unshare(CLONE_NEWNET))
        furnish()
        os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC, 0o600))
        try:
            checked(libc.mount(_OWN_NAMESPACE.encode(), os.fsencode(path), b"none", _MS_BIND, None), path)
        except OSError:
            Path(path).unlink()
            raise

    in_own_thread(make_and_keep)


def remove(path: str) -> None:
    """Stop keeping what is at `path`, if anything. The namespace itself ends once nobody is inside."""
    if libc.umount2(os.fsencode(path), _MNT_DETACH) < 0:
        _unless_gone(path)
    Path(path).unlink(missing_ok=True)


def _unless_gone(path: str) -> None:
    try:
        checked(-1, path)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOENT):  # not a mount point, or no such file
            raise


def kept_in(folder: str) -> Iterator[tuple[str, bool]]:
    """Each path in `folder`, and whether a namespace is kept there."""
    for name in sorted(entry.name for entry in Path(folder).iterdir()):
        path = f"{folder}/{name}"
        yield path, identity(path) is not None
