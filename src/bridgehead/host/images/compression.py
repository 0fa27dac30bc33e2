"""Which compression an archive came in, told by its first bytes, and reading through it."""

import bz2
import gzip
import io
import lzma
from enum import Enum
from typing import BinaryIO, cast

from bridgehead.core.model.errors import InvalidParameter

LONGEST_MAGIC = 6


class Compression(Enum):
    NONE = b""
    GZIP = b"\x1f\x8b"
    BZIP2 = b"BZh"
    XZ = b"\xfd7zXZ\0"
    ZSTD = b"\x28\xb5\x2f\xfd"


def sniff(beginning: bytes) -> Compression:
    packed = (kind for kind in Compression if kind.value and beginning.startswith(kind.value))
    return next(packed, Compression.NONE)


def inflated(source: io.BufferedReader) -> BinaryIO:
    """`source` without its compression. Only the first bytes are read here.

    Raises:
        InvalidParameter: compressed in a way Python 3.11 cannot read.
    """
    match sniff(source.peek(LONGEST_MAGIC)):
        case Compression.NONE:
            return source
        case Compression.GZIP:
            return cast("BinaryIO", gzip.GzipFile(fileobj=source))
        case Compression.BZIP2:
            return cast("BinaryIO", bz2.BZ2File(source))
        case Compression.XZ:
            return cast("BinaryIO", lzma.LZMAFile(source))
        case Compression.ZSTD:
            raise InvalidParameter("zstd compression is not supported: compress with gzip or xz instead")
