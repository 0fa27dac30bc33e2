"""conmon's log, line by line: "TIME STREAM TAG TEXT", where tag F ends a line and P promises more of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from bridgehead.core.model.process import LogLine

_STREAMS = {b"stdout": 1, b"stderr": 2}
_BLOCK = 65536
# A line longer than this is handed on in pieces, as Docker's own log drivers do.
_LONGEST = 16384


@dataclass(frozen=True, slots=True)
class Record:
    time: str
    stream: int
    whole: bool
    text: bytes


def parse(line: bytes) -> Record | None:
    """None for what conmon did not write, such as a line cut short by a full disk."""
    parts = line.split(b" ", 3)
    if len(parts) < 4 or parts[1] not in _STREAMS:
        return None
    time = parts[0].decode("ascii", errors="replace").replace("+00:00", "Z")
    return Record(time, _STREAMS[parts[1]], parts[2] == b"F", parts[3])


class Joiner:
    """Puts the pieces of each stream's lines together."""

    def __init__(self) -> None:
        self._pieces: dict[int, list[Record]] = {}

    def add(self, record: Record) -> LogLine | None:
        pieces = self._pieces.setdefault(record.stream, [])
        pieces.append(record)
        if record.whole or sum(len(piece.text) for piece in pieces) >= _LONGEST:
            return _line(self._pieces.pop(record.stream))
        return None

    def rest(self) -> Iterator[LogLine]:
        """Lines that never ended."""
        for pieces in self._pieces.values():
            yield _line(pieces)
        self._pieces = {}


def _line(pieces: list[Record]) -> LogLine:
    data = b"".join(piece.text for piece in pieces)
    return LogLine(pieces[0].time, pieces[0].stream, data + b"\n" if pieces[-1].whole else data)


def seek_tail(file: BinaryIO, count: int) -> None:
    """Move to where the last `count` lines begin, reading backwards from the end."""
    position = file.seek(0, 2)
    ends = 0
    carried = b""
    while position > 0:
        size = min(_BLOCK, position)
        position -= size
        file.seek(position)
        lines = (file.read(size) + carried).split(b"\n")
        # The first may be the end of a line that begins in the block before.
        carried = lines[0]
        after = position + sum(len(line) + 1 for line in lines)
        for index in range(len(lines) - 1, 0 if position else -1, -1):
            line = lines[index]
            after -= len(line) + 1
            if _ends_line(line, last=ends == 0):
                ends += 1
                if ends > count:
                    file.seek(after + len(line) + 1)
                    return
    file.seek(0)


def _ends_line(line: bytes, *, last: bool) -> bool:
    record = parse(line)
    return record is not None and (record.whole or last)
