"""Clients that attach before a container starts: `docker run` attaches first, so that no output is missed.

A start waits, for a bounded time, until every client that was waiting holds its stream.
"""

import asyncio

from bridgehead.core.model.errors import BridgeheadError, NotFound
from bridgehead.core.model.ids import ContainerID
from bridgehead.engine.world import Runtime, Stream

_PATIENCE_S = 5.0


class Launch:
    def __init__(self) -> None:
        self.created: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.attaching = 0
        self.all_attached = asyncio.Event()

    def leave(self) -> None:
        self.attaching -= 1
        if self.attaching == 0:
            self.all_attached.set()


class Launches:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: dict[ContainerID, Launch] = {}
        self._sizes: dict[ContainerID, tuple[int, int]] = {}

    async def attach(self, container: ContainerID) -> Stream:
        launch = self._waiting.get(container)
        if launch is None:
            launch = self._waiting[container] = Launch()
        launch.attaching += 1
        try:
            await asyncio.shield(launch.created)
            return await self._runtime.attach(container)
        finally:
            launch.leave()
            if launch.attaching == 0 and not launch.created.done():
                self._waiting.pop(container, None)

    def remember_size(self, container: ContainerID, height: int, width: int) -> None:
        self._sizes[container] = (height, width)

    async def open(self, container: ContainerID) -> None:
        """The container exists: let the waiting clients in before it runs."""
        if size := self._sizes.pop(container, None):
            self._runtime.resize(container, *size)
        launch = self._waiting.setdefault(container, Launch())
        launch.created.set_result(None)
        if not launch.attaching:
            return
        try:
            await asyncio.wait_for(launch.all_attached.wait(), _PATIENCE_S)
        except TimeoutError:
            return  # a client that does not take its stream must not hold the container back

    def succeed(self, container: ContainerID) -> None:
        """It runs and can be attached to directly from here on."""
        self._waiting.pop(container, None)

    def fail(self, container: ContainerID, error: BridgeheadError) -> None:
        self._sizes.pop(container, None)
        launch = self._waiting.pop(container, None)
        if launch is not None and not launch.created.done():
            launch.created.set_exception(error)
            launch.created.exception()  # seen: waiters that went away leave no warning behind

    def forget(self, container: ContainerID) -> None:
        """It is gone, and nobody need wait for it any longer."""
        self.fail(container, NotFound(f"container {container} was removed before it started"))
