"""Making a container's root the only thing a child can see.

In a mount namespace of its own, which ends with it: so nothing is left on the host, however the child ends.
The root of a container that does not run is mounted there alone. After that every other mount is let go of,
so that no name and no link can lead anywhere but into the container, whatever happens inside meanwhile.
"""

# Paths are given to the kernel as they are.

import ctypes
import os
import signal
import stat
import sys

from bridgehead.core.model.errors import Conflict
from bridgehead.core.plan.diff import Create
from bridgehead.core.plan.objects import OverlayMount
from bridgehead.host.copying.order import Inner, Order, Verb
from bridgehead.host.mounts.plane import MountPlane

_NEW_MOUNTS = 0x20000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x40000
_DETACH = 2
_DEATH_SIGNAL = 1
_OPENAT2 = 437  # the same on every architecture
_NO_MAGIC_LINKS, _IN_ROOT = 0x02, 0x10
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def end_with(parent: int) -> None:
    """Die when the process `parent`, which started us, does: nobody else knows that this root is mounted."""
    _checked(_libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0))
    if os.getppid() != parent:  # it was over before it could be heard
        os._exit(1)


def enter(order: Order) -> None:
    """
    Raises:
        Conflict: the container has stopped meanwhile.
        OSError: the kernel refused.
    """
    _checked(_libc.unshare(_NEW_MOUNTS))
    _mount(None, b"/", _RECURSIVE | _PRIVATE)
    if not os.path.ismount(order.target):
        _mount_root(order)
    root = os.open(order.target, _FOLDER)
    for inner in sorted(order.inner, key=lambda inner: os.path.normpath(inner.target).count("/")):
        _mount_inner(root, inner)
    if order.read_only and order.verb is Verb.WRITE:
        _mount(None, os.fsencode(order.target), _REMOUNT | _BIND | _READ_ONLY)
    os.fchdir(root)
    _checked(_libc.pivot_root(b".", b"."))
    _checked(_libc.umount2(b".", _DETACH))
    os.chdir("/")
    os.close(root)
    _forget_modules()


def opened(folder: int, path: bytes, flags: int) -> int:
    """Open `path` as if `folder` were the root; the links of /proc, which lead past every root, are refused.

    Raises:
        OSError: as openat2(2).
    """
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _NO_MAGIC_LINKS | _IN_ROOT)
    result: int = _libc.syscall(_OPENAT2, folder, path, ctypes.byref(how), ctypes.sizeof(how))
    _checked(result, path)
    return result


def _mount_root(order: Order) -> None:
    if order.running:
        raise Conflict("the container has stopped meanwhile")
    root = OverlayMount(order.target, order.lower, order.upper, order.work)
    for error in MountPlane(os.path.dirname(order.target)).apply([Create(root)]).values():  # noqa: PTH120
        raise error


def _mount_inner(root: int, inner: Inner) -> None:
    """What is not there any more, or has no place inside, is left out: the container's own start says why."""
    try:
        source = os.open(inner.source, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    is_folder = stat.S_ISDIR(os.fstat(source).st_mode)
    try:
        place = _place(root, inner.target, is_folder=is_folder)
    except OSError:
        return
    target = b"/proc/self/fd/%d" % place
    _checked(_libc.mount(b"/proc/self/fd/%d" % source, target, None, _BIND | _RECURSIVE, None))
    if inner.read_only:
        os.close(place)
        mounted = opened(root, os.fsencode(inner.target), os.O_PATH)
        _mount(None, b"/proc/self/fd/%d" % mounted, _REMOUNT | _BIND | _READ_ONLY)
        place = mounted
    os.close(place)
    os.close(source)


def _place(root: int, target: str, *, is_folder: bool) -> int:
    """Where it is mounted, made if it is not there, as the container's start would."""
    parts = [part for part in os.fsencode(os.path.normpath(target)).split(b"/") if part]
    above = os.dup(root)
    for depth, part in enumerate(parts, 1):
        path = b"/".join(parts[:depth])
        try:
            found = opened(root, path, os.O_PATH)
        except FileNotFoundError:
            _make(above, part, is_folder=is_folder or depth < len(parts))
            found = opened(root, path, os.O_PATH)
        os.close(above)
        above = found
    return above


def _make(above: int, name: bytes, *, is_folder: bool) -> None:
    if is_folder:
        os.mkdir(name, 0o755, dir_fd=above)
    else:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=above))


def _forget_modules() -> None:
    """From here on a module that is still to be imported would be the container's."""
    sys.path.clear()
    sys.path_hooks.clear()
    sys.meta_path.clear()
    sys.path_importer_cache.clear()


def _mount(source: bytes | None, target: bytes, flags: int) -> None:
    _checked(_libc.mount(source, target, None, flags, None), target)


def _checked(result: int, path: bytes | None = None) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
