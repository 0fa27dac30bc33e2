"""Text files that containers hold by bind mount: read with suspicion, written in place.

A container may write to its own copy of such a file, so what is read may be huge or no text at all.
"""

import errno
import os
import stat

_LARGEST = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o644
_NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)


def read(path: str) -> str | None:
    """What the file holds, cut after 1 MiB; None if there is no regular file of that name."""
    try:
        descriptor = os.open(path, _READ)
    except OSError as error:
        if error.errno in _NO_FILE:
            return None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(_LARGEST).decode(errors="surrogateescape")
    finally:
        os.close(descriptor)


def write(path: str, content: str) -> None:
    """Make this the content of the same inode; a reader never sees the file empty."""
    data = content.encode(errors="surrogateescape")
    descriptor = _opened(path)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
        file.truncate(len(data))


def _opened(path: str) -> int:
    try:
        descriptor = os.open(path, _WRITE | os.O_CREAT | os.O_EXCL, _MODE)
    except FileExistsError:
        return os.open(path, _WRITE)
    os.fchmod(descriptor, _MODE)  # whatever the daemon's umask is
    return descriptor
