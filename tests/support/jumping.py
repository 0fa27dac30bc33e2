"""A loop whose clock jumps to the next timer as soon as nothing else can happen.

Pauses cost nothing, however long. For tests whose other side lives in the same loop, or in its threads.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any


class _Jumps(selectors.EpollSelector):
    def __init__(self) -> None:
        super().__init__()
        self.jumped_s = 0.0
        self.abroad = 0  # calls that other threads have not finished yet

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.abroad or not timeout or timeout < 0:
            return super().select(timeout)
        if not (ready := super().select(0)):
            self.jumped_s += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        return super().time() + self._jumps.jumped_s

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        future = super().run_in_executor(executor, func, *args)
        self._jumps.abroad += 1
        future.add_done_callback(self._back)
        return future

    def _back(self, _: "asyncio.Future[Any]") -> None:
        self._jumps.abroad -= 1
