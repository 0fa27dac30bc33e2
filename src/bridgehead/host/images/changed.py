"""Walking through what overlayfs keeps of a container's changes, and writing it down as an archive.

Runs inside that folder as its root directory, while the container may still be changing it: what vanishes is
left out, what grows or shrinks is cut or filled to the size that was announced.
"""

# Names are bytes, which pathlib does not hold.
# ruff: noqa: PTH115, PTH118, PTH120, PTH208

import os
import stat
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

from bridgehead.core.images import tar_writing
from bridgehead.core.images.tar import Entry, Kind
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.host.images import confined

_WHITEOUT = b".wh."
_OPAQUE_MARK = b".wh..wh..opq"
_OPAQUE = b"trusted.overlay.opaque"
_ELSEWHERE = (b"trusted.overlay.redirect", b"trusted.overlay.metacopy")
_NO_DEVICE = os.makedev(0, 0)
_ATTRIBUTES = (b"user.", b"security.capability", b"system.posix_acl_")
_PRIVATE = b"user.overlay."
_PIECE = 1 << 20
_FRESH_ROOT = (0o755, 0, 0)
_SPECIAL = {
    stat.S_IFCHR: Kind.CHARACTER_DEVICE,
    stat.S_IFBLK: Kind.BLOCK_DEVICE,
    stat.S_IFIFO: Kind.FIFO,
}
_GONE = (FileNotFoundError, NotADirectoryError)


class Lower:
    """The layers below, topmost first, as open folders."""

    def __init__(self, folders: Sequence[int]) -> None:
        self._folders = folders

    def has_folder(self, path: bytes, status: os.stat_result) -> bool:
        """Whether the folder at `path` is there below with the same mode and owner."""
        for folder in self._folders:
            try:
                found = os.stat(path.lstrip(b"/"), dir_fd=folder, follow_symlinks=False)
            except OSError:
                continue
            return stat.S_ISDIR(found.st_mode) and _face(found) == _face(status)
        return False


