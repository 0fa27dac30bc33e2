"""The one answer to "what should be on this machine?", as a pure function of the snapshot.

The state is the union of fragments, one an *owner* (the host itself, a network, a container, a sandbox), so
that a change costs what it touches: `dirty` names the owners a change concerns, `fragment` computes one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from bridgehead.core import etc
from bridgehead.core.dns.naming import dns_names
from bridgehead.core.drivers.api import Drivers, Place
from bridgehead.core.firewall.nft import table
from bridgehead.core.gateway import default_gateways, gateway_order
from bridgehead.core.ipam.pools import PREDEFINED_POOLS, Pool
from bridgehead.core.layout import Layout
from bridgehead.core.model.addresses import Prefix
from bridgehead.core.model.container import Container
from bridgehead.core.model.ids import ContainerID, NetworkID, SandboxID
from bridgehead.core.model.network import Endpoint, Network, Sandbox, SandboxKind
from bridgehead.core.model.snapshot import Snapshot, changed
from bridgehead.core.plan.objects import (
    Directory,
    File,
    KernelObject,
    NameRecord,
    Namespace,
    OverlayMount,
    ResolverRedirect,
    ResolverView,
    Route,
    State,
    Sysctl,
    Upstream,
    state,
)

HOST = "host"
FORWARDING = "net/ipv4/ip_forward"
BRIDGE_FILTERING = "net/bridge/bridge-nf-call-iptables"
V = TypeVar("V")
Owner = str


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What the machine is like: read once at start, never guessed in here."""

    layout: Layout
    drivers: Drivers
    resolv: etc.ResolvConf = field(default_factory=etc.ResolvConf)
    hosts_text: str = ""
    hostname: str = ""
    mtu: int = 1500
    pools: tuple[Pool, ...] = PREDEFINED_POOLS
    avoid: tuple[Prefix, ...] = ()


def owners(snapshot: Snapshot) -> Iterator[Owner]:
    yield HOST
    yield from (f"network/{network}" for network in snapshot.networks)
    yield from (f"container/{container}" for container in snapshot.containers)
    yield from (f"sandbox/{sandbox}" for sandbox in snapshot.sandboxes)


def dirty(old: Snapshot, new: Snapshot) -> set[Owner]:
    """The owners whose fragments may differ between two snapshots."""
    networks = _touched(changed(old.networks, new.networks))
    containers = _touched(changed(old.containers, new.containers))
    sandboxes = _touched(changed(old.sandboxes, new.sandboxes))
    endpoints = _touched(changed(old.endpoints, new.endpoints))
    return {
        *([HOST] if networks else []),
        *(f"network/{network.id}" for network in networks),
        *(f"container/{container.id}" for container in containers),
        *(f"sandbox/{sandbox.id}" for sandbox in sandboxes),
        *(f"sandbox/{endpoint.sandbox}" for endpoint in endpoints),
        *_sandboxes_of(old, new, {container.id for container in containers}),
    }


def _touched(pairs: Iterable[tuple[V | None, V | None]]) -> list[V]:
    return [record for pair in pairs for record in pair if record is not None]


def _sandboxes_of(old: Snapshot, new: Snapshot, containers: set[ContainerID]) -> set[Owner]:
    return {
        f"sandbox/{sandbox.id}"
        for snapshot in (old, new)
        for sandbox in (snapshot.sandboxes.values() if containers else ())
        if sandbox.container in containers
    }


def fragment(snapshot: Snapshot, owner: Owner, facts: HostFacts) -> State:
    kind, _, identifier = owner.partition("/")
    if kind == HOST:
        return state(*_host_objects(snapshot))
    if kind == "network":
        network = snapshot.networks.get(NetworkID(identifier))
        return state(*facts.drivers[network.driver].network_objects(network)) if network else {}
    if kind == "container":
        known = ContainerID(identifier) in snapshot.containers
        return state(Directory(facts.layout.container(ContainerID(identifier)))) if known else {}
    sandbox = snapshot.sandboxes.get(SandboxID(identifier))
    return state(*_sandbox_objects(snapshot, sandbox, facts)) if sandbox else {}


def _host_objects(snapshot: Snapshot) -> Iterable[KernelObject]:
    yield table()
    yield Sysctl(FORWARDING, "1")
    if any(network.bridge and not network.bridge.icc for network in snapshot.networks.values()):
        # Frames within one bridge pass the firewall only with this; it is host-wide, so only when needed.
        yield Sysctl(BRIDGE_FILTERING, "1")


