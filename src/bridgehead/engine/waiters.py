"""Who waits for a container's end, and for which one."""

import asyncio
from collections.abc import Awaitable

from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.ids import ContainerID

_CONDITIONS = ("not-running", "next-exit", "removed")


class Waiters:
    def __init__(self) -> None:
        self._waiting: dict[ContainerID, list[tuple[str, asyncio.Future[int]]]] = {}

    def wait(self, container: Container, condition: str) -> Awaitable[int]:
        condition = condition or "not-running"
        if condition not in _CONDITIONS:
            raise InvalidParameter(f'invalid condition: "{condition}"')
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if condition == "not-running" and not container.state.status.is_alive:
            future.set_result(container.state.exit_code)
        else:
            self._waiting.setdefault(container.id, []).append((condition, future))
        return future

    def ended(self, container: ContainerID, code: int) -> None:
        self._resolve(container, code, {"not-running", "next-exit"})

    def removed(self, container: ContainerID, code: int) -> None:
        self._resolve(container, code, set(_CONDITIONS))

    def _resolve(self, container: ContainerID, code: int, conditions: set[str]) -> None:
        kept = []
        for condition, future in self._waiting.pop(container, []):
            if future.done():
                continue
            if condition in conditions:
                future.set_result(code)
            else:
                kept.append((condition, future))
        if kept:
            self._waiting[container] = kept
