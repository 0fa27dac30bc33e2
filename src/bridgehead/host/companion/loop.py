"""One epoll and a heap of timers. asyncio would do the same for 10 MB more memory and 50 ms more start."""

import heapq
import select
import time
from collections.abc import Callable
from itertools import count

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT

Watcher = Callable[[int], None]

_MOST_EVENTS = 64  # room for them is made anew each time
_MOST_DEAD_TIMERS = 256


class Timer:
    __slots__ = ("_loop", "callback", "due")

    def __init__(self, loop: "Loop", due: float, callback: Callable[[], None]) -> None:
        self._loop = loop
        self.due = due
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            self._loop.timer_died()


class Loop:
    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watchers: dict[int, Watcher] = {}
        self._fresh: set[int] = set()
        self._timers: list[tuple[float, int, Timer]] = []
        self._dead_timers = 0
        self._sequence = count()
        self._running = True

    def watch(self, descriptor: int, watcher: Watcher, mask: int = READABLE) -> None:
        """Call `watcher` with the ready events, again and again until they are dealt with."""
        self._epoll.register(descriptor, mask)
        self._watchers[descriptor] = watcher
        # A number freed and given out again in one round may still have an event of its former life.
        self._fresh.add(descriptor)

    def change(self, descriptor: int, mask: int) -> None:
        self._epoll.modify(descriptor, mask)

    def forget(self, descriptor: int) -> None:
        """Call it before the descriptor is closed."""
        if self._watchers.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def now(self) -> float:
        return time.monotonic()

    def later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self, self.now() + delay_s, callback)
        heapq.heappush(self._timers, (timer.due, next(self._sequence), timer))
        return timer

    def timer_died(self) -> None:
        self._dead_timers += 1
        if self._dead_timers > _MOST_DEAD_TIMERS and self._dead_timers * 2 > len(self._timers):
            self._timers = [entry for entry in self._timers if entry[2].callback is not None]
            heapq.heapify(self._timers)
            self._dead_timers = 0

    def run(self) -> None:
        poll, watchers, fresh = self._epoll.poll, self._watchers, self._fresh
        while self._running:
            fresh.clear()
            pause_s = self._pause() if self._timers else None
            for descriptor, events in poll(pause_s, _MOST_EVENTS):
                watcher = watchers.get(descriptor)
                if watcher is not None and descriptor not in fresh:
                    watcher(events)
            if self._timers:
                self._run_due_timers()

    def stop(self) -> None:
        self._running = False

    def _pause(self) -> float:
        return max(0.0, self._timers[0][0] - self.now())

    def _run_due_timers(self) -> None:
        while self._timers and self._timers[0][0] <= self.now():
            timer = heapq.heappop(self._timers)[2]
            callback, timer.callback = timer.callback, None
            if callback is None:
                self._dead_timers -= 1
            else:
                callback()
