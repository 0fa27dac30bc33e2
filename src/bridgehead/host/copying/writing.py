"""A tree of a container's files as an archive.

The container may change it meanwhile: what vanishes is left out, what grows or shrinks is cut or filled to
the size that was announced. Only regular files are opened, and those after a look at what is opened.
"""

# Names are bytes, which pathlib does not hold.
# ruff: noqa: PTH115, PTH118, PTH208

import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from bridgehead.core.images import tar_writing
from bridgehead.core.images.tar import Entry, Kind

_PIECE = 1 << 20
_CAPABILITY = b"security.capability"
_SPECIAL = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFLNK: Kind.SYMBOLIC_LINK,
    stat.S_IFCHR: Kind.CHARACTER_DEVICE,
    stat.S_IFBLK: Kind.BLOCK_DEVICE,
    stat.S_IFIFO: Kind.FIFO,
}
_GONE = (FileNotFoundError, NotADirectoryError)


class Writer:
    """`descriptors` is /proc/self/fd, opened while it was in sight."""

    def __init__(self, out: BinaryIO, descriptors: int) -> None:
        self._out = out
        self._descriptors = descriptors
        self._linked: dict[tuple[int, int], bytes] = {}

    def tree(self, path: bytes, name: bytes) -> None:
        """All that is at `path`, called `name` in the archive; '' for none: then only what is in it."""
        for one in _walk(path):
            below = one[len(path) :].lstrip(b"/")
            called = b"/".join(filter(None, (name.rstrip(b"/"), below))) if name != b"/" else b"/" + below
            if not called:
                continue
            try:
                self._add(one, called)
            except _GONE:
                continue

    def end(self) -> None:
        self._out.write(tar_writing.END)
        self._out.flush()

    def _add(self, path: bytes, name: bytes) -> None:
        status = os.lstat(path)
        kind = _SPECIAL.get(stat.S_IFMT(status.st_mode))
        if kind is None:
            return  # a socket cannot be said in an archive
        if kind is Kind.DIRECTORY:
            name = name.rstrip(b"/") + b"/"
        elif status.st_nlink > 1:
            first = self._linked.setdefault((status.st_dev, status.st_ino), name)
            if first != name:
                self._put(_entry(path, name, status, Kind.HARD_LINK, target=first))
                return
        if kind is Kind.FILE:
            self._file(path, name)
        else:
            target = os.readlink(path) if kind is Kind.SYMBOLIC_LINK else b""
            self._put(_entry(path, name, status, kind, target=target))

    def _file(self, path: bytes, name: bytes) -> None:
        seen = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            status = os.fstat(seen)
            if not stat.S_ISREG(status.st_mode):
                return  # changed under our eyes
            opened = os.open(b"%d" % seen, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._descriptors)
        finally:
            os.close(seen)
        try:
            entry = _entry(path, name, status, Kind.FILE)
            self._put(entry)
            for piece in _exactly(opened, entry.size):
                self._out.write(piece)
            self._out.write(bytes(entry.padding))
        finally:
            os.close(opened)

    def _put(self, entry: Entry) -> None:
        self._out.write(tar_writing.headers(entry))


def _entry(path: bytes, name: bytes, status: os.stat_result, kind: Kind, target: bytes = b"") -> Entry:
    device = kind in {Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE}
    return Entry(
        name=name,
        kind=kind,
        size=status.st_size if kind is Kind.FILE else 0,
        target=target,
        mode=stat.S_IMODE(status.st_mode),
        user=status.st_uid,
        group=status.st_gid,
        modified=status.st_mtime_ns,
        major=os.major(status.st_rdev) if device else 0,
        minor=os.minor(status.st_rdev) if device else 0,
        attributes=_capability(path) if kind is Kind.FILE else {},
    )


def _capability(path: bytes) -> dict[bytes, bytes]:
    try:
        return {_CAPABILITY: os.getxattr(path, _CAPABILITY, follow_symlinks=False)}
    except OSError:
        return {}


def _walk(top: bytes) -> Iterator[bytes]:
    """A folder before what is in it, names in their order."""
    ahead = [top]
    while ahead:
        path = ahead.pop()
        yield path
        try:
            if stat.S_ISDIR(os.lstat(path).st_mode):
                ahead += [os.path.join(path, name) for name in sorted(os.listdir(path), reverse=True)]
        except _GONE:
            continue


def _exactly(file: int, size: int) -> Iterator[bytes]:
    while size:
        piece = os.read(file, min(size, _PIECE)) or bytes(min(size, _PIECE))
        size -= len(piece)
        yield piece
