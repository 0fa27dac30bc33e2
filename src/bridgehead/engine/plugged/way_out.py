"""Giving a sandbox an endpoint on docker_gwbridge while it needs one, and taking it away when it does not."""

import asyncio
from dataclasses import replace

from bridgehead.core.gateway import gateway_order
from bridgehead.core.gateway_service import NETWORK, REQUEST, is_needed
from bridgehead.core.interfaces import families, interface_name
from bridgehead.core.ipam import addresses
from bridgehead.core.layout import veth_name
from bridgehead.core.model.errors import Conflict
from bridgehead.core.model.ids import EndpointID, SandboxID
from bridgehead.core.model.network import Endpoint, EndpointWish, Network, Phase, Sandbox
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.engine import network_creation
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.publishing import Publishing
from bridgehead.engine.world import HostPorts


class WayOut:
    def __init__(self, intent: Intent, publishing: Publishing, events: EventBus) -> None:
        self._intent = intent
        self._publishing = publishing
        self._events = events
        self._making = asyncio.Lock()

    async def follow(self, identifier: SandboxID) -> None:
        """
        Raises:
            BridgeheadError: it could not be had; no endpoint is left behind.
        """
        snapshot = self._intent.snapshot
        attached = gateway_order(snapshot, snapshot.sandbox_endpoints(identifier))
        given = [endpoint for endpoint, _ in attached if endpoint.service]
        if is_needed(attached) == bool(given):
            return
        if given:
            await self._intent.realise(snapshot.drop(*given))
            return
        container = snapshot.containers[snapshot.sandboxes[identifier].container]
        host = await self._publishing.look(container)
        await self._give(identifier, await self._network(), host)

    async def _give(self, identifier: SandboxID, network: Network, host: HostPorts) -> None:
        snapshot = self._intent.snapshot
        if (sandbox := snapshot.sandboxes.get(identifier)) is None:
            return
        endpoint = self._endpoint(snapshot, sandbox, network)
        connected = self._publishing.awaited(snapshot.put(endpoint), identifier, host)
        await self._intent.attempt(connected, endpoint)

    def _endpoint(self, snapshot: Snapshot, sandbox: Sandbox, network: Network) -> Endpoint:
        container = snapshot.containers[sandbox.container]
        identifier = EndpointID(self._intent.random.identifier())
        held = addresses.holdings(snapshot, network, container.id, self._intent.former.of(network.id))
        return replace(
            Endpoint(identifier, network.id, sandbox.id, container.id, EndpointWish(), service=True),
            interface=interface_name(snapshot, sandbox, container, "", network.interface_prefix),
            host_interface=veth_name(identifier),
            mac=self._intent.random.mac(),
            addresses=addresses.request(network, held, EndpointWish(), families(container)),
        )

    async def _network(self) -> Network:
        """As it is, or made now: nobody had needed it."""
        async with self._making:
            found = self._intent.snapshot.network_named(NETWORK)
            if found is not None:
                return _usable(found)
            request = network_creation.completed(self._intent, REQUEST)
            network, _ = network_creation.decide(self._intent, request)
            await self._intent.attempt(self._intent.snapshot.put(network), network)
            self._events.network(network, "create")
            return self._intent.snapshot.networks[network.id]


def _usable(network: Network) -> Network:
    """
    Raises:
        Conflict: somebody made a network of that name that leads nowhere.
    """
    leads = network.bridge is not None and not network.internal and network.plugged is None
    if not leads or network.phase is not Phase.READY:
        raise Conflict(
            f"network {network.name} of driver {network.driver} cannot lead containers outside, for which a "
            "bridge network of that name that is not internal would be needed: remove it"
        )
    return network
