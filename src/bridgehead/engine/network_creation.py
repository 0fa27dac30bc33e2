"""From a request to a network record: what it copies, its driver's options, its subnets, all checked."""

from collections.abc import Sequence
from dataclasses import replace

from bridgehead.core import configurations
from bridgehead.core.drivers import bridge_options
from bridgehead.core.ipam import subnets
from bridgehead.core.model.errors import Conflict, Forbidden, InvalidParameter, NotFound
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import SMALLEST_IPV6_MTU, BridgeOptions, Network
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.time import rfc3339
from bridgehead.engine.intent import Intent

_RESERVED = ("bridge", "host", "none", "default")
_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node '
    "to swarm and try again."
)


def decide(intent: Intent, request: NetworkRequest) -> tuple[Network, list[str]]:
    """The new network, pending, and warnings for the client.

    Raises:
        Forbidden, Conflict, NotFound, InvalidParameter: see the message.
    """
    snapshot = intent.snapshot
    _check(snapshot, request)
    if request.config_from:
        request = configurations.applied(request, snapshot)
    else:
        request = _with_default_options(intent, request)
    families = bridge_options.families(request.options, ipv4=request.ipv4, ipv6=request.ipv6)
    network = replace(_named(intent, request), ipv4=4 in families, ipv6=6 in families)
    if request.config_only:
        template = subnets.parsed(request.subnets, families)
        return replace(network, driver=configurations.DRIVER, template=template, config_only=True), []
    bridge = _bridge(intent, request, network.id, families)
    space = _space(intent)
    chosen = subnets.request(
        request.subnets, space, intent.facts.pools, families, _without_gateway(request, bridge, families)
    )
    warnings = [*subnets.passed_over(request.subnets, families), *subnets.clashes(chosen, space.occupied)]
    return replace(network, bridge=bridge, subnets=chosen), warnings


def _named(intent: Intent, request: NetworkRequest) -> Network:
    return Network(
        id=NetworkID(intent.random.identifier()),
        name=request.name,
        driver=request.driver,
        created=rfc3339(intent.clock.now()),
        options=request.options,
        labels=request.labels,
        ipam_driver=request.ipam_driver or "default",
        ipam_options=request.ipam_options or {},
        internal=request.internal,
        attachable=request.attachable,
        config_from=request.config_from,
    )


def _bridge(
    intent: Intent, request: NetworkRequest, identifier: NetworkID, families: Sequence[int]
) -> BridgeOptions | None:
    driver = intent.facts.drivers.get(request.driver)
    if driver is None:
        known = ", ".join(sorted(intent.facts.drivers))
        raise NotFound(f'plugin "{request.driver}" not found: the built-in drivers are {known}')
    bridge = driver.options(identifier, request, intent.facts.mtu)
    if bridge is not None:
        _reject_same_bridge(intent.snapshot, identifier, bridge.name)
        if 6 in families and bridge.mtu < SMALLEST_IPV6_MTU:
            raise InvalidParameter(
                f"invalid MTU number: {bridge.mtu}: IPv6 needs {SMALLEST_IPV6_MTU} at the least"
            )
    return bridge


def _without_gateway(
    request: NetworkRequest, bridge: BridgeOptions | None, families: Sequence[int]
) -> list[int]:
    """The families in which containers need none: it would lead nowhere."""
    if not request.internal or bridge is None:
        return []
    return [version for version in families if bridge.keeps_no_address(version)]


def _with_default_options(intent: Intent, request: NetworkRequest) -> NetworkRequest:
    defaults = intent.facts.options.network_options.get(request.driver)
    return replace(request, options={**defaults, **request.options}) if defaults else request


def _space(intent: Intent) -> subnets.Space:
    networks = tuple(intent.snapshot.networks.values())
    ours = {network.bridge.name for network in networks if network.bridge}
    return subnets.Space(networks, intent.surroundings.occupied(ours))


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
    configurations.check(request)


def _reject_same_bridge(snapshot: Snapshot, identifier: str, name: str) -> None:
    for other in snapshot.networks.values():
        if other.bridge is not None and other.bridge.name == name:
            raise Forbidden(
                f"cannot create network {identifier} ({name}): conflicts with network {other.id} "
                f"({name}): networks have same bridge name (network {other.name})"
            )
