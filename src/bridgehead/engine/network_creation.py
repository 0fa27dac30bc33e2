"""From a request to a network record: what it copies, its driver's options, its subnets, all checked."""

from dataclasses import replace

from bridgehead.core import configurations
from bridgehead.core.drivers import bridge_options, lan_options
from bridgehead.core.drivers.api import Capabilities, Driver, Ground
from bridgehead.core.ipam import subnets
from bridgehead.core.model.errors import Conflict, Forbidden, InvalidParameter, NotFound
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import Network
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
    driver = _driver(intent, request)
    _check_subnets(driver.capabilities, request)
    network = driver.shaped(network, request, _ground(intent, driver.capabilities, request))
    if request.ipam_driver == "null":
        return network, []
    space = _space(intent)
    chosen = subnets.request(
        request.subnets, space, intent.facts.pools, families, driver.without_gateway(network)
    )
    warnings = [*subnets.passed_over(request.subnets, families)]
    if not driver.capabilities.on_parent:  # there, the host's own network is what the subnet should be
        warnings += subnets.clashes(chosen, space.occupied)
    return replace(network, subnets=chosen), warnings


def _ground(intent: Intent, able: Capabilities, request: NetworkRequest) -> Ground:
    networks = tuple(intent.snapshot.networks.values())
    if not able.on_parent:
        return Ground(intent.facts.mtu, networks)
    links = intent.parents.links(lan_options.interfaces(request.options))
    return Ground(intent.facts.mtu, networks, links, intent.parents.link_kinds())


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


def _driver(intent: Intent, request: NetworkRequest) -> Driver:
    driver = intent.facts.drivers.get(request.driver)
    if driver is None:
        known = ", ".join(sorted(intent.facts.drivers))
        raise NotFound(f'plugin "{request.driver}" not found: the built-in drivers are {known}')
    return driver


def _check_subnets(able: Capabilities, request: NetworkRequest) -> None:
    if request.ipam_driver not in {"default", "null", ""}:
        raise NotFound(
            f'plugin "{request.ipam_driver}" not found: the built-in IPAM drivers are default, null'
        )
    if request.ipam_driver == "null" and not able.null_ipam:
        raise InvalidParameter("ipv4 pool is empty")
    for is_v6 in (False, True):
        asked = sum(1 for item in request.subnets if item.subnet and (":" in item.subnet) is is_v6)
        if asked > 1 and not able.several_subnets:
            raise Forbidden(f"{request.driver} driver doesn't support multiple subnets")


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
