"""An image archive as a file one can jump about in: names, and the places of their contents."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bridgehead.core.images import tar
from bridgehead.core.images.manifest import MAXIMUM_DOCUMENT
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.host.images import child
from bridgehead.host.images.compression import LONGEST_MAGIC, Compression, sniff
from bridgehead.host.images.stream import Members

_MAXIMUM_MEMBERS = 100_000
_MAXIMUM_HOPS = 8
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Archive:
    """Paths are rooted (`/manifest.json`). Links are followed: old `docker save` wrote equal layers so."""

    file: BinaryIO
    places: Mapping[bytes, Place]
    links: Mapping[bytes, bytes]

    def has(self, path: str) -> bool:
        return self._resolved(path) in self.places

    def document(self, path: str) -> bytes:
        place = self._place(path)
        if place.size > MAXIMUM_DOCUMENT:
            raise InvalidParameter(f"invalid archive: {path} is longer than {MAXIMUM_DOCUMENT >> 20} MiB")
        return b"".join(self._pieces(place))

    def pieces(self, path: str) -> Iterator[bytes]:
        return self._pieces(self._place(path))

    def _pieces(self, place: Place) -> Iterator[bytes]:
        self.file.seek(place.offset)
        left = place.size
        while left:
            piece = self.file.read(min(left, _PIECE))
            if not piece:
                raise InvalidParameter("invalid archive: unexpected EOF")
            left -= len(piece)
            yield piece

    def _place(self, path: str) -> Place:
        place = self.places.get(self._resolved(path))
        if place is None:
            raise InvalidParameter(f"invalid archive: there is no {path} in it")
        return place

    def _resolved(self, path: str) -> bytes:
        name = tar.rooted(path.encode(errors="surrogateescape"))
        for _ in range(_MAXIMUM_HOPS):
            if name not in self.links:
                break
            name = self.links[name]
        return name


@contextmanager
def opened(source: BinaryIO, scratch: Path) -> Iterator[Archive]:
    """The archive read from `source`, which may be compressed and need not be seekable.

    Uncompressed seekable files are read where they are; others go through a nameless file in `scratch`.

    Raises:
        InvalidParameter: it is no archive.
    """
    if _usable_in_place(source):
        yield _indexed(source)
        return
    with tempfile.TemporaryFile(dir=scratch) as spool:
        child.fed("bridgehead.host.images.inflate", content=child.pieces(source), output=spool.fileno())
        spool.seek(0)
        yield _indexed(spool)


def _usable_in_place(source: BinaryIO) -> bool:
    if not source.seekable():
        return False
    start = source.tell()
    beginning = source.read(LONGEST_MAGIC)
    source.seek(start)
    return sniff(beginning) is Compression.NONE


class _Seeking:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read = file.read

    def skip(self, size: int) -> None:
        self._file.seek(size, os.SEEK_CUR)


def _beside(name: bytes, target: bytes) -> bytes:
    """Where a symbolic link called `name` leads."""
    return tar.rooted(target if target.startswith(b"/") else name.rpartition(b"/")[0] + b"/" + target)


def _indexed(file: BinaryIO) -> Archive:
    places: dict[bytes, Place] = {}
    links: dict[bytes, bytes] = {}
    for entry in Members(_Seeking(file)):
        if len(places) + len(links) >= _MAXIMUM_MEMBERS:
            raise InvalidParameter("invalid archive: too many files for an image archive")
        name = tar.rooted(entry.name)
        if entry.kind is tar.Kind.FILE:
            places[name] = Place(file.tell(), entry.size)
        elif entry.kind is tar.Kind.SYMBOLIC_LINK:
            links[name] = _beside(name, entry.target)
        elif entry.kind is tar.Kind.HARD_LINK:
            links[name] = tar.rooted(entry.target)
    return Archive(file, places, links)
