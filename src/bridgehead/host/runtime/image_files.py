"""Reading an image's own files. Its symbolic links may point at the host's, and must not lead there."""

import ctypes
import os

_SYS_OPENAT2 = 437
_RESOLVE_IN_ROOT = 0x10
_LARGEST = 1 << 20

_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def read(rootfs: str, path: str) -> str:
    """The text of a file as the container would see it; empty when there is none. At most 1 MiB of it."""
    root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        descriptor = _open_inside(root, path)
    finally:
        os.close(root)
    if descriptor is None:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        return file.read(_LARGEST).decode(errors="replace")


def _open_inside(root: int, path: str) -> int | None:
    # Not to wait for a writer, should the image hold a fifo in this place.
    how = _OpenHow(os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY, 0, _RESOLVE_IN_ROOT)
    descriptor: int = _libc.syscall(_SYS_OPENAT2, root, path.encode(), ctypes.byref(how), ctypes.sizeof(how))
    return descriptor if descriptor >= 0 else None
