"""Endpoints: live connect and disconnect, and what is chosen for a new one."""

from dataclasses import replace
from functools import partial

from bridgehead.core import endpoint_options, endpoint_rules, lan
from bridgehead.core.gateway import gateway_order
from bridgehead.core.guest_rules import in_own_words
from bridgehead.core.interfaces import families, interface_name
from bridgehead.core.ipam import addresses
from bridgehead.core.layout import veth_name
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import Forbidden, InvalidParameter, NotFound
from bridgehead.core.model.ids import EndpointID, SandboxID
from bridgehead.core.model.network import Endpoint, EndpointWish, Network, Sandbox
from bridgehead.core.model.plugged import PluggedEndpoint
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.publishing import carriers
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.plugged.plugged import Plugged
from bridgehead.engine.publishing import Publishing
from bridgehead.engine.tasks import Tasks, to_the_end
from bridgehead.engine.world import HostPorts


class EndpointUseCases:
    def __init__(
        self, intent: Intent, publishing: Publishing, plugged: Plugged, events: EventBus, tasks: Tasks
    ) -> None:
        self._intent = intent
        self._publishing = publishing
        self._plugged = plugged
        self._events = events
        self.tasks = tasks

    @to_the_end
    async def connect(self, network: str, container: str, wish: EndpointWish) -> None:
        host = await self._publishing.look(self._intent.snapshot.find_container(container))
        snapshot = self._intent.snapshot
        who = snapshot.find_container(container)
        where = snapshot.find_network(network)
        endpoint_rules.check_connect(snapshot, who, where, wish)
        wished = replace(who, networks={**who.networks, where.name: wish})
        sandbox = snapshot.container_sandbox(who.id)
        if sandbox is None:
            endpoint_rules.check_addresses(snapshot, where, wished, wish)
            self._intent.commit(snapshot.put(wished))
            return
        endpoint = decide(self._intent, snapshot, sandbox, wished, where)
        connected = self._publishing.awaited(snapshot.put(wished, endpoint), sandbox.id, host)
        try:
            with in_own_words(who.guest, self._intent.facts.layout):
                await self._intent.attempt(
                    connected,
                    endpoint,
                    undo=lambda now: _without_idle_ports(sandbox.id, _disconnected(now, endpoint, where)),
                    asking=None if where.plugged is None else partial(self._ask, endpoint, host),
                )
        finally:
            await self._plugged.follow(sandbox.id)
        self._events.network(where, "connect", container=who.id)

    @to_the_end
    async def disconnect(self, network: str, container: str, *, force: bool) -> None:
        snapshot = self._intent.snapshot
        who = snapshot.find_container(container)
        try:
            where = snapshot.find_network(network)
        except NotFound:
            if not (force and network in who.networks):
                raise
            forgotten = {name: wish for name, wish in who.networks.items() if name != network}
            self._intent.commit(snapshot.put(replace(who, networks=forgotten)))
            return
        if where.driver == "host" and who.spec.network_mode == "host":
            raise InvalidParameter(
                "cannot disconnect container from host network - container was created in host network mode"
            )
        endpoint = next(
            (item for item in snapshot.network_endpoints(where.id) if item.container == who.id), None
        )
        if endpoint is None and endpoint_rules.wish_for(who, where) is None:
            raise Forbidden(f"container {who.id} is not connected to network {where.name}")
        new = snapshot.put(endpoint_rules.without(who, where))
        await self._intent.realise(new.drop(endpoint) if endpoint else new)
        if endpoint:
            await self._plugged.part(who.id)
            await self._plugged.follow(endpoint.sandbox)
            self._events.network(where, "disconnect", container=who.id)

    async def _ask(self, endpoint: Endpoint, host: HostPorts) -> None:
        """Its plugins' part, between the decision and the host's."""
        await self._plugged.asked(endpoint.sandbox, [endpoint.id], host)
        await self._plugged.joined(endpoint.sandbox, [endpoint.id])


def decide(
    intent: Intent, snapshot: Snapshot, sandbox: Sandbox, container: Container, network: Network
) -> Endpoint:
    """A new endpoint of `container` on `network`, pending, with its names and addresses chosen.

    Raises:
        InvalidParameter, Forbidden, Unavailable: see `ipam.addresses.request`.
    """
    endpoint_rules.check_real(network)
    wish = endpoint_rules.wish_for(container, network) or EndpointWish()
    if fault := lan.fault(network, wish):
        raise InvalidParameter(fault)
    identifier = EndpointID(intent.random.identifier())
    endpoint = Endpoint(identifier, network.id, sandbox.id, container.id, wish)
    driver = intent.facts.driver(network.driver)
    if not driver.capabilities.has_interfaces:
        return endpoint
    lan.check_free(snapshot, network, container, wish)
    if network.plugged is not None:
        endpoint = replace(endpoint, plugged=PluggedEndpoint())
    if not network.driven_by_plugin:  # which says at the end what its interface is to be called
        wanted = endpoint_options.interface_name(wish.driver_options)
        name = interface_name(snapshot, sandbox, container, wanted, network.interface_prefix)
        endpoint = replace(endpoint, interface=name, host_interface=veth_name(identifier))
    if network.addressed_by_plugin:
        addresses.check_located(network, wish)
    else:
        held = addresses.holdings(snapshot, network, container.id, intent.former.of(network.id))
        given = addresses.request(network, held, wish, families(container))
        endpoint = replace(endpoint, addresses=given)
    chosen = intent.random.mac() if endpoint_rules.mac_is_ours(network) and not wish.mac else ""
    return replace(endpoint, mac=wish.mac or chosen)


def _disconnected(snapshot: Snapshot, endpoint: Endpoint, network: Network) -> Snapshot:
    snapshot = snapshot.drop(endpoint)
    container = snapshot.containers.get(endpoint.container)
    if any(other.container == endpoint.container for other in snapshot.network_endpoints(network.id)):
        return snapshot  # it was started anew meanwhile, and got there by itself
    return snapshot.put(endpoint_rules.without(container, network)) if container else snapshot


def _without_idle_ports(identifier: SandboxID, snapshot: Snapshot) -> Snapshot:
    """A connect that failed leaves no ports behind, unless another brought a way in meanwhile."""
    sandbox = snapshot.sandboxes.get(identifier)
    if sandbox is None or carriers(gateway_order(snapshot, snapshot.sandbox_endpoints(identifier))):
        return snapshot
    return snapshot.put(replace(sandbox, ports=()))
