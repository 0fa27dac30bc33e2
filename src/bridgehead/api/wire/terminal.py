"""Terminal sizes: rows, then columns."""

from collections.abc import Sequence

_LARGEST = 65535


def possible(height: int, width: int) -> bool:
    return 0 <= height <= _LARGEST and 0 <= width <= _LARGEST


def size(console_size: Sequence[int]) -> tuple[int, int] | None:
    """Out of a body's ConsoleSize; None where it says nothing, or nothing sensible."""
    match console_size:
        case [height, width] if possible(height, width) and height and width:
            return height, width
        case _:
            return None
