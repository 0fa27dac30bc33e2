"""An archive unpacked into a folder of a container that is there already."""

# Names are bytes, which pathlib does not hold.
# ruff: noqa: PTH108

import os
import shutil
import stat
from collections.abc import Iterable
from dataclasses import replace

from bridgehead.core.images.tar import Entry, Kind, rooted
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.host.images.placing import Placing


class Extraction(Placing):
    """`folder` is the path of one without links in it; `owner` None: whoever the archive says.

    Links that are there already are followed where they are a part of a path; they lead nowhere but into the
    container, whose root is this process's own. What is replaced is removed first, never written to.
    """

    def __init__(self, folder: bytes, *, owner: tuple[int, int] | None, keep_kinds: bool) -> None:
        super().__init__()
        self._folder = folder
        self._owner = owner
        self._keep_kinds = keep_kinds

    def place(self, entry: Entry, content: Iterable[bytes]) -> None:
        name = rooted(entry.name)
        path = self._within(name)
        if name == b"/":
            return  # the folder itself is not the archive's to change
        if self._owner:
            entry = replace(entry, user=self._owner[0], group=self._owner[1])
        self._make_folder(os.path.split(path)[0])
        if entry.kind is Kind.DIRECTORY:
            self._check_kind(path, entry, is_folder=True)
            self._directory(path, entry)
            return
        self._check_kind(path, entry, is_folder=False)
        if entry.kind is Kind.HARD_LINK:
            entry = replace(entry, target=self._within(rooted(entry.target)))
            if entry.target == path:
                return
        self._non_directory(path, entry, content)

    def _within(self, name: bytes) -> bytes:
        return self._folder.rstrip(b"/") + name

    def _check_kind(self, path: bytes, entry: Entry, *, is_folder: bool) -> None:
        if not self._keep_kinds:
            return
        try:
            there = stat.S_ISDIR(os.lstat(path).st_mode)
        except FileNotFoundError:
            return
        if there != is_folder:
            this, that = ("non-directory", "directory") if is_folder else ("directory", "non-directory")
            words = f'"{os.fsdecode(path)}" with {that} "{os.fsdecode(self._folder)}"'
            raise InvalidParameter(f"cannot overwrite {this} {words}")

    def _remove(self, path: bytes) -> None:
        self._folders = {b"/"}
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path)
        else:
            os.unlink(path)
