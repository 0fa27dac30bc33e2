"""Guests among containers: the runtime that the engine sees, which has the namespaces of others in it too.

A guest lives and ends as a container does, only that nobody here starts it and nobody here can kill it: to
kill it means to let go of it. So start, recovery, removal and all that follows an end need no second path.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from bridgehead.core.model.container import Limits, ProcessSpec
from bridgehead.core.model.guest import Guest
from bridgehead.core.model.ids import ContainerID
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.model.usage import Usage
from bridgehead.engine.world import Bundle, Execution, Exit, Namespaces, Runtime, Stream


class GuestRuntime:
    """A `Runtime`: what concerns guests is done here, all else by `processes`."""

    def __init__(self, processes: Runtime, namespaces: Namespaces, current: Callable[[], Snapshot]) -> None:
        self._processes = processes
        self._namespaces = namespaces
        self._current = current
        self._dismissed: dict[ContainerID, asyncio.Event] = {}

    async def create(self, bundle: Bundle) -> int:
        if bundle.container.guest is None:
            return await self._processes.create(bundle)
        self._dismissed[bundle.container.id] = asyncio.Event()
        return bundle.container.guest.pid

    async def start(self, container: ContainerID) -> None:
        if self._guest(container) is None:
            await self._processes.start(container)

    async def signal(self, container: ContainerID, number: int) -> None:
        if self._guest(container) is None:
            await self._processes.signal(container, number)
        else:
            self._dismissal(container).set()

    async def pause(self, container: ContainerID, *, frozen: bool) -> None:
        await self._processes.pause(container, frozen=frozen)

    async def delete(self, container: ContainerID) -> None:
        if self._dismissed.pop(container, None) is None:
            await self._processes.delete(container)

    async def exited(self, container: ContainerID) -> Exit:
        guest = self._guest(container)
        if guest is None:
            return await self._processes.exited(container)
        ends = [
            asyncio.ensure_future(self._namespaces.gone(guest)),
            asyncio.ensure_future(self._dismissal(container).wait()),
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        return Exit(container, 0, out_of_memory=False)

    async def remembered(self) -> Iterable[ContainerID]:
        return await self._processes.remembered()

    async def alive(self, container: ContainerID) -> int | None:
        guest = self._guest(container)
        if guest is None:
            return await self._processes.alive(container)
        return guest.pid if await asyncio.to_thread(self._namespaces.still, guest) else None

    async def attach(self, container: ContainerID) -> Stream:
        return await self._processes.attach(container)

    async def execute(
        self, container: ContainerID, process: ProcessSpec, *, attach: bool, stdin: bool
    ) -> Execution:
        return await self._processes.execute(container, process, attach=attach, stdin=stdin)

    def resize(self, container: ContainerID, height: int, width: int) -> None:
        self._processes.resize(container, height, width)

    def processes(self, container: ContainerID) -> Sequence[int]:
        return self._processes.processes(container)

    async def limit(self, container: ContainerID, limits: Limits) -> None:
        await self._processes.limit(container, limits)

    def usage(self, container: ContainerID, *, shares_host_network: bool) -> Usage | None:
        return self._processes.usage(container, shares_host_network=shares_host_network)

    def _guest(self, container: ContainerID) -> Guest | None:
        found = self._current().containers.get(container)
        return found.guest if found else None

    def _dismissal(self, container: ContainerID) -> asyncio.Event:
        return self._dismissed.setdefault(container, asyncio.Event())
