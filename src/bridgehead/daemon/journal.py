"""Logs for people and for grep: time, level, room, sentence."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        room = record.name.removeprefix("bridgehead.")
        line = f"{stamp}.{int(record.msecs):03d}Z {record.levelname:<7} {room}: {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def begin(level: str) -> None:
    """Log to standard error from here on."""
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(_Line())
    logging.basicConfig(level=_LEVELS[level], handlers=[output], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


@contextmanager
def pidfile(path: str, pid: int) -> Iterator[None]:
    """The process id in a file, for as long as the context lasts."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(f"{pid}\n", encoding="ascii")
    try:
        yield
    finally:
        Path(path).unlink(missing_ok=True)