def _sandbox_objects(snapshot: Snapshot, sandbox: Sandbox, facts: HostFacts) -> Iterator[KernelObject]:
    container = snapshot.containers[sandbox.container]
    layout = facts.layout
    yield Directory(layout.bundle(container.id))
    yield _root_mount(snapshot, container, layout)
    attached = gateway_order(snapshot, snapshot.sandbox_endpoints(sandbox.id))
    if sandbox.kind is SandboxKind.HOST:
        yield from _host_files(container, facts)
        return
    namespace = layout.namespace(sandbox.id)
    yield from _network_stack(attached, namespace, facts)
    named = [(endpoint, network) for endpoint, network in attached if network.user_defined]
    settings = etc.overridden(facts.resolv, container.spec)
    if named:
        yield ResolverRedirect(namespace, sandbox.resolver_port)
        yield _view(sandbox, container, attached, settings, namespace)
    yield from (_record(container, endpoint, network) for endpoint, network in named)
    yield from _files(container, attached, settings, layout, embedded=bool(named))


def _network_stack(
    attached: list[tuple[Endpoint, Network]], namespace: str, facts: HostFacts
) -> Iterator[KernelObject]:
    yield Namespace(namespace)
    for endpoint, network in attached:
        yield from facts.drivers[network.driver].endpoint_objects(network, endpoint, Place(namespace))
    for destination, gateway, interface in default_gateways(attached):
        yield Route(namespace, destination, interface, gateway)


def _root_mount(snapshot: Snapshot, container: Container, layout: Layout) -> OverlayMount:
    image = snapshot.images[container.image]
    folder = layout.container(container.id)
    return OverlayMount(
        target=layout.rootfs(container.id),
        lower=tuple(layout.layer(layer) for layer in image.layers),
        upper=f"{folder}/upper",
        work=f"{folder}/work",
    )


def _view(
    sandbox: Sandbox,
    container: Container,
    attached: list[tuple[Endpoint, Network]],
    settings: etc.ResolvConf,
    namespace: str,
) -> ResolverView:
    return ResolverView(
        sandbox=sandbox.id,
        namespace=namespace,
        port=sandbox.resolver_port,
        networks=tuple(network.id for _, network in attached if network.user_defined),
        links=tuple(
            (network.id, link.alias, link.target)
            for endpoint, network in attached
            for link in endpoint.wish.links
        ),
        upstreams=_upstreams(container, attached, settings),
        ndots_set=any(option.startswith("ndots:") for option in container.spec.dns_options),
    )


def _upstreams(
    container: Container, attached: list[tuple[Endpoint, Network]], settings: etc.ResolvConf
) -> tuple[Upstream, ...]:
    """A user's own servers are asked from inside; the host's only when some network leads outside."""
    if container.spec.dns:
        return tuple(Upstream(server, from_sandbox=True) for server in container.spec.dns)
    if all(network.internal for _, network in attached):
        return ()
    return tuple(Upstream(server) for server in settings.servers or etc.PUBLIC_SERVERS)


def _record(container: Container, endpoint: Endpoint, network: Network) -> NameRecord:
    return NameRecord(
        endpoint=endpoint.id,
        network=network.id,
        network_name=network.name,
        names=dns_names(container, endpoint),
        addresses=tuple(str(address.ip) for address in endpoint.addresses),
    )


def _files(
    container: Container,
    attached: list[tuple[Endpoint, Network]],
    settings: etc.ResolvConf,
    layout: Layout,
    *,
    embedded: bool,
) -> Iterator[File]:
    folder = layout.container(container.id)
    in_attach_order = sorted(attached, key=lambda pair: pair[0].interface)
    own = [address.ip for endpoint, _ in in_attach_order for address in endpoint.addresses]
    yield File(f"{folder}/hostname", etc.hostname(container.spec))
    yield File(f"{folder}/hosts", etc.hosts(container.spec, own))
    yield File(f"{folder}/resolv.conf", etc.resolv_conf(settings, embedded=embedded))


def _host_files(container: Container, facts: HostFacts) -> Iterator[File]:
    folder = facts.layout.container(container.id)
    spec = container.spec
    yield File(f"{folder}/hostname", etc.hostname(spec))
    yield File(f"{folder}/hosts", etc.hosts(spec, ()) if spec.extra_hosts else facts.hosts_text)
    settings = etc.overridden(facts.resolv, spec)
    yield File(f"{folder}/resolv.conf", etc.host_resolv_conf(settings))
