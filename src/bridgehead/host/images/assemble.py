"""`python -m bridgehead.host.images.assemble FOLDER RECIPE DIGEST [gzip]`: a layer's archive as it came.

The process makes FOLDER its root directory before it opens a file of it, and opens nothing but regular files.
What it writes must have the digest DIGEST, or it ends with an error.
"""

import hashlib
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from bridgehead.core.model.errors import HostRefused
from bridgehead.host.images import confined, recipe

_PIECE = 1 << 20
_GZIP = 31  # zlib's number for the largest window, with the header of gzip
_LEVEL = 6


def assemble(folder: str, notes: str, digest: str, *, packed: bool) -> None:
    hashed = hashlib.sha256()
    with open(notes, "rb") as file, os.fdopen(1, "wb", _PIECE, closefd=False) as out:  # noqa: PTH123 - no need of more
        os.chroot(folder)
        os.chdir("/")
        compressor = zlib.compressobj(_LEVEL, wbits=_GZIP) if packed else None
        for piece in _pieces(file):
            hashed.update(piece)
            out.write(compressor.compress(piece) if compressor else piece)
        if f"sha256:{hashed.hexdigest()}" != digest:
            raise HostRefused(f"the files of layer {digest} are not what they were")
        if compressor:
            out.write(compressor.flush())


def _pieces(notes: BinaryIO) -> Iterator[bytes]:
    for step in recipe.steps(notes):
        if isinstance(step, recipe.Content):
            yield from _content(step)
        else:
            yield step


def _content(step: recipe.Content) -> Iterator[bytes]:
    file = os.open(step.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        left = step.size if stat.S_ISREG(os.fstat(file).st_mode) else 0
        while left and (piece := os.read(file, min(left, _PIECE))):
            left -= len(piece)
            yield piece
    finally:
        os.close(file)


def _run() -> None:
    folder, notes, digest, *rest = sys.argv[1:]
    assemble(folder, notes, digest, packed=rest == ["gzip"])


if __name__ == "__main__":
    confined.run(_run)
