"""Waiting with an end: nothing in the tests waits without a limit."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(
    probe: Callable[[], Found | None], what: str, limit_s: float = 10.0, pause_s: float = 0.02
) -> Found:
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
        time.sleep(pause_s)
