"""Removing a folder that a container filled: of any depth, full of links, never reaching outside."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(path: str) -> None:
    """Remove the folder and all in it; one that is gone already is fine.

    Raises:
        OSError: EBUSY, with nothing removed, if something is mounted in it.

    """
    _refuse_mounts(path)
    try:
        with _opened(path) as top:
            _empty(top)
    except FileNotFoundError:
        return
    Path(path).rmdir()


def _refuse_mounts(path: str) -> None:
    below = f"{os.path.realpath(path)}/"
    for line in Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
        target = f"{_unescaped(line.split(' ', 5)[4])}/"
        if target.startswith(below):
            raise OSError(errno.EBUSY, "something is still mounted here", target.rstrip("/"))


def _unescaped(field: str) -> str:
    for character in "\t\n ":
        field = field.replace(f"\\{ord(character):03o}", character)
    return field.replace(r"\134", "\\")


def _empty(top: int) -> None:
    """Every folder found is first moved up to `top`, so no depth needs a stack, a path or a descriptor."""
    names = (f".removing-{number}" for number in count())
    while folders := _without_files(top):
        for folder in folders:
            with _opened(folder, top) as inner:
                for deeper in _without_files(inner):
                    _move_up(inner, deeper, top, names)
            os.rmdir(folder, dir_fd=top)


def _without_files(folder: int) -> list[str]:
    """Remove all but the folders in it, whose names are given."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=folder)
    return folders


def _move_up(source: int, name: str, top: int, free_names: Iterator[str]) -> None:
    for free in free_names:
        try:
            os.rename(name, free, src_dir_fd=source, dst_dir_fd=top)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
        else:
            return


@contextmanager
def _opened(path: str, folder: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, _OPEN, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
