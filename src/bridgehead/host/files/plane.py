"""Folders and text files as the reconciler sees them: ours are the children of our root folders.

A container may change its files. Beside each we keep what we wrote last, and that is what `observe` shows: an
edit is no drift to be mended, and it lives until the file is made anew.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bridgehead.core.edits import merged
from bridgehead.core.plan.diff import Create, Delete, Op
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import Directory, File, KernelObject, State, state
from bridgehead.host.files import text
from bridgehead.host.files.tree import remove_tree

FILE_NAMES = ("hostname", "hosts", "resolv.conf")
_FOLDER_MODE = 0o700
_ROOT_MODE = 0o711


class FilePlane:
    """Every folder directly inside one of `roots` is ours, and in it the files with the names above."""

    kinds: frozenset[type] = frozenset({Directory, File})

    def __init__(self, roots: tuple[str, ...]) -> None:
        self._roots = roots

    def observe(self) -> State:
        return state(*(item for root in self._roots for item in _observed(root)))

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        failed: dict[Key, Exception] = {}
        for op in ops:
            try:
                _apply(op)
            except OSError as error:
                failed[op.object.key] = error
        return failed


def _observed(root: str) -> Iterator[KernelObject]:
    try:
        with os.scandir(root) as entries:
            folders = sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return
    for folder in folders:
        yield Directory(folder)
        for name in FILE_NAMES:
            path = f"{folder}/{name}"
            if (content := text.read(path)) is not None:
                written = text.read(_record(path))
                yield File(path, content if written is None else written)


def _apply(op: Op) -> None:
    match op.object:
        case Directory(path=path):
            if isinstance(op, Delete):
                remove_tree(path)
            else:
                _make_folder(Path(path))
        case File(path=path, content=content):
            if isinstance(op, Delete):
                Path(path).unlink(missing_ok=True)
                Path(_record(path)).unlink(missing_ok=True)
            else:
                _write(path, content, afresh=isinstance(op, Create))
        case other:
            raise TypeError(f"neither folder nor file: {other}")


def _write(path: str, content: str, *, afresh: bool) -> None:
    present, written = (None, None) if afresh else (text.read(path), text.read(_record(path)))
    if present is None or written is None:
        text.write(path, content)
    else:
        text.write(path, merged(Path(path).name, present=present, written=written, wanted=content))
    # Last: cut off in between, the next pass finds the old record and does the same again.
    text.write(_record(path), content)


def _record(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/.{name}.written"


def _make_folder(path: Path) -> None:
    path.parent.mkdir(mode=_ROOT_MODE, parents=True, exist_ok=True)
    path.mkdir(mode=_FOLDER_MODE, exist_ok=True)
