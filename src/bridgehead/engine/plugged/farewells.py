"""Telling plugins of endpoints that are gone, as soon as their sandbox has let go of them."""

import asyncio
from collections.abc import Callable

from bridgehead.core.model.ids import ContainerID, EndpointID, NetworkID
from bridgehead.core.model.network import Farewell, Network
from bridgehead.core.remote.farewells import Goodbye, goodbyes
from bridgehead.engine.intent import Intent
from bridgehead.engine.plugged.addresses import holders, learned
from bridgehead.engine.plugged.parting import tell
from bridgehead.engine.plugged.turns import Turns
from bridgehead.engine.tasks import quietly
from bridgehead.engine.world import Plugins


class Farewells:
    """`turns`: of endpoints; what is said of one waits until all that was asked for it is answered."""

    def __init__(self, intent: Intent, plugins: Plugins, turns: Turns) -> None:
        self._turns = turns
        self._intent = intent
        self._plugins = plugins
        self._saying: dict[EndpointID, asyncio.Task[None]] = {}

    async def said(self, network: NetworkID) -> None:
        """All that are owed of this network have been said when this returns.

        Raises:
            PluginMissing, PluginUnreachable: a plugin does not answer; they stay owed.
        """
        await self._said(lambda farewell: farewell.endpoint.network == network)

    def of(self, container: ContainerID) -> set[EndpointID]:
        """What is owed of one container's endpoints."""
        farewells = self._intent.snapshot.farewells.values()
        return {farewell.id for farewell in farewells if farewell.endpoint.container == container}

    async def said_of(self, container: ContainerID) -> None:
        """As `said`, of what one container had."""
        await self._said(lambda farewell: farewell.endpoint.container == container)

    async def all_said(self) -> None:
        """As `said`, of every network."""
        await self._said(lambda _: True)

    async def _said(self, wanted: Callable[[Farewell], bool]) -> None:
        owed = filter(wanted, list(self._intent.snapshot.farewells.values()))
        outcomes = await asyncio.gather(*map(self._say_once, owed), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _say_once(self, farewell: Farewell) -> None:
        """However many wait for it, it is said once."""
        task = self._saying.get(farewell.id)
        if task is None:
            task = self._saying[farewell.id] = asyncio.ensure_future(self._say_in_turn(farewell.id))
            task.add_done_callback(lambda _: self._saying.pop(farewell.id, None))
        await asyncio.shield(task)

    async def _say_in_turn(self, identifier: EndpointID) -> None:
        async with self._turns.of(identifier):
            farewell = self._intent.snapshot.farewells.get(identifier)
            if farewell is not None:
                await self._say(farewell)

    async def _say(self, farewell: Farewell) -> None:
        network = self._intent.snapshot.networks.get(farewell.endpoint.network)
        # The link it lent must be back before its driver hears that it may take it away.
        await quietly(self._intent.reconciler.settle([f"stack/{farewell.endpoint.sandbox}"]))
        for goodbye in await self._goodbyes(network, farewell) if network else ():
            await tell(self._plugins, goodbye)
        self._intent.commit(self._intent.snapshot.drop(farewell))

    async def _goodbyes(self, network: Network, farewell: Farewell) -> list[Goodbye]:
        held = holders(self._intent.snapshot, network, farewell.endpoint)
        endpoint = await learned(self._plugins, network, farewell.endpoint, held)
        return list(goodbyes(network, endpoint))
