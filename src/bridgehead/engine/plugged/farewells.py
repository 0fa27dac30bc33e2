"""Telling plugins of endpoints that are gone, as soon as their sandbox has let go of them."""

import asyncio
import logging

from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.model.ids import EndpointID, NetworkID
from bridgehead.core.model.network import Farewell, Network
from bridgehead.core.remote import protocol
from bridgehead.core.remote.farewells import Goodbye, goodbyes
from bridgehead.engine.intent import Intent
from bridgehead.engine.plugged.absence import ABSENT
from bridgehead.engine.plugged.addresses import learned
from bridgehead.engine.tasks import quietly
from bridgehead.engine.world import Plugins

_log = logging.getLogger("bridgehead.plugged.farewells")


class Farewells:
    def __init__(self, intent: Intent, plugins: Plugins) -> None:
        self._intent = intent
        self._plugins = plugins
        self._saying: dict[EndpointID, asyncio.Task[None]] = {}

    async def said(self, network: NetworkID | None = None) -> None:
        """All that are owed, of one network or of every one, have been said when this returns.

        Raises:
            PluginMissing, PluginUnreachable: a plugin does not answer; they stay owed.
        """
        owed = [
            item
            for item in self._intent.snapshot.farewells.values()
            if network is None or item.endpoint.network == network
        ]
        outcomes = await asyncio.gather(*map(self._say_once, owed), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _say_once(self, farewell: Farewell) -> None:
        """However many wait for it, it is said once."""
        task = self._saying.get(farewell.id)
        if task is None:
            task = self._saying[farewell.id] = asyncio.ensure_future(self._say(farewell))
            task.add_done_callback(lambda _: self._saying.pop(farewell.id, None))
        await asyncio.shield(task)

    async def _say(self, farewell: Farewell) -> None:
        network = self._intent.snapshot.networks.get(farewell.endpoint.network)
        # The link it lent must be back before its driver hears that it may take it away.
        await quietly(self._intent.reconciler.settle([f"stack/{farewell.endpoint.sandbox}"]))
        for plugin, method, request in await self._goodbyes(network, farewell) if network else ():
            try:
                await self._plugins.call(plugin, method, request, protocol.Nothing)
            except ABSENT:
                raise
            except BridgeheadError as error:
                _log.warning("plugin %s: %s: %s", plugin, method, error)
        self._intent.commit(self._intent.snapshot.drop(farewell))

    async def _goodbyes(self, network: Network, farewell: Farewell) -> list[Goodbye]:
        endpoint = await learned(self._plugins, network, farewell.endpoint)
        return list(goodbyes(network, endpoint))
