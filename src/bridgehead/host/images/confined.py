"""The inside of the child processes that read archives: bounds set by the kernel, and how they report.

A child ends with 0, or writes one sentence to standard error and ends with a status that says whose fault
it was.
"""

import errno
import io
import lzma
import os
import resource
import sys
import zlib
from collections.abc import Callable
from typing import BinaryIO

from bridgehead.core.model.errors import HostRefused, InvalidParameter

MAXIMUM_BYTES = 64 << 30
"""Uncompressed bytes of one archive or layer. Generous: the largest images people share are below it."""

REFUSED = 2
"""Exit status: the archive is at fault."""

FAILED = 3
"""Exit status: the machine is at fault (a full disk, say)."""

_MEMORY = 1 << 30
_PIECE = 1 << 20
_OURS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENOMEM, errno.EACCES, errno.EOPNOTSUPP}
)


class Counted:
    """A source with a bound, which shows every byte that passes to `seen`."""

    def __init__(
        self,
        source: BinaryIO,
        seen: Callable[[bytes], None] = lambda _: None,
        limit: int = MAXIMUM_BYTES,
    ) -> None:
        self._source = source
        self._seen = seen
        self._limit = self._left = limit

    def read(self, size: int) -> bytes:
        piece = self._source.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise InvalidParameter(f"the archive unpacks to more than {self._limit} bytes")
        self._seen(piece)
        return piece

    @property
    def is_empty(self) -> bool:
        return self._left == self._limit

    def skip(self, size: int) -> None:
        while size and (piece := self.read(min(size, _PIECE))):
            size -= len(piece)


def standard_input() -> io.BufferedReader:
    return io.BufferedReader(io.FileIO(0), _PIECE)


def run(work: Callable[[], None]) -> None:
    """Do `work` under the bounds and end this process."""
    bound()
    status = _status(work)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def bound() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _status(work: Callable[[], None]) -> int:
    try:
        work()
    except InvalidParameter as error:
        return _complain(REFUSED, error.message)
    except HostRefused as error:
        return _complain(FAILED, error.message)
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        return _complain(REFUSED, f"invalid archive: {error}")
    except RecursionError:
        return _complain(REFUSED, "invalid archive: its folders are too deep")
    except MemoryError:
        return _complain(REFUSED, "invalid archive: reading it takes too much memory")
    except OSError as error:
        ours = error.errno in _OURS
        return _complain(FAILED if ours else REFUSED, f"{'' if ours else 'invalid archive: '}{_words(error)}")
    return 0


def _words(error: OSError) -> str:
    """The failing path is archive-relative: the child lives in the layer's folder."""
    if error.errno is None:
        return str(error)
    name = error.filename
    path = os.fsdecode(name) if isinstance(name, bytes | str) else ""
    return f"{error.strerror}: {path!r}" if path else os.strerror(error.errno)


def _complain(status: int, message: str) -> int:
    sys.stderr.write(message.encode("utf-8", "replace").decode()[:1000])
    return status
