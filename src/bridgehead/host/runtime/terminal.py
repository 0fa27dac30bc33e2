"""The size of a terminal, told to conmon through its fifo."""

import os

from bridgehead.core.model.errors import HostRefused
from bridgehead.host.runtime.folder import Folder

_RESIZE = 1
_LARGEST = 1000  # conmon ignores anything beyond


def resize(folder: Folder, height: int, width: int) -> None:
    """
    Raises:
        HostRefused: nobody listens.
    """
    try:
        fifo = os.open(folder.resizing, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise HostRefused(f"cannot resize a terminal of {folder.name}: it is not running") from error
    try:
        os.write(fifo, f"{_RESIZE} {min(height, _LARGEST)} {min(width, _LARGEST)}\n".encode())
    finally:
        os.close(fifo)
