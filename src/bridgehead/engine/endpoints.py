"""Endpoints: what may be attached to what, with which addresses; live connect and disconnect."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from bridgehead.core import endpoint_options, lan
from bridgehead.core.container_rules import SHARED
from bridgehead.core.gateway import gateway_order, rank
from bridgehead.core.interfaces import families, interface_name
from bridgehead.core.ipam import addresses
from bridgehead.core.layout import veth_name
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import Forbidden, InvalidParameter, NotFound
from bridgehead.core.model.ids import EndpointID, SandboxID
from bridgehead.core.model.network import Endpoint, EndpointWish, Network, Phase, Sandbox
from bridgehead.core.model.plugged import PluggedEndpoint
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.publishing import carriers
from bridgehead.engine.events import EventBus
from bridgehead.engine.guest_rules import in_own_words
from bridgehead.engine.intent import Intent
from bridgehead.engine.plugged.plugged import Plugged
from bridgehead.engine.publishing import Publishing
from bridgehead.engine.tasks import Tasks, to_the_end
from bridgehead.engine.world import HostPorts

_PRIVATE = (
    "container cannot be connected to multiple networks with one of the networks in private (none) mode"
)


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
        _check_connect(snapshot, who, where, wish)
        wished = replace(who, networks={**who.networks, where.name: wish})
        sandbox = snapshot.container_sandbox(who.id)
        if sandbox is None:
            check_addresses(snapshot, where, wished, wish)
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
                    asking=None if where.plugged is None else partial(self._ask, sandbox.id, host),
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
        if endpoint is None and wish_for(who, where) is None:
            raise Forbidden(f"container {who.id} is not connected to network {where.name}")
        new = snapshot.put(_without(who, where))
        await self._intent.realise(new.drop(endpoint) if endpoint else new)
        if endpoint:
            await self._plugged.part()
            await self._plugged.follow(endpoint.sandbox)
            self._events.network(where, "disconnect", container=who.id)

    async def _ask(self, sandbox: SandboxID, host: HostPorts) -> None:
        """Its plugins' part, between the decision and the host's."""
        await self._plugged.asked(sandbox, host)
        await self._plugged.joined(sandbox)


def check_addresses(snapshot: Snapshot, network: Network, container: Container, wish: EndpointWish) -> None:
    """Whether the endpoint that is wished for could have its addresses now.

    Raises:
        InvalidParameter, Forbidden, Unavailable: see `ipam.addresses.request`.
    """
    if network.addressed_by_plugin:
        addresses.check_located(network, wish)
    else:
        held = addresses.holdings(snapshot, network, container.id)
        addresses.request(network, held, wish, families(container))


def decide(
    intent: Intent, snapshot: Snapshot, sandbox: Sandbox, container: Container, network: Network
) -> Endpoint:
    """A new endpoint of `container` on `network`, pending, with its names and addresses chosen.

    Raises:
        InvalidParameter, Forbidden, Unavailable: see `ipam.addresses.request`.
    """
    _check_real(network)
    wish = wish_for(container, network) or EndpointWish()
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
    return replace(endpoint, mac=wish.mac or (intent.random.mac() if _mac_is_ours(network) else ""))


def _check_real(network: Network) -> None:
    if network.config_only:
        raise Forbidden(f"cannot create endpoint on configuration-only network {network.name}")
    if network.phase is Phase.LEAVING:
        raise Forbidden(f"network {network.name} is being removed")


def _mac_is_ours(network: Network) -> bool:
    """Whether an endpoint gets a MAC address of our choice, unless its user has one."""
    if network.plugged is not None and network.plugged.driver:
        return network.plugged.mac_first
    return lan.has_own_mac(network)


def in_attach_order(snapshot: Snapshot, networks: Mapping[str, EndpointWish]) -> list[Network]:
    """The networks a container is to join at start, best gateway first, so that eth0 is the way out.

    Raises:
        NotFound: one of them is gone.
    """
    pairs = [(snapshot.find_network(reference), wish) for reference, wish in networks.items()]
    pairs.sort(key=lambda pair: rank(pair[0], pair[1].gateway_priority))
    return [network for network, _ in pairs]


def wish_for(container: Container, network: Network) -> EndpointWish | None:
    wish = container.networks.get(network.name)
    return wish if wish is not None else container.networks.get(network.id)


def check_wish(network: Network | None, wish: EndpointWish) -> None:
    """What no network offers, and what the default ones do not. None: the network is not made yet."""
    faults = []
    if network and network.predefined and wish.addresses:
        faults.append("user specified IP address is supported on user defined networks only")
    if network and network.predefined and wish.aliases:
        faults.append("network-scoped aliases are only supported for user-defined networks")
    if network and (fault := lan.fault(network, wish)):
        faults.append(fault)
    faults += [
        f"invalid link-local IP address: {address}"
        for address in wish.link_local
        if not address.is_link_local
    ]
    for parse in (endpoint_options.interface_name, endpoint_options.sysctls):
        try:
            parse(wish.driver_options)
        except InvalidParameter as error:
            faults.append(error.message)
    if faults:
        raise InvalidParameter("\n".join(["invalid endpoint settings:", *faults]))


def check_together(networks: Iterable[Network]) -> None:
    """host and none exclude every other network."""
    drivers = [network.driver for network in networks]
    if len(drivers) > 1 and "null" in drivers:
        raise InvalidParameter(_PRIVATE)
    if len(drivers) > 1 and "host" in drivers:
        raise InvalidParameter(SHARED)


def _check_connect(snapshot: Snapshot, container: Container, network: Network, wish: EndpointWish) -> None:
    if container.spec.network_mode == "host" or container.spec.joins:
        raise InvalidParameter(SHARED)
    if network.driver == "host":
        raise InvalidParameter(
            "cannot connect container to host network - container must be created in host network mode"
        )
    _check_real(network)
    if network.driver == "null" or "none" in container.networks:
        raise InvalidParameter(_PRIVATE)
    check_wish(network, wish)
    lan.check_free(snapshot, network, container, wish)
    if any(endpoint.container == container.id for endpoint in snapshot.network_endpoints(network.id)):
        raise Forbidden(f"endpoint with name {container.name} already exists in network {network.name}")


def _without(container: Container, network: Network) -> Container:
    kept = {key: wish for key, wish in container.networks.items() if key not in {network.name, network.id}}
    return replace(container, networks=kept)


def _disconnected(snapshot: Snapshot, endpoint: Endpoint, network: Network) -> Snapshot:
    snapshot = snapshot.drop(endpoint)
    container = snapshot.containers.get(endpoint.container)
    return snapshot.put(_without(container, network)) if container else snapshot


def _without_idle_ports(identifier: SandboxID, snapshot: Snapshot) -> Snapshot:
    """A connect that failed leaves no ports behind, unless another brought a way in meanwhile."""
    sandbox = snapshot.sandboxes.get(identifier)
    if sandbox is None or carriers(gateway_order(snapshot, snapshot.sandbox_endpoints(identifier))):
        return snapshot
    return snapshot.put(replace(sandbox, ports=()))
