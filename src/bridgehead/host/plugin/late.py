"""`LatePlugins`: `HostPlugins`, whose code is loaded with the first question. Most daemons never ask one."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from bridgehead.host.plugin.plugins import HostPlugins

Answer = TypeVar("Answer", bound=msgspec.Struct)


class LatePlugins:
    @cached_property
    def _plugins(self) -> "HostPlugins":
        from bridgehead.host.plugin.plugins import HostPlugins

        return HostPlugins()

    async def activate(self, name: str, interface: str) -> int:
        return await self._plugins.activate(name, interface)

    async def call(
        self, name: str, method: str, request: msgspec.Struct | None, kind: type[Answer]
    ) -> Answer:
        return await self._plugins.call(name, method, request, kind)

    def known(self) -> Sequence[str]:
        return self._plugins.known()

    async def close(self) -> None:
        if "_plugins" in self.__dict__:
            await self._plugins.close()
