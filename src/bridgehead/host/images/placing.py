"""Putting archive entries into a layer folder, in the form overlayfs wants.

Runs inside the folder as its root directory. An image says `.wh.name` for "name is gone" and `.wh..wh..opq`
for "nothing from below shows here"; overlayfs says it with a character device 0:0 and an attribute.
"""

# Archive names are bytes, which pathlib does not hold.
# ruff: noqa: PTH101, PTH102, PTH103, PTH106, PTH108, PTH211

import errno
import os
import stat
from collections.abc import Iterable

from bridgehead.core.images.tar import Entry, Kind, rooted
from bridgehead.core.model.errors import InvalidParameter

_WHITEOUT = b".wh."
_OPAQUE_MARK = b".wh..wh..opq"
_AUFS_PRIVATE = b".wh..wh."
_OPAQUE = b"trusted.overlay.opaque"
_NO_DEVICE = os.makedev(0, 0)
_NOT_FROM_ARCHIVES = (b"trusted.overlay.", b"user.overlay.")
"""What overlayfs itself believes; a stranger's layer must not whisper to it."""

_UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.EPERM})
_ZEROS = bytes(1 << 20)
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DEVICE_TYPES = {
    Kind.CHARACTER_DEVICE: stat.S_IFCHR,
    Kind.BLOCK_DEVICE: stat.S_IFBLK,
    Kind.FIFO: stat.S_IFIFO,
}


class Placing:
    """One layer in the making. `size` counts bytes of file content; `replaced`: some of it is gone again."""

    def __init__(self) -> None:
        self.size = 0
        self.replaced = False
        self._folders = {b"/"}
        self._folder_times: dict[bytes, int] = {}

    def place(self, entry: Entry, content: Iterable[bytes]) -> None:
        path = rooted(entry.name)
        folder, name = os.path.split(path)
        self._make_folder(folder)
        if name == _OPAQUE_MARK:
            os.setxattr(folder, _OPAQUE, b"y")
        elif name.startswith(_AUFS_PRIVATE):
            return
        elif name.startswith(_WHITEOUT):
            self._white_out(folder, name[len(_WHITEOUT) :])
        elif entry.kind is Kind.DIRECTORY:
            self._directory(path, entry)
        elif path == b"/":
            raise InvalidParameter("invalid archive: its root is no directory")
        else:
            self._non_directory(path, entry, content)

    def finish(self) -> None:
        """Set the times of directories, which every file made in them changed."""
        for path, modified in self._folder_times.items():
            try:
                os.utime(path, ns=(modified, modified), follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                continue  # replaced by a later entry

    def _make_folder(self, path: bytes) -> None:
        if path not in self._folders:
            os.makedirs(path, exist_ok=True)  # with this process's umask: 0755
            self._folders.add(path)

    def _white_out(self, folder: bytes, name: bytes) -> None:
        """Hide `name` of the layers below; what this layer itself puts there stays, whatever the order."""
        if name in {b"", b".", b".."}:
            raise InvalidParameter("invalid archive: a whiteout of no name")
        path = folder.rstrip(b"/") + b"/" + name
        try:
            os.mknod(path, stat.S_IFCHR, _NO_DEVICE)
        except FileExistsError:
            if stat.S_ISDIR(os.lstat(path).st_mode):
                os.setxattr(path, _OPAQUE, b"y")

    def _directory(self, path: bytes, entry: Entry) -> None:
        try:
            os.mkdir(path, 0o755)
        except FileExistsError:
            self._reuse(path)
        self._folders.add(path)
        self._folder_times[path] = entry.modified
        os.chown(path, entry.user, entry.group, follow_symlinks=False)
        os.chmod(path, entry.mode)
        _set_attributes(path, entry)

    def _reuse(self, path: bytes) -> None:
        there = os.lstat(path)
        if stat.S_ISDIR(there.st_mode):
            return
        self._remove(path)
        os.mkdir(path, 0o755)
        if stat.S_ISCHR(there.st_mode) and there.st_rdev == _NO_DEVICE:
            os.setxattr(path, _OPAQUE, b"y")

    def _non_directory(self, path: bytes, entry: Entry, content: Iterable[bytes]) -> None:
        if entry.kind is Kind.FILE:
            self._file(path, entry, content)
            return
        if os.path.lexists(path):
            self._remove(path)
        if entry.kind is Kind.HARD_LINK:
            os.link(rooted(entry.target), path, follow_symlinks=False)
            return
        if entry.kind is Kind.SYMBOLIC_LINK:
            os.symlink(entry.target, path)
        else:
            os.mknod(path, _DEVICE_TYPES[entry.kind], os.makedev(entry.major, entry.minor))
        os.chown(path, entry.user, entry.group, follow_symlinks=False)
        if entry.kind is not Kind.SYMBOLIC_LINK:
            os.chmod(path, entry.mode)
        _set_attributes(path, entry)
        os.utime(path, ns=(entry.modified, entry.modified), follow_symlinks=False)

    def _file(self, path: bytes, entry: Entry, content: Iterable[bytes]) -> None:
        try:
            file = os.open(path, _NEW_FILE, 0o600)
        except FileExistsError:
            self._remove(path)
            file = os.open(path, _NEW_FILE, 0o600)
        try:
            for piece in content:
                _write(file, piece)
            os.ftruncate(file, entry.size)  # a hole at the end has no byte that makes the file so long
            os.fchown(file, entry.user, entry.group)
            os.fchmod(file, entry.mode)  # after chown, which takes setuid away
            _set_attributes(file, entry)
            os.utime(file, ns=(entry.modified, entry.modified))
        finally:
            os.close(file)
        self.size += entry.size

    def _remove(self, path: bytes) -> None:
        """Make room for a later entry of the same name; a directory only if it is empty."""
        self._folders = {b"/"}  # what was a folder may be one no more
        if stat.S_ISDIR(os.lstat(path).st_mode):
            os.rmdir(path)
        else:
            self.replaced = True
            os.unlink(path)


def keeps_content(entry: Entry) -> bool:
    """Whether the layer will have the entry's content in a file of its name."""
    name = os.path.split(rooted(entry.name))[1]
    return entry.kind is Kind.FILE and entry.size > 0 and not name.startswith(_WHITEOUT)


def _write(file: int, piece: bytes) -> None:
    """Zeros become a hole: what was sparse in its archive's making would else fill the disk."""
    if piece == _ZEROS:
        os.lseek(file, len(piece), os.SEEK_CUR)
        return
    view = memoryview(piece)
    while view:
        view = view[os.write(file, view) :]


def _set_attributes(target: bytes | int, entry: Entry) -> None:
    """Extended attributes, where the file system has them. After chown, which takes capabilities away."""
    for key, value in entry.attributes.items():
        if key.startswith(_NOT_FROM_ARCHIVES):
            continue
        try:
            os.setxattr(target, key, value, follow_symlinks=isinstance(target, int))
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
