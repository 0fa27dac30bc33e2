"""How to write a layer's archive again, byte for byte, out of the folder it was unpacked to.

A layer is known by the digest of its archive, and no two programs write one alike. So unpacking notes what is
not content of files (headers, padding, the end), and where content goes: the archive is these notes with the
files put in. The notes are small and compressed; an empty file means that it cannot be done.
"""

import gzip
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from bridgehead.core.model.errors import HostRefused

_RAW = struct.Struct(">cI")
_FILE = struct.Struct(">QI")
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """The first `size` bytes of the file at `path` in the layer."""

    path: bytes
    size: int


class Notes:
    """Writes a recipe, shown all bytes of the archive in turn."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packed = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0)
        self._raw = bytearray()
        self._content_left = 0

    def seen(self, piece: bytes) -> None:
        """No piece holds both content and something else."""
        if self._content_left:
            self._content_left -= len(piece)
            return
        self._raw += piece
        if len(self._raw) >= _PIECE:
            self._flush()

    def content(self, path: bytes, size: int) -> None:
        """The next `size` bytes are what the file at `path` holds."""
        self._flush()
        self._content_left = size
        self._packed.write(b"F" + _FILE.pack(size, len(path)) + path)

    def close(self, *, usable: bool) -> None:
        self._flush()
        self._packed.close()
        if not usable:
            self._file.truncate(0)

    def _flush(self) -> None:
        if self._raw:
            self._packed.write(_RAW.pack(b"R", len(self._raw)) + self._raw)
            self._raw.clear()


def steps(file: BinaryIO) -> Iterator[bytes | Content]:
    """
    Raises:
        HostRefused: it is no recipe.
    """
    with gzip.GzipFile(fileobj=file) as packed:
        while kind := packed.read(1):
            if kind == b"R":
                yield _exactly(packed, int.from_bytes(_exactly(packed, 4), "big"))
                continue
            size, length = _FILE.unpack(_exactly(packed, _FILE.size))
            yield Content(_exactly(packed, length), size)


def length(file: BinaryIO) -> int:
    """Bytes of the whole archive."""
    return sum(step.size if isinstance(step, Content) else len(step) for step in steps(file))


def _exactly(packed: gzip.GzipFile, size: int) -> bytes:
    found = packed.read(size)
    if len(found) != size:
        raise HostRefused("the notes of how a layer was packed are cut short")
    return found
