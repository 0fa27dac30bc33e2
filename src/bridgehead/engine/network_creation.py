"""From a request to a network record: what it copies, its driver's options, its subnets, all checked."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from bridgehead.core import configurations
from bridgehead.core.drivers import labels, lan_options
from bridgehead.core.drivers.api import Capabilities, Ground
from bridgehead.core.ipam import subnets
from bridgehead.core.model.errors import Conflict, Forbidden, InvalidParameter
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import Network
from bridgehead.core.model.plugged import PluggedNetwork, PoolRequest
from bridgehead.core.model.requests import NetworkRequest, SubnetRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.time import rfc3339
from bridgehead.engine.intent import Intent

_RESERVED = ("bridge", "host", "none", "default")
_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node '
    "to swarm and try again."
)


def completed(intent: Intent, request: NetworkRequest) -> NetworkRequest:
    """The request with what it takes from elsewhere: a configuration, or the daemon's default options.

    Raises:
        Forbidden, Conflict, NotFound, InvalidParameter: see the message.
    """
    _check(intent.snapshot, request)
    if request.config_from:
        return configurations.applied(request, intent.snapshot)
    return _with_default_options(intent, request)


def draft(intent: Intent, request: NetworkRequest) -> Network:
    """What a completed request says of the network, without anything that is chosen for it."""
    families = labels.families(request.options, ipv4=request.ipv4, ipv6=request.ipv6)
    return replace(_named(intent, request), ipv4=4 in families, ipv6=6 in families)


def decide(
    intent: Intent,
    request: NetworkRequest,
    plugged: PluggedNetwork | None = None,
    without_gateway: Collection[int] = (),
) -> tuple[Network, list[str]]:
    """The new network of a completed request, pending, and warnings for the client. An IPAM plugin chooses
    the subnets later, if it is to.

    Raises:
        Forbidden, Conflict, NotFound, InvalidParameter: see the message.
    """
    _check_unused(intent.snapshot, request.name)  # plugins may have been asked since it was completed
    network = replace(draft(intent, request), plugged=plugged)
    families = [family for family, has in ((4, network.ipv4), (6, network.ipv6)) if has]
    if request.config_only:
        template = subnets.parsed(request.subnets, families)
        return replace(network, driver=configurations.DRIVER, template=template, config_only=True), []
    driver = intent.facts.driver(request.driver)
    _check_subnets(driver.capabilities, request)
    network = driver.shaped(network, request, _ground(intent, driver.capabilities, request))
    if request.ipam_driver == "null":
        return network, []
    if plugged and plugged.ipam:
        pools = tuple(_pools(request, families))
        return replace(network, plugged=replace(plugged, pools=pools)), []
    space = _space(intent)
    without = {*without_gateway, *driver.without_gateway(network)}
    chosen = subnets.request(request.subnets, space, intent.facts.pools, families, without)
    warnings = [*subnets.passed_over(request.subnets, families)]
    # On a parent, the host's own network is what the subnet should be.
    unlike = subnets.lent_twice if driver.capabilities.on_parent else subnets.clashes
    warnings += unlike(chosen, space.occupied)
    return replace(network, subnets=chosen), warnings


def _ground(intent: Intent, able: Capabilities, request: NetworkRequest) -> Ground:
    networks = tuple(intent.snapshot.networks.values())
    if not able.on_parent:
        return Ground(intent.facts.mtu, networks)
    links = intent.parents.links(lan_options.interfaces(request.options))
    kinds = intent.parents.link_kinds(lan_options.needed_kinds(request.driver, request.options, links))
    return Ground(intent.facts.mtu, networks, links, kinds)


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


def _check_subnets(able: Capabilities, request: NetworkRequest) -> None:
    if request.ipam_driver == "null" and not able.null_ipam:
        raise InvalidParameter("ipv4 pool is empty")
    for is_v6 in (False, True):
        asked = sum(1 for item in request.subnets if item.subnet and (":" in item.subnet) is is_v6)
        if asked > 1 and not able.several_subnets:
            raise Forbidden(f"{request.driver} driver doesn't support multiple subnets")


def _pools(request: NetworkRequest, families: Sequence[int]) -> Iterator[PoolRequest]:
    """What an IPAM plugin is asked for: the subnets wanted, and any one for each family without.

    Raises:
        InvalidParameter: what is wanted makes no sense in itself.
    """
    subnets.parsed(request.subnets, families)
    wanted = [(6 if ":" in item.subnet else 4, item) for item in request.subnets]
    for family in families:
        asked = [item for of, item in wanted if of == family]
        yield from (PoolRequest(family, item) for item in asked or [SubnetRequest()])


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
    _check_unused(snapshot, request.name)
    configurations.check(request)


def _check_unused(snapshot: Snapshot, name: str) -> None:
    if snapshot.network_named(name):
        raise Conflict(f"network with name {name} already exists")
