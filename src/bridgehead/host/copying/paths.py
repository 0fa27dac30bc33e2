"""Paths of a container as Docker reads them, in a process whose root is the container's."""

# Names are bytes, which pathlib does not hold.
# ruff: noqa: PTH115

import os
import posixpath
import stat
from dataclasses import dataclass

from bridgehead.core.model.errors import InvalidParameter, NotFound
from bridgehead.host.copying.entering import opened
from bridgehead.host.copying.order import Facts

_GONE = (FileNotFoundError, NotADirectoryError)


@dataclass(frozen=True, slots=True)
class Place:
    """`path` has no symbolic link but perhaps at its end; `name` is what the client called it."""

    path: bytes
    name: bytes


class Tree:
    """`descriptors` is /proc/self/fd, opened while it was in sight."""

    def __init__(self, descriptors: int) -> None:
        self.descriptors = descriptors
        self._root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def find(self, asked: str) -> Place:
        """A link at the end stands for itself, unless `/` or `/.` follows: then for the folder it leads to.

        Raises:
            NotFound: there is nothing.
        """
        cleaned = _cleaned(os.fsencode(asked))
        above, base = posixpath.split(cleaned)
        folder = self.folder(above)
        path = posixpath.join(folder, base) if base not in {b"", b"."} else folder
        try:
            os.lstat(path)
        except _GONE:
            raise NotFound(asked) from None
        return Place(path, posixpath.basename(cleaned.rstrip(b"/")) or b"/")

    def folder(self, path: bytes) -> bytes:
        """The same folder by a path without links.

        Raises:
            NotFound: there is none.
        """
        try:
            return self._resolved(path, os.O_PATH | os.O_DIRECTORY)
        except _GONE:
            raise NotFound(os.fsdecode(path)) from None
        except OSError as error:
            raise InvalidParameter(f"{os.fsdecode(path)}: {error.strerror}") from None

    def target_folder(self, asked: str) -> bytes:
        """
        Raises:
            NotFound: there is nothing.
            InvalidParameter: it is no folder.
        """
        place = self.find(asked)
        try:
            return self._resolved(place.path, os.O_PATH | os.O_DIRECTORY)
        except NotADirectoryError:
            raise InvalidParameter("extraction point is not a directory") from None
        except FileNotFoundError:
            raise NotFound(asked) from None
        except OSError as error:
            raise InvalidParameter(f"{asked}: {error.strerror}") from None

    def facts(self, place: Place) -> Facts:
        found = os.lstat(place.path)
        target = self._target(place.path) if stat.S_ISLNK(found.st_mode) else b""
        return Facts(
            name=place.name.decode(errors="replace"),
            size=found.st_size,
            mode=found.st_mode,
            modified=found.st_mtime_ns,
            target=target.decode(errors="replace"),
        )

    def _target(self, path: bytes) -> bytes:
        try:
            return self._resolved(path, os.O_PATH)
        except OSError:  # it leads nowhere yet, or round in a circle
            return posixpath.normpath(posixpath.join(posixpath.dirname(path), os.readlink(path)))

    def _resolved(self, path: bytes, flags: int) -> bytes:
        descriptor = opened(self._root, path, flags)
        try:
            return os.readlink(b"%d" % descriptor, dir_fd=self.descriptors)
        finally:
            os.close(descriptor)


def _cleaned(asked: bytes) -> bytes:
    """By its letters alone, from the root; an end that says "the folder itself" is kept."""
    cleaned = b"/" + posixpath.normpath(b"/" + asked).lstrip(b"/")
    if asked.endswith((b"/.", b"/")) or asked == b".":
        return cleaned.rstrip(b"/") + (b"/." if asked.endswith(b".") else b"/")
    return cleaned
