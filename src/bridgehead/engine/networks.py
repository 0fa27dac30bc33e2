"""Networks: create, remove, prune. What connecting means stands in `endpoints`."""

import logging
from collections.abc import Callable
from functools import partial

from bridgehead.core.model.errors import (
    Forbidden,
    NotFound,
    PluginAnswer,
    PluginRefused,
    Unavailable,
)
from bridgehead.core.model.ids import NetworkID, short
from bridgehead.core.model.network import Endpoint, Network, Phase
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.engine import network_creation
from bridgehead.engine.endpoints import EndpointUseCases
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.plugged.plugged import Plugged
from bridgehead.engine.publishing import Publishing
from bridgehead.engine.tasks import Tasks, to_the_end

_log = logging.getLogger("bridgehead.networks")


class NetworkUseCases:
    def __init__(
        self, intent: Intent, publishing: Publishing, plugged: Plugged, events: EventBus, tasks: Tasks
    ) -> None:
        self._intent = intent
        self._plugged = plugged
        self._events = events
        self.tasks = tasks
        endpoints = EndpointUseCases(intent, publishing, plugged, events, tasks)
        self.connect = endpoints.connect
        self.disconnect = endpoints.disconnect

    @to_the_end
    async def create(self, request: NetworkRequest) -> tuple[Network, list[str]]:
        request = network_creation.completed(self._intent, request)
        if self._plugged.concerns(request):
            network, warnings = await self._plugged.create(request)
        else:
            network, warnings = network_creation.decide(self._intent, request)
            await self._intent.attempt(self._intent.snapshot.put(network), network)
        self._events.network(network, "create")
        for warning in warnings:
            _log.warning("network %s: %s", network.name, warning)
        return network, warnings

    @to_the_end
    async def remove(self, reference: str, *, force: bool = False) -> None:
        """`force`: also if its plugins do not answer; they are not told then."""
        network = _removable(self._intent.snapshot, reference)
        if network.plugged is None:
            await self._intent.realise(self._intent.snapshot.drop(network))
        else:
            removable = partial(self._still_removable, network.id)
            await self._plugged.remove(network.id, removable, force=force)
        self._events.network(network, "destroy")

    def _still_removable(self, identifier: NetworkID) -> Network:
        return _removable(self._intent.snapshot, identifier)

    @to_the_end
    async def prune(self, wanted: Callable[[Network], bool]) -> list[str]:
        removed = []
        for network in list(self._intent.snapshot.networks.values()):
            busy = self._intent.snapshot.network_endpoints(network.id)
            kept = network.predefined or network.config_only or network.phase is not Phase.READY
            if kept or busy or not wanted(network):
                continue
            try:
                await self.remove(network.id)
            except (Forbidden, NotFound, Unavailable, PluginRefused, PluginAnswer) as error:
                # Somebody used or removed it meanwhile; or its plugin does not let it go.
                _log.info("network %s is not pruned: %s", network.name, error)
                continue
            removed.append(network.name)
        if removed:
            self._events.plain("network", "prune", {"reclaimed": "0"})
        return removed


def _removable(snapshot: Snapshot, reference: str) -> Network:
    """
    Raises:
        NotFound, Forbidden: it is not there, or is needed; who needs it is named.
    """
    network = snapshot.find_network(reference)
    if network.predefined:
        raise Forbidden(f"{network.name} is a pre-defined network and cannot be removed")
    if active := snapshot.network_endpoints(network.id):
        raise Forbidden(_in_use(snapshot, network, active))
    if users := [item.name for item in snapshot.networks.values() if item.config_from == network.name]:
        raise Forbidden(
            f'error while removing network: configuration network "{network.name}" is in use '
            f"by {', '.join(users)}"
        )
    return network


def _in_use(snapshot: Snapshot, network: Network, active: list[Endpoint]) -> str:
    holders = ", ".join(
        f'name:"{snapshot.containers[endpoint.container].name}" id:"{short(endpoint.id)}"'
        for endpoint in active
    )
    return (
        f"error while removing network: network {network.name} id {network.id} has active endpoints "
        f"({holders})"
    )