class Changes:
    """`mounted` are absolute paths; `descriptors` is /proc/self/fd, opened while it was in sight."""

    def __init__(self, out: BinaryIO, descriptors: int, lower: Lower, mounted: Collection[bytes]) -> None:
        self._out = out
        self._descriptors = descriptors
        self._lower = lower
        self._mounted = frozenset(mounted)
        self._above = {above for path in mounted for above in _above(path)}
        self._waiting: list[tuple[bytes, Entry]] = []
        self._bytes = 0
        self._linked: dict[tuple[int, int], bytes] = {}

    def write(self) -> None:
        root = os.lstat(b"/")
        if _face(root) != _FRESH_ROOT:
            self._put(b"/", self._entry(b"/", root, Kind.DIRECTORY))
        for path in _walk(self._mounted):
            try:
                self._change(path)
            except _GONE:
                continue
        self._out.write(tar_writing.END)
        self._out.flush()

    def _change(self, path: bytes) -> None:
        status = os.lstat(path)
        folder, name = os.path.split(path)
        if stat.S_ISSOCK(status.st_mode) or name.startswith(_WHITEOUT):
            return  # neither can be said in an archive
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == _NO_DEVICE:
            self._put(path, Entry(os.path.join(folder, _WHITEOUT + name)[1:], Kind.FILE))
        elif stat.S_ISDIR(status.st_mode):
            self._folder(path, status)
        elif stat.S_ISREG(status.st_mode):
            self._file(path, status)
        elif stat.S_ISLNK(status.st_mode):
            self._put(path, self._entry(path, status, Kind.SYMBOLIC_LINK, target=os.readlink(path)))
        elif not self._linked_before(path, status):
            self._put(path, self._entry(path, status, _SPECIAL[stat.S_IFMT(status.st_mode)]))

    def _folder(self, path: bytes, status: os.stat_result) -> None:
        names = os.listxattr(path, follow_symlinks=False)
        if any(mark.decode() in names for mark in _ELSEWHERE):
            raise InvalidParameter(
                f"{path.decode(errors='replace')} was renamed in a way that only overlayfs understands"
            )
        entry = self._entry(path, status, Kind.DIRECTORY)
        if _OPAQUE.decode() in names and os.getxattr(path, _OPAQUE) == b"y":
            self._put(path, entry)
            self._put(path, Entry(os.path.join(path, _OPAQUE_MARK)[1:], Kind.FILE))
        elif path in self._above and self._lower.has_folder(path, status):
            # Only there because something was mounted inside: worth a word if more changed inside.
            self._waiting.append((path, entry))
        else:
            self._put(path, entry)

    def _file(self, path: bytes, status: os.stat_result) -> None:
        if self._linked_before(path, status):
            return
        seen = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            status = os.fstat(seen)
            if not stat.S_ISREG(status.st_mode):
                return  # changed under our eyes
            opened = os.open(str(seen), os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._descriptors)
        finally:
            os.close(seen)
        try:
            entry = self._entry(path, status, Kind.FILE, size=status.st_size)
            self._bytes += entry.size
            if self._bytes > confined.MAXIMUM_BYTES:  # said before hours of zeros are read from a sparse file
                raise InvalidParameter(f"the container changed more than {confined.MAXIMUM_BYTES} bytes")
            self._put(path, entry)
            for piece in _exactly(opened, entry.size):
                self._out.write(piece)
            self._out.write(bytes(entry.padding))
        finally:
            os.close(opened)

    def _linked_before(self, path: bytes, status: os.stat_result) -> bool:
        """Whether it is another name of a file that is in the archive already; then it is said to be that."""
        if status.st_nlink < 2:
            return False
        first = self._linked.setdefault((status.st_dev, status.st_ino), path)
        if first is path:
            return False
        self._put(path, Entry(path[1:], Kind.HARD_LINK, target=first[1:]))
        return True

    def _entry(
        self, path: bytes, status: os.stat_result, kind: Kind, size: int = 0, target: bytes = b""
    ) -> Entry:
        device = kind in {Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE}
        name = path[1:] + b"/" if kind is Kind.DIRECTORY else path[1:]
        return Entry(
            name=name if path != b"/" else b"./",
            kind=kind,
            size=size,
            target=target,
            mode=stat.S_IMODE(status.st_mode),
            user=status.st_uid,
            group=status.st_gid,
            modified=status.st_mtime_ns,
            major=os.major(status.st_rdev) if device else 0,
            minor=os.minor(status.st_rdev) if device else 0,
            attributes=_attributes(path),
        )

    def _put(self, path: bytes, entry: Entry) -> None:
        still = []
        for waiting in self._waiting:
            if path.startswith(waiting[0] + b"/"):
                self._out.write(tar_writing.headers(waiting[1]))
            else:
                still.append(waiting)
        self._waiting = still
        self._out.write(tar_writing.headers(entry))


def _walk(mounted: Collection[bytes]) -> Iterator[bytes]:
    """Every path below the root, a folder before what is in it, none of `mounted` nor anything below them."""
    ahead = [b"/"]
    while ahead:
        path = ahead.pop()
        if path != b"/":
            yield path
        try:
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                continue
            names = os.listdir(path)
        except _GONE:
            continue
        inside = (os.path.join(path, name) for name in sorted(names, reverse=True))
        ahead += [one for one in inside if one not in mounted]


def _exactly(file: int, size: int) -> Iterator[bytes]:
    while size:
        piece = os.read(file, min(size, _PIECE)) or bytes(min(size, _PIECE))
        size -= len(piece)
        yield piece


def _attributes(path: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name in map(os.fsencode, os.listxattr(path, follow_symlinks=False)):
        if name.startswith(_ATTRIBUTES) and not name.startswith(_PRIVATE) and b"=" not in name:
            found[name] = os.getxattr(path, name, follow_symlinks=False)
    return found


def _above(path: bytes) -> Iterator[bytes]:
    while (path := os.path.dirname(path)) != b"/":
        yield path


def _face(status: os.stat_result) -> tuple[int, int, int]:
    return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
