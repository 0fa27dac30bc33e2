"""Archives that come from the daemon, to a file or to stdout."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkstemp

from bridgehead.cli.client import CommandFailed, reason


def write_out(pieces: Iterable[bytes], output: str) -> None:
    """A file appears whole or not at all.

    Raises:
        CommandFailed: it cannot be written.
    """
    if not output:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        return
    target = Path(output)
    try:
        if target.exists() and not target.is_file():  # a device or a pipe: there is nothing to replace
            with target.open("wb") as sink:
                sink.writelines(pieces)
            return
        _replace(target, pieces)
    except OSError as error:
        raise CommandFailed(f"failed to write {output}: {reason(error)}") from error


def _replace(target: Path, pieces: Iterable[bytes]) -> None:
    descriptor, beside = mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
        Path(beside).replace(target)
    except BaseException:
        Path(beside).unlink()
        raise
