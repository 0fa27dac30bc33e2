"""Endpoints that plugins give addresses to or make: asked for while a sandbox is being put together."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from bridgehead.core import endpoint_options
from bridgehead.core.gateway import gateway_order, ways_out
from bridgehead.core.interfaces import families, interface_name
from bridgehead.core.model.errors import BridgeheadError, PluginRefused
from bridgehead.core.model.ids import EndpointID, SandboxID
from bridgehead.core.model.network import Endpoint, Network
from bridgehead.core.model.plugged import PluggedEndpoint, Told
from bridgehead.core.remote import conversation, protocol
from bridgehead.engine.intent import Intent
from bridgehead.engine.plugged import addresses
from bridgehead.engine.plugged.farewells import Farewells
from bridgehead.engine.plugged.records import PluggedRecords
from bridgehead.engine.world import Plugins

_log = logging.getLogger("bridgehead.plugged.endpoints")


class PluggedEndpoints:
    def __init__(self, intent: Intent, plugins: Plugins, farewells: Farewells) -> None:
        self._intent = intent
        self._plugins = plugins
        self._records = PluggedRecords(intent)
        self.farewells = farewells

    def waits(self, sandbox: SandboxID) -> bool:
        """Whether plugins have a say in any of its endpoints."""
        return any(True for _ in self._of(sandbox))

    async def create(self, sandbox: SandboxID) -> None:
        """Have its endpoints addressed and made.

        Raises:
            BridgeheadError: why one could not be had; what was done is undone once the endpoint is dropped.
        """
        for endpoint, network in self._of(sandbox):
            told = endpoint.plugged or PluggedEndpoint()
            # Those that went must be gone for the plugin too, before others may get their addresses.
            await self.farewells.said(network.id)
            if network.addressed_by_plugin and told.addressed is not Told.DONE:
                await self._address(endpoint.id, network)
            if network.driven_by_plugin and told.created is not Told.DONE:
                await self._create(endpoint.id, network)

    async def join(self, sandbox: SandboxID) -> None:
        """Have its endpoints joined to its namespace, which is there."""
        for endpoint, network in self._of(sandbox):
            plugged = endpoint.plugged
            if network.driven_by_plugin and plugged and plugged.joined is not Told.DONE:
                await self._join(endpoint.id, network)

    async def follow(self, sandbox: SandboxID) -> None:
        """Tell the drivers which of its endpoints leads outside now, and which no longer does.

        Raises:
            PluginRefused and the like: it cannot be reached from outside.
        """
        if not self.waits(sandbox):
            return
        snapshot = self._intent.snapshot
        attached = gateway_order(snapshot, snapshot.sandbox_endpoints(sandbox))
        leading = {endpoint.id for endpoint, _ in ways_out(attached).values()}
        ours = [pair for pair in attached if pair[1].driven_by_plugin]
        for endpoint, network in ours:
            if endpoint.id not in leading and _external(endpoint) is not Told.NOTHING:
                await self._revoke(endpoint, network)
        for endpoint, network in ours:
            if endpoint.id in leading and _external(endpoint) is not Told.DONE:
                await self._program(endpoint, network)

    async def inform(self, sandbox: SandboxID) -> None:
        """Have the drivers say what else there is to know, for whoever inspects; it may be nothing."""
        for endpoint, network in self._of(sandbox):
            if not network.driven_by_plugin:
                continue
            ids = {"network_id": network.id, "endpoint_id": endpoint.id}
            try:
                answer = await self._plugins.call(
                    network.driver,
                    "NetworkDriver.EndpointOperInfo",
                    protocol.EndpointOperInfo(**ids),
                    protocol.OperInfo,
                )
            except BridgeheadError as error:
                _log.info("plugin %s, endpoint %s: %s", network.driver, endpoint.id, error)
                continue
            said = msgspec.json.encode(answer.value).decode() if answer.value else ""
            if endpoint.plugged and endpoint.plugged.said != said:
                self._records.tell_endpoint(endpoint.id, said=said)

    def _of(self, sandbox: SandboxID) -> Iterator[tuple[Endpoint, Network]]:
        snapshot = self._intent.snapshot
        for endpoint in snapshot.sandbox_endpoints(sandbox):
            network = snapshot.networks[endpoint.network]
            if network.plugged is not None:
                yield endpoint, network

    async def _address(self, identifier: EndpointID, network: Network) -> None:
        endpoint = self._records.tell_endpoint(identifier, addressed=Told.ASKED)
        container = self._intent.snapshot.containers[endpoint.container]
        for family in addresses.missing(network, endpoint, families(container)):
            endpoint = await addresses.given(self._plugins, network, endpoint, family)
            self._records.address_endpoint(endpoint)
        self._records.tell_endpoint(identifier, addressed=Told.DONE)

    async def _create(self, identifier: EndpointID, network: Network) -> None:
        endpoint = self._records.tell_endpoint(identifier, created=Told.ASKED)
        container = self._intent.snapshot.containers[endpoint.container]
        request = conversation.create_endpoint(network, endpoint, container)
        try:
            answer = await self._plugins.call(
                network.driver, "NetworkDriver.CreateEndpoint", request, protocol.CreatedEndpoint
            )
        except PluginRefused as error:
            self._records.tell_endpoint(identifier, created=Told.NOTHING)
            raise PluginRefused(
                f"failed to create endpoint {container.name} on network {network.name}: {error.message}"
            ) from None
        self._records.change_endpoint(identifier, lambda item: conversation.with_interface(item, answer))
        self._records.tell_endpoint(identifier, created=Told.DONE)

    async def _join(self, identifier: EndpointID, network: Network) -> None:
        endpoint = self._records.tell_endpoint(identifier, joined=Told.ASKED)
        snapshot = self._intent.snapshot
        sandbox = snapshot.sandboxes[endpoint.sandbox]
        request = protocol.Join(
            network_id=network.id,
            endpoint_id=identifier,
            sandbox_key=self._intent.facts.layout.namespace(sandbox.namespace),
            options=self._ports(endpoint),
        )
        try:
            answer = await self._plugins.call(network.driver, "NetworkDriver.Join", request, protocol.Joined)
        except PluginRefused:
            self._records.tell_endpoint(identifier, joined=Told.NOTHING)
            raise
        self._records.change_endpoint(identifier, lambda item: self._joined(item, network, answer))

    def _joined(self, endpoint: Endpoint, network: Network, answer: protocol.Joined) -> Endpoint:
        snapshot = self._intent.snapshot
        prefix = (answer.interface_name.dst_prefix if answer.interface_name else "") or "eth"
        plugged = conversation.with_joined(endpoint.plugged or PluggedEndpoint(), answer)
        container, sandbox = snapshot.containers[endpoint.container], snapshot.sandboxes[endpoint.sandbox]
        wanted = endpoint_options.interface_name(endpoint.wish.driver_options)
        name = interface_name(snapshot, sandbox, container, wanted, prefix) if plugged.source else ""
        return replace(endpoint, plugged=plugged, interface=name)

    async def _program(self, endpoint: Endpoint, network: Network) -> None:
        self._records.tell_endpoint(endpoint.id, external=Told.ASKED)
        request = protocol.ProgramExternalConnectivity(
            network_id=network.id, endpoint_id=endpoint.id, options=self._ports(endpoint)
        )
        method = "NetworkDriver.ProgramExternalConnectivity"
        try:
            await self._plugins.call(network.driver, method, request, protocol.Nothing)
        except PluginRefused:
            self._records.tell_endpoint(endpoint.id, external=Told.NOTHING)
            raise
        self._records.tell_endpoint(endpoint.id, external=Told.DONE)

    async def _revoke(self, endpoint: Endpoint, network: Network) -> None:
        request = protocol.RevokeExternalConnectivity(network_id=network.id, endpoint_id=endpoint.id)
        method = "NetworkDriver.RevokeExternalConnectivity"
        await self._plugins.call(network.driver, method, request, protocol.Nothing)
        self._records.tell_endpoint(endpoint.id, external=Told.NOTHING)

    def _ports(self, endpoint: Endpoint) -> dict[str, object]:
        return conversation.port_options(self._intent.snapshot.containers[endpoint.container].spec)


def _external(endpoint: Endpoint) -> Told:
    return endpoint.plugged.external if endpoint.plugged else Told.NOTHING
