"""Networks: create, remove, prune. What connecting means stands in `endpoints`."""

import logging
from collections.abc import Callable
from dataclasses import replace

from bridgehead.core.drivers import bridge_options
from bridgehead.core.ipam import subnets
from bridgehead.core.model.errors import Conflict, Forbidden, InvalidParameter, NotFound
from bridgehead.core.model.ids import NetworkID, short
from bridgehead.core.model.network import Endpoint, Network, Phase
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.time import rfc3339
from bridgehead.engine.endpoints import EndpointUseCases
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.publishing import Publishing
from bridgehead.engine.tasks import Tasks, to_the_end

_RESERVED = ("bridge", "host", "none", "default")
_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node '
    "to swarm and try again."
)
_log = logging.getLogger("bridgehead.networks")


class NetworkUseCases:
    def __init__(self, intent: Intent, publishing: Publishing, events: EventBus, tasks: Tasks) -> None:
        self._intent = intent
        self._events = events
        self.tasks = tasks
        endpoints = EndpointUseCases(intent, publishing, events, tasks)
        self.connect = endpoints.connect
        self.disconnect = endpoints.disconnect

    @to_the_end
    async def create(self, request: NetworkRequest) -> tuple[Network, list[str]]:
        snapshot = self._intent.snapshot
        network, warnings = self._decide(snapshot, request)
        await self._intent.attempt(snapshot.put(network), network)
        self._events.network(network, "create")
        for warning in warnings:
            _log.warning("network %s: %s", network.name, warning)
        return network, warnings

    @to_the_end
    async def remove(self, reference: str) -> None:
        snapshot = self._intent.snapshot
        network = snapshot.find_network(reference)
        if network.predefined:
            raise Forbidden(f"{network.name} is a pre-defined network and cannot be removed")
        if active := snapshot.network_endpoints(network.id):
            raise Forbidden(_in_use(snapshot, network, active))
        await self._intent.realise(snapshot.drop(network))
        self._events.network(network, "destroy")

    @to_the_end
    async def prune(self, wanted: Callable[[Network], bool]) -> list[str]:
        removed = []
        for network in list(self._intent.snapshot.networks.values()):
            busy = self._intent.snapshot.network_endpoints(network.id)
            if network.predefined or busy or network.phase is Phase.PENDING or not wanted(network):
                continue
            try:
                await self.remove(network.id)
            except (Forbidden, NotFound):
                continue  # somebody used or removed it meanwhile
            removed.append(network.name)
        if removed:
            self._events.plain("network", "prune", {"reclaimed": "0"})
        return removed

    def _decide(self, snapshot: Snapshot, request: NetworkRequest) -> tuple[Network, list[str]]:
        request = self._with_default_options(request)
        _check(snapshot, request)
        families = bridge_options.families(request.options, ipv4=request.ipv4, ipv6=request.ipv6)
        identifier = NetworkID(self._intent.random.identifier())
        driver = self._intent.facts.drivers.get(request.driver)
        if driver is None:
            known = ", ".join(sorted(self._intent.facts.drivers))
            raise NotFound(f'plugin "{request.driver}" not found: the built-in drivers are {known}')
        bridge = driver.options(identifier, request, self._intent.facts.mtu)
        if bridge is not None:
            _reject_same_bridge(snapshot, identifier, bridge.name)
        space = self._space(snapshot)
        chosen = subnets.request(
            request.subnets,
            space,
            self._intent.facts.pools,
            families,
            [
                version
                for version in families
                if request.internal and bridge and bridge.keeps_no_address(version)
            ],
        )
        network = Network(
            id=identifier,
            name=request.name,
            driver=request.driver,
            created=rfc3339(self._intent.clock.now()),
            subnets=chosen,
            bridge=bridge,
            options=request.options,
            labels=request.labels,
            ipam_driver=request.ipam_driver or "default",
            ipam_options=request.ipam_options or {},
            internal=request.internal,
            attachable=request.attachable,
            ipv4=4 in families,
            ipv6=6 in families,
        )
        warnings = [
            *subnets.passed_over(request.subnets, families),
            *subnets.clashes(chosen, space.occupied),
        ]
        return network, warnings

    def _with_default_options(self, request: NetworkRequest) -> NetworkRequest:
        defaults = self._intent.facts.options.network_options.get(request.driver)
        return replace(request, options={**defaults, **request.options}) if defaults else request

    def _space(self, snapshot: Snapshot) -> subnets.Space:
        networks = tuple(snapshot.networks.values())
        ours = {network.bridge.name for network in networks if network.bridge}
        return subnets.Space(networks, self._intent.surroundings.occupied(ours))


def _check(snapshot: Snapshot, request: NetworkRequest) -> None:
    if request.name in _RESERVED:
        raise Forbidden(f"operation is not permitted on predefined {request.name} network ")
    if request.driver == "overlay" or request.scope == "swarm" or request.ingress:
        raise Forbidden(_SWARM)
    if not request.name.strip():
        raise InvalidParameter("invalid name: name is empty")
    if "/" in request.name or request.name != request.name.strip():
        raise InvalidParameter(f"invalid name: {request.name!r} has a slash, or a space at its end")
    if snapshot.network_named(request.name):
        raise Conflict(f"network with name {request.name} already exists")
    if request.config_only or request.config_from:
        raise InvalidParameter("configuration networks are not supported by this version")


def _reject_same_bridge(snapshot: Snapshot, identifier: str, name: str) -> None:
    for other in snapshot.networks.values():
        if other.bridge is not None and other.bridge.name == name:
            raise Forbidden(
                f"cannot create network {identifier} ({name}): conflicts with network {other.id} "
                f"({name}): networks have same bridge name (network {other.name})"
            )


def _in_use(snapshot: Snapshot, network: Network, active: list[Endpoint]) -> str:
    holders = ", ".join(
        f'name:"{snapshot.containers[endpoint.container].name}" id:"{short(endpoint.id)}"'
        for endpoint in active
    )
    return (
        f"error while removing network: network {network.name} id {network.id} has active endpoints "
        f"({holders})"
    )
