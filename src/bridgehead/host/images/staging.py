"""Layers in the making: unpacked beside the finished ones, made durable once, then renamed into place.

A layer folder under its final name is therefore always whole, also after a power cut. Whatever ends early
leaves only `tmp-` folders, removed on the way out or by the next sweep.
"""

import ctypes
import errno
import itertools
import os
import subprocess
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from bridgehead.core.model.errors import HostRefused, InvalidParameter
from bridgehead.host.images import child

PREFIX = "tmp-"
_UNPACK = "bridgehead.host.images.unpack"

_REMOVAL_S = 600


class Staging:
    """One load's or import's layers, in `folder` until they are committed."""

    def __init__(self, layers: Path, recipes: Path, folder: Path) -> None:
        self.folder = folder
        self._recipes = recipes
        self._layers = layers
        self._staged: dict[str, Path] = {}
        self._numbers = itertools.count()

    def __contains__(self, diff_id: str) -> bool:
        return diff_id in self._staged

    def unpack(self, content: Iterable[bytes], expected: str = "") -> str:
        """The diff id of the layer in `content`, which must be `expected` if that is given.

        Raises:
            InvalidParameter: it is no layer, or another one.
        """
        folder = self._room()
        said = child.fed(_UNPACK, str(folder), str(_notes(folder)), content=content)
        return self._accept(folder, said, expected)

    async def receive(self, content: AsyncIterator[bytes], expected: str) -> None:
        """The same of content that comes from afar; several may be under way.

        Raises:
            InvalidParameter: it is no layer, or another one; and whatever `content` raises.
        """
        folder = self._room()
        said = await child.fed_slowly(_UNPACK, str(folder), str(_notes(folder)), content=content)
        self._accept(folder, said, expected)

    def _room(self) -> Path:
        folder = self.folder / str(next(self._numbers))
        folder.mkdir()
        folder.chmod(0o755)  # a container's root directory, unless the layer says otherwise
        return folder

    def _accept(self, folder: Path, said: str, expected: str) -> str:
        diff_id = said.strip()
        if expected and diff_id != expected:
            raise InvalidParameter(f"wrong diff id calculated on extraction: {diff_id}, expected {expected}")
        self._staged[diff_id] = folder
        return diff_id

    def commit(self) -> None:
        """Put every staged layer in its place; one that came there meanwhile is the same, and stays."""
        if not self._staged:
            return
        _make_durable(self._layers)
        for diff_id, folder in self._staged.items():
            _notes(folder).rename(self._recipes / diff_id.removeprefix("sha256:"))
            try:
                folder.rename(self._layers / diff_id.removeprefix("sha256:"))
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
        _make_durable(self._layers)


def _notes(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.notes")


def remove(folder: Path) -> None:
    """Delete a folder tree. rm, because a stranger's folders may be deeper than recursion or a path can go.

    Raises:
        HostRefused: some of it is left.
    """
    try:
        folder.rmdir()  # after a commit it is empty, as a rule
    except OSError:
        _remove_tree(folder)


def _remove_tree(folder: Path) -> None:
    command = ["rm", "-rf", "--one-file-system", "--", str(folder)]
    try:
        subprocess.run(command, capture_output=True, timeout=_REMOVAL_S, check=True)
    except subprocess.CalledProcessError as error:
        raise HostRefused(
            f"cannot remove {folder}: {error.stderr.decode(errors='replace').strip()}"
        ) from None
    except subprocess.TimeoutExpired:
        raise HostRefused(f"cannot remove {folder}: it took too long") from None


def _make_durable(folder: Path) -> None:
    """Write out the whole file system once: far fewer waits than one for each file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)
