"""The folders of volumes: made, filled once from an image, measured, removed."""

import ctypes
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.model.ids import VolumeName
from bridgehead.host.files.tree import remove_tree

_CONTENT = "_data"
_FILLING = "_filling"
_SYS_OPENAT2 = 437
_RESOLVE_IN_ROOT = 0x10
_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class LocalVolumes:
    """Each volume is a folder below `root`, with its content in `_data`. All calls block.

    Raises:
        HostRefused: the file system said no.
    """

    def __init__(self, root: str) -> None:
        self._root = root

    def make(self, name: VolumeName) -> None:
        """Safe to repeat."""
        folder = self._folder(name)
        try:
            folder.mkdir(mode=0o701, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                (folder / _CONTENT).mkdir(mode=0o755)
        except OSError as error:
            raise HostRefused(f"cannot make volume {name}: {error.strerror}") from error

    def populate(self, name: VolumeName, rootfs: str, target: str) -> None:
        """Give an empty volume what `target` holds below `rootfs`, with its owner and mode.

        The copy is made beside and put in place in one step, so that a volume is never half full.
        """
        content = self._folder(name) / _CONTENT
        try:
            if any(content.iterdir()):
                return
            source = _opened_inside(rootfs, target)
            if source is None:
                return
            try:
                self._copied(source, self._folder(name) / _FILLING, content)
            finally:
                os.close(source)
        except OSError as error:
            raise HostRefused(f"cannot fill volume {name}: {error.strerror}") from error

    def size(self, name: VolumeName) -> int:
        """Bytes of all files in it; a file with several names counts once."""
        seen: dict[tuple[int, int], int] = {}
        for folder, _, files in os.walk(self._folder(name) / _CONTENT):
            for file in files:
                with suppress(OSError):
                    found = os.lstat(f"{folder}/{file}")
                    seen[found.st_dev, found.st_ino] = found.st_size
        return sum(seen.values())

    def remove(self, name: VolumeName) -> None:
        try:
            remove_tree(str(self._folder(name)))
        except OSError as error:
            raise HostRefused(f"cannot remove volume {name}: {error.strerror}: {error.filename}") from error

    def _folder(self, name: VolumeName) -> Path:
        return Path(self._root, name)

    def _copied(self, source: int, beside: Path, content: Path) -> None:
        shutil.rmtree(beside, ignore_errors=True)  # what a copy that was cut off left
        beside.mkdir()
        done = subprocess.run(
            ["cp", "--archive", "--reflink=auto", f"/proc/self/fd/{source}/.", beside],
            pass_fds=(source,),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            shutil.rmtree(beside, ignore_errors=True)
            raise HostRefused(f"cannot fill a volume from the image: {done.stderr.strip()}")
        beside.rename(content)  # only over an empty folder


def _opened_inside(rootfs: str, path: str) -> int | None:
    """The folder as a container would find it: an image's links must not lead to the host's files."""
    root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        how = _OpenHow(os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT)
        found: int = _libc.syscall(_SYS_OPENAT2, root, path.encode(), ctypes.byref(how), ctypes.sizeof(how))
    finally:
        os.close(root)
    return found if found >= 0 else None
