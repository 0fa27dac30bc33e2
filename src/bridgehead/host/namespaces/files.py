"""Network namespaces kept alive by a bind mount over a file, without any process inside."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from bridgehead.core.model.errors import HostRefused
from bridgehead.host.namespaces.entering import CLONE_NEWNET, checked, in_own_thread, libc

_MS_NOEXEC, _MS_REMOUNT, _MS_BIND = 0x8, 0x20, 0x1000
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


def lend(path: str, source: str, inode: int) -> None:
    """Keep at `path` the namespace that somebody else made and `source` stands for.

    The mount is marked, with a flag that means nothing on such a file, so that a fresh process knows: this
    namespace is not ours and will outlive the mount.

    Raises:
        HostRefused: `source` is not, or no longer, the namespace with that inode.
        OSError: it cannot be mounted.
    """
    descriptor = opened(source, inode)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC, 0o600))
        found = f"/proc/self/fd/{descriptor}".encode()
        checked(libc.mount(found, os.fsencode(path), b"none", _MS_BIND, None), path)
        marked = _MS_REMOUNT | _MS_BIND | _MS_NOEXEC
        checked(libc.mount(None, os.fsencode(path), None, marked, None), path)
    except OSError:
        remove(path)
        raise
    finally:
        os.close(descriptor)


def opened(source: str, inode: int) -> int:
    """A descriptor of the namespace with that inode.

    Raises:
        HostRefused: there is none, or another one.
    """
    try:
        descriptor = os.open(source, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise HostRefused(f"the network namespace {source} is gone: {error.strerror}") from error
    if identity(f"/proc/self/fd/{descriptor}") == inode:
        return descriptor
    os.close(descriptor)
    raise HostRefused(f"the network namespace {source} is another one than before")


def is_lent(path: str) -> bool:
    """Whether what is kept at `path` is somebody else's."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_NOEXEC) and identity(path) is not None
    except FileNotFoundError:
        return False


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
