"""One at a time: a question about a thing is answered before the next one about it is put."""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, identifier: str) -> asyncio.Lock:
        """The same for whoever asks while somebody has or awaits it."""
        return self._locks.setdefault(identifier, asyncio.Lock())
