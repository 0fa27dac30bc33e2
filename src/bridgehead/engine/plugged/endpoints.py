"""Endpoints that plugins give addresses to or make: asked for while a sandbox is being put together."""

import logging
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

import msgspec

from bridgehead.core import endpoint_options
from bridgehead.core.gateway import gateway_order, ways_out
from bridgehead.core.interfaces import families, interface_name
from bridgehead.core.model.errors import BridgeheadError, Conflict, PluginAnswer, PluginRefused
from bridgehead.core.model.ids import EndpointID, SandboxID
from bridgehead.core.model.network import Endpoint, Network
from bridgehead.core.model.plugged import PluggedEndpoint, Told
from bridgehead.core.remote import conversation, protocol
from bridgehead.engine.intent import Intent
from bridgehead.engine.plugged import addresses
from bridgehead.engine.plugged.farewells import Farewells
from bridgehead.engine.plugged.records import PluggedRecords
from bridgehead.engine.plugged.replay import Replay
from bridgehead.engine.plugged.turns import Turns
from bridgehead.engine.world import Plugins

_log = logging.getLogger("bridgehead.plugged.endpoints")


class PluggedEndpoints:
    """`turns`: of endpoints; nobody is told of the end of one while its plugins are asked for it."""

    def __init__(
        self, intent: Intent, plugins: Plugins, replay: Replay, farewells: Farewells, turns: Turns
    ) -> None:
        self._replay = replay
        self._turns = turns
        self._intent = intent
        self._plugins = plugins
        self._records = PluggedRecords(intent)
        self.farewells = farewells

    def waits(self, sandbox: SandboxID) -> bool:
        """Whether plugins have a say in any of its endpoints."""
        return any(True for _ in self._of(sandbox))

    def of(self, sandbox: SandboxID) -> list[EndpointID]:
        """Those in which plugins have a say, as of now: what a connect adds is its own business."""
        return [endpoint.id for endpoint, _ in self._of(sandbox)]

    async def create(self, endpoints: Collection[EndpointID]) -> None:
        """Have these addressed and made; those that are gone are passed over.

        Raises:
            BridgeheadError: why one could not be had; what was done is undone once the endpoint is dropped.
        """
        for identifier in endpoints:
            for network in self._network_of(identifier):
                # Those that went must be gone for the plugin too, before others may get their addresses.
                await self.farewells.said(network.id)
                if network.addressed_by_plugin:
                    await self._replay.of(network.ipam_driver)
                async with self._turns.of(identifier):
                    if network.addressed_by_plugin:
                        await self._address(identifier)
                    if network.driven_by_plugin:
                        await self._create(identifier, network)

    async def join(self, endpoints: Collection[EndpointID]) -> None:
        """Have these joined to their sandbox's namespace, which is there."""
        for identifier in endpoints:
            for network in self._network_of(identifier):
                if network.driven_by_plugin:
                    async with self._turns.of(identifier):
                        await self._join(identifier, network)

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
                with suppress(Conflict):  # it went meanwhile, and so it is told by its farewell
                    await self._revoke(endpoint, network)
        for endpoint, network in ours:
            if endpoint.id in leading and _external(endpoint) is not Told.DONE:
                with suppress(Conflict):
                    await self._program(endpoint, network)

    async def inform(self, sandbox: SandboxID) -> None:
        """Have the drivers say what else there is to know, for whoever inspects; it may be nothing."""
        for endpoint, network in self._of(sandbox):
            if endpoint.plugged is None or endpoint.plugged.joined is not Told.DONE:
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
            if endpoint.plugged.said != said:
                with suppress(Conflict):
                    self._records.tell_endpoint(endpoint.id, said=said)

    def _of(self, sandbox: SandboxID) -> Iterator[tuple[Endpoint, Network]]:
        snapshot = self._intent.snapshot
        for endpoint in snapshot.sandbox_endpoints(sandbox):
            network = snapshot.networks[endpoint.network]
            if network.plugged is not None:
                yield endpoint, network

    def _network_of(self, identifier: EndpointID) -> Iterator[Network]:
        snapshot = self._intent.snapshot
        if (endpoint := snapshot.endpoints.get(identifier)) is not None:
            yield snapshot.networks[endpoint.network]

    async def _address(self, identifier: EndpointID) -> None:
        endpoint = self._records.tell_endpoint(identifier, addressed=Told.ASKED)
        network = self._records.network(endpoint.network)
        container = self._intent.snapshot.containers[endpoint.container]
        for family in addresses.missing(network, endpoint, families(container)):
            held = addresses.holders(self._intent.snapshot, network, endpoint)
            found = await addresses.given(self._plugins, network, endpoint, family, held)
            endpoint = self._records.note_answer(identifier, partial(_with_addresses, found=found))
            addresses.check(network, endpoint)
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
            self._records.note_told(identifier, created=Told.NOTHING)
            raise PluginRefused(
                f"failed to create endpoint {container.name} on network {network.name}: {error.message}"
            ) from None
        self._records.note_answer(identifier, lambda item: conversation.with_interface(item, answer))
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
            self._records.note_told(identifier, joined=Told.NOTHING)
            raise
        self._records.note_answer(
            identifier,
            lambda item: replace(
                item, plugged=conversation.with_joined(item.plugged or PluggedEndpoint(), answer)
            ),
        )
        self._records.change_endpoint(identifier, lambda item: self._named(item, answer))

    def _named(self, endpoint: Endpoint, answer: protocol.Joined) -> Endpoint:
        snapshot = self._intent.snapshot
        prefix = (answer.interface_name.dst_prefix if answer.interface_name else "") or "eth"
        container, sandbox = snapshot.containers[endpoint.container], snapshot.sandboxes[endpoint.sandbox]
        wanted = endpoint_options.interface_name(endpoint.wish.driver_options)
        lends = endpoint.plugged and endpoint.plugged.source
        name = interface_name(snapshot, sandbox, container, wanted, prefix) if lends else ""
        return replace(endpoint, interface=name)

    async def _program(self, endpoint: Endpoint, network: Network) -> None:
        async with self._turns.of(endpoint.id):
            await self._programmed(endpoint, network)

    async def _programmed(self, endpoint: Endpoint, network: Network) -> None:
        self._records.tell_endpoint(endpoint.id, external=Told.ASKED)
        request = protocol.ProgramExternalConnectivity(
            network_id=network.id, endpoint_id=endpoint.id, options=self._ports(endpoint)
        )
        method = "NetworkDriver.ProgramExternalConnectivity"
        try:
            await self._plugins.call(network.driver, method, request, protocol.Nothing)
        except PluginRefused:
            self._records.note_told(endpoint.id, external=Told.NOTHING)
            raise
        self._records.tell_endpoint(endpoint.id, external=Told.DONE)

    async def _revoke(self, endpoint: Endpoint, network: Network) -> None:
        async with self._turns.of(endpoint.id):
            await self._revoked(endpoint, network)

    async def _revoked(self, endpoint: Endpoint, network: Network) -> None:
        self._records.tell_endpoint(endpoint.id, external=Told.ASKED)
        request = protocol.RevokeExternalConnectivity(network_id=network.id, endpoint_id=endpoint.id)
        method = "NetworkDriver.RevokeExternalConnectivity"
        try:
            await self._plugins.call(network.driver, method, request, protocol.Nothing)
        except (PluginRefused, PluginAnswer) as error:
            # Whatever it knows of it, the endpoint that leads outside now must not wait for that.
            _log.warning("plugin %s: %s: %s", network.driver, method, error)
        self._records.note_told(endpoint.id, external=Told.NOTHING)

    def _ports(self, endpoint: Endpoint) -> dict[str, object]:
        return conversation.port_options(self._intent.snapshot.containers[endpoint.container].spec)


def _with_addresses(endpoint: Endpoint, found: Endpoint) -> Endpoint:
    given = found.plugged.given if found.plugged else ()
    plugged = replace(endpoint.plugged or PluggedEndpoint(), given=given)
    return replace(endpoint, addresses=found.addresses, plugged=plugged)


def _external(endpoint: Endpoint) -> Told:
    return endpoint.plugged.external if endpoint.plugged else Told.NOTHING
