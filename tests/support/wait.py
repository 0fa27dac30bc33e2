"""Waiting with an end: nothing in the tests waits without a limit."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

_PAUSE_S = 0.02


def until(probe: Callable[[], Found | None], what: str, limit_s: float = 10.0) -> Found:
    """The first answer of `probe` that is neither None nor false.

    Raises:
        TimeoutError: none came within `limit_s`.
    """
    deadline = time.monotonic() + limit_s
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {limit_s} s")
        time.sleep(_PAUSE_S)
