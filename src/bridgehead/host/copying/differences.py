"""What a container changed in its image's files, read from what overlayfs keeps of it.

Runs with that folder as its root directory. Mount points that every container has are left out, and so are
folders that differ from the image's only because such a mount point was made in them.
"""

# Names are bytes, which pathlib does not hold.
# ruff: noqa: PTH118, PTH120, PTH208

import os
import stat
from collections.abc import Collection, Iterator, Sequence

from bridgehead.core.model.files import ChangeKind
from bridgehead.host.copying.order import Difference

_OPAQUE = b"trusted.overlay.opaque"
_GONE = (FileNotFoundError, NotADirectoryError)


class Differences:
    """`lower` are the layers below as open folders, topmost first; `hidden` are absolute paths."""

    def __init__(self, lower: Sequence[int], hidden: Collection[bytes]) -> None:
        self._lower = lower
        self._hidden = frozenset(hidden)
        self._above = {above for path in hidden for above in _above(path)}
        self._told: set[bytes] = set()

    def list(self) -> Iterator[Difference]:
        for path in _walk(self._hidden):
            try:
                yield from self._judge(path)
            except _GONE:
                continue

    def _judge(self, path: bytes) -> Iterator[Difference]:
        status = os.lstat(path)
        if stat.S_ISCHR(status.st_mode) and not status.st_rdev:
            kind = ChangeKind.DELETED
        else:
            before = self._before(path)
            if before is None:
                kind = ChangeKind.ADDED
            elif self._is_way_only(path, status, before):
                return
            else:
                kind = ChangeKind.MODIFIED
        yield from self._ways(path)
        self._told.add(path)
        yield _difference(kind, path)

    def _ways(self, path: bytes) -> Iterator[Difference]:
        """Folders above that were not told of yet: what is in them has changed."""
        for above in sorted(_above(path)):
            if above not in self._told:
                self._told.add(above)
                yield _difference(ChangeKind.MODIFIED, above)

    def _is_way_only(self, path: bytes, status: os.stat_result, before: os.stat_result) -> bool:
        """Whether the folder is here only because of something in it, which speaks for itself."""
        if not (stat.S_ISDIR(status.st_mode) and stat.S_ISDIR(before.st_mode)) or self._is_opaque(path):
            return False
        same_face = _face(status) == _face(before)
        return same_face and (path in self._above or status.st_mtime_ns == before.st_mtime_ns)

    def _is_opaque(self, path: bytes) -> bool:
        try:
            return os.getxattr(path, _OPAQUE, follow_symlinks=False) == b"y"
        except OSError:
            return False

    def _before(self, path: bytes) -> os.stat_result | None:
        """What the image has there."""
        for folder in self._lower:
            try:
                found = os.stat(path.lstrip(b"/"), dir_fd=folder, follow_symlinks=False)
            except OSError:
                continue
            return None if stat.S_ISCHR(found.st_mode) and not found.st_rdev else found
        return None


def _walk(hidden: Collection[bytes]) -> Iterator[bytes]:
    """Every path below the root, a folder before what is in it, none of `hidden` nor anything below."""
    ahead = [b"/"]
    while ahead:
        path = ahead.pop()
        if path != b"/":
            yield path
        try:
            if stat.S_ISDIR(os.lstat(path).st_mode):
                inside = (os.path.join(path, name) for name in sorted(os.listdir(path), reverse=True))
                ahead += [one for one in inside if one not in hidden]
        except _GONE:
            continue


def _above(path: bytes) -> Iterator[bytes]:
    while (path := os.path.dirname(path)) != b"/":
        yield path


def _face(status: os.stat_result) -> tuple[int, int, int]:
    return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid


def _difference(kind: ChangeKind, path: bytes) -> Difference:
    return Difference(int(kind), path.decode(errors="replace"))
