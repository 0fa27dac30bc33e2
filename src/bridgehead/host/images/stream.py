"""Walking through a tar archive that can be read only once, forwards."""

from collections.abc import Iterator
from typing import Protocol

from bridgehead.core.images import tar
from bridgehead.core.model.errors import InvalidParameter

_PIECE = 1 << 20


class Source(Protocol):
    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...

    def skip(self, size: int, /) -> None: ...


class Members:
    """Each entry in turn; its content must be taken (`content`), or is skipped, before the next."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._left = 0
        self._padding = 0

    def __iter__(self) -> Iterator[tar.Entry]:
        overrides = tar.Overrides()
        while block := self._block():
            entry = tar.header(block, overrides)
            self._left, self._padding = entry.size, entry.padding
            if entry.kind in tar.EXTENSIONS:
                overrides = tar.extended(overrides, entry, b"".join(self.content()))
            else:
                overrides = tar.Overrides()
                yield entry
            self._skip()

    def content(self) -> Iterator[bytes]:
        while self._left:
            piece = self._source.read(min(self._left, _PIECE))
            if not piece:
                raise InvalidParameter("invalid archive: unexpected EOF")
            self._left -= len(piece)
            yield piece

    def _block(self) -> bytes:
        """The next header; nothing at the archive's end, with or without its two blocks of zeros."""
        block = exactly(self._source, tar.BLOCK)
        return b"" if tar.is_end(block) else block

    def _skip(self) -> None:
        self._source.skip(self._left)
        self._left = 0
        if len(exactly(self._source, self._padding)) < self._padding:
            raise InvalidParameter("invalid archive: unexpected EOF")


def exactly(source: Source, size: int) -> bytes:
    """`size` bytes, or nothing where the source has ended.

    Raises:
        InvalidParameter: it ends in between.
    """
    found = b""
    while len(found) < size:
        piece = source.read(size - len(found))
        if not piece and found:
            raise InvalidParameter("invalid archive: unexpected EOF")
        if not piece:
            break
        found += piece
    return found
