"""mount(2), umount2(2) and the newer fsopen(2) family, which libc or Python do not offer."""

import ctypes
import os
from collections.abc import Sequence

MNT_DETACH = 2
UMOUNT_NOFOLLOW = 8

_FSOPEN, _FSCONFIG, _FSMOUNT, _MOVE_MOUNT = 430, 431, 432, 429  # the same on every architecture
_CLOEXEC = 1
_SET_STRING, _CREATE = 1, 6
_MOVE_EMPTY_PATH = 4
_AT_FDCWD = -100

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def mount(source: str, target: str, kind: str, options: str) -> None:
    result = _libc.mount(
        os.fsencode(source), os.fsencode(target), os.fsencode(kind), ctypes.c_ulong(0), os.fsencode(options)
    )
    _check(result, target)


def unmount(target: str) -> None:
    """Take it out of the tree now, though programs may still use it."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH | UMOUNT_NOFOLLOW), target)


def mount_in_steps(source: str, target: str, kind: str, options: Sequence[tuple[str, str]]) -> None:
    """Mount with options given one by one: any number of them, with any characters in them."""
    context = _call(target, _FSOPEN, os.fsencode(kind), _CLOEXEC)
    try:
        for key, value in (("source", source), *options):
            _call(target, _FSCONFIG, context, _SET_STRING, os.fsencode(key), os.fsencode(value), 0)
        _call(target, _FSCONFIG, context, _CREATE, None, None, 0)
        mounted = _call(target, _FSMOUNT, context, _CLOEXEC, 0)
    finally:
        os.close(context)
    try:
        _call(target, _MOVE_MOUNT, mounted, b"", _AT_FDCWD, os.fsencode(target), _MOVE_EMPTY_PATH)
    finally:
        os.close(mounted)


def _call(target: str, *arguments: int | bytes | None) -> int:
    result: int = _libc.syscall(*arguments)
    _check(result, target)
    return result


def _check(result: int, target: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)
