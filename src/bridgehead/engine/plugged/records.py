"""Changing one record between two calls, as it is by then: much may have happened while a plugin thought."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bridgehead.core.model.errors import Conflict
from bridgehead.core.model.ids import EndpointID, NetworkID
from bridgehead.core.model.network import Endpoint, Farewell, Network
from bridgehead.core.model.plugged import PluggedEndpoint, PluggedNetwork
from bridgehead.engine.intent import Intent


class PluggedRecords:
    def __init__(self, intent: Intent) -> None:
        self._intent = intent

    def network(self, identifier: NetworkID) -> Network:
        """
        Raises:
            Conflict: it was removed meanwhile.
        """
        network = self._intent.snapshot.networks.get(identifier)
        if network is None:
            raise Conflict(f"network {identifier} was removed meanwhile")
        return network

    def endpoint(self, identifier: EndpointID) -> Endpoint:
        """
        Raises:
            Conflict: it was disconnected, or its container ended, meanwhile.
        """
        endpoint = self._intent.snapshot.endpoints.get(identifier)
        if endpoint is None:
            raise Conflict(f"{self._gone(identifier)} was taken away meanwhile")
        return endpoint

    def _gone(self, identifier: EndpointID) -> str:
        """An endpoint that went, in words, if it is still known what it was."""
        snapshot = self._intent.snapshot
        farewell = snapshot.farewells.get(identifier)
        network = snapshot.networks.get(farewell.endpoint.network) if farewell else None
        container = snapshot.containers.get(farewell.endpoint.container) if farewell else None
        whose = f" of container {container.name}" if container else ""
        where = f" on network {network.name}" if network else ""
        return f"endpoint {identifier[:12]}{whose}{where}"

    def change_network(self, identifier: NetworkID, change: Callable[[Network], Network]) -> Network:
        changed = change(self.network(identifier))
        self._intent.commit(self._intent.snapshot.put(changed))
        return changed

    def change_endpoint(self, identifier: EndpointID, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        changed = change(self.endpoint(identifier))
        self._intent.commit(self._intent.snapshot.put(changed))
        return changed

    def note_answer(self, identifier: EndpointID, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        """As `change_endpoint`, after a plugin's answer: it counts even if the endpoint went meanwhile, for
        then the plugin has to take it back.
        """
        farewell = self._intent.snapshot.farewells.get(identifier)
        if farewell is not None:
            changed = Farewell(identifier, change(farewell.endpoint))
            self._intent.commit(self._intent.snapshot.put(changed))
        return self.change_endpoint(identifier, change)

    def note_told(self, identifier: EndpointID, **fields: Any) -> Endpoint:
        """As `tell_endpoint`, after a plugin's answer."""
        return self.note_answer(identifier, lambda item: _told(item, fields))

    def tell_network(self, identifier: NetworkID, **fields: Any) -> Network:
        """With these fields of its plugged part."""
        return self.change_network(
            identifier,
            lambda item: replace(item, plugged=replace(item.plugged or PluggedNetwork(), **fields)),
        )

    def tell_endpoint(self, identifier: EndpointID, **fields: Any) -> Endpoint:
        return self.change_endpoint(identifier, lambda item: _told(item, fields))


def _told(endpoint: Endpoint, fields: dict[str, Any]) -> Endpoint:
    return replace(endpoint, plugged=replace(endpoint.plugged or PluggedEndpoint(), **fields))
