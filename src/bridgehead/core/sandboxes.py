"""What one sandbox means in kernel objects, in four parts.

Its ports are taken first: if one is somebody else's, nothing else has changed yet. The runtime takes most of
the time of a start and needs only the namespace and the base, so the stack is made beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bridgehead.core import etc, links, publishing, roots, shared
from bridgehead.core.dns.naming import dns_names
from bridgehead.core.drivers.api import Place
from bridgehead.core.facts import HostFacts
from bridgehead.core.gateway import Attached, default_gateways, gateway_order
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.container import Container
from bridgehead.core.model.ids import ContainerID, SandboxID, short
from bridgehead.core.model.network import PREDEFINED, Endpoint, Network, Sandbox, SandboxKind
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.names import NameRecord, ResolverRedirect, ResolverView, Upstream
from bridgehead.core.plan.objects import Directory, File, KernelObject, Namespace, Route

_FULL_ID = 64


def namespace_objects(snapshot: Snapshot, namespace: SandboxID, facts: HostFacts) -> Iterator[KernelObject]:
    """Kept for as long as any sandbox is in it, and so are the files of the container whose network it is:
    those who are left see the very files that it will have when it is back.
    """
    own = snapshot.sandboxes.get(namespace)
    users = [own] if own else [box for box in snapshot.sandboxes.values() if box.namespace == namespace]
    on_host = any(box.kind is SandboxKind.HOST for box in users)
    lender = shared.lender_of(snapshot, users)
    if users and not on_host:
        yield Namespace(facts.layout.namespace(namespace), lender.guest if lender else None)
    if lender is None:
        return
    if on_host:
        yield from _host_files(snapshot, lender, facts)
        return
    present = next((box for box in users if box.lender is None), None)
    attached = gateway_order(snapshot, snapshot.sandbox_endpoints(present.id)) if present else ()
    yield from _own_files(snapshot, lender, attached, facts)


def port_objects(snapshot: Snapshot, sandbox: Sandbox, facts: HostFacts) -> Iterator[KernelObject]:
    """The host's ports that are kept for it."""
    if sandbox.ports:
        attached = gateway_order(snapshot, snapshot.sandbox_endpoints(sandbox.id))
        yield from publishing.port_holds(sandbox, attached, facts)


def base_objects(snapshot: Snapshot, sandbox: Sandbox, facts: HostFacts) -> Iterator[KernelObject]:
    """What must be there before the runtime makes the container: its root."""
    container = snapshot.containers[sandbox.container]
    layout = facts.layout
    if container.guest is None:
        yield Directory(layout.bundle(container.id))
        yield roots.mount(snapshot, container, layout)


def _own_files(
    snapshot: Snapshot, container: Container, attached: Sequence[Attached], facts: HostFacts
) -> Iterator[File]:
    """Of a container with a network of its own; `attached` is nothing while it does not run."""
    container = _equipped(container, facts)
    own = [
        address.ip
        for endpoint, _ in sorted(attached, key=lambda pair: pair[0].interface)
        if not endpoint.service
        for address in endpoint.addresses
    ]
    settings = etc.overridden(facts.resolv, container.spec)
    embedded = any(name not in PREDEFINED for name in container.networks)
    folder = facts.layout.container(container.id)
    yield File(f"{folder}/hostname", etc.hostname(container.spec))
    told = links.host_lines(links.effective(snapshot, container)) if attached else ()
    yield File(f"{folder}/hosts", etc.hosts(container.spec, own, _host_gateways(snapshot, facts), told))
    ipv6 = any(address.version == 6 for address in own)
    yield File(f"{folder}/resolv.conf", etc.resolv_conf(settings, embedded=embedded, ipv6=ipv6))


def stack_objects(snapshot: Snapshot, sandbox: Sandbox, facts: HostFacts) -> Iterator[KernelObject]:
    """What must be there before the container runs: interfaces, routes and names."""
    if sandbox.kind is not SandboxKind.OWN:
        return
    container = _equipped(snapshot.containers[sandbox.container], facts)
    namespace = facts.layout.namespace(sandbox.namespace)
    attached = gateway_order(snapshot, snapshot.sandbox_endpoints(sandbox.id))
    place = Place(namespace, published=bool(sandbox.ports))
    for endpoint, network in attached:
        yield from facts.driver(network.driver).endpoint_objects(network, endpoint, place)
    for destination, gateway, interface in default_gateways(attached):
        yield Route(namespace, destination, interface, gateway)
    yield from publishing.published_objects(sandbox, attached, facts)
    yield from _link_objects(snapshot, container, attached, facts)
    named = _named(attached)
    if named:
        settings = etc.overridden(facts.resolv, container.spec)
        yield ResolverRedirect(namespace, sandbox.resolver_port, lent=container.guest is not None)
        yield _view(sandbox, container, attached, settings, namespace)
    yield from (_record(container, endpoint, network) for endpoint, network in named)


def _named(attached: list[Attached]) -> list[Attached]:
    """Where the container has names, and may ask for those of others."""
    return [pair for pair in attached if pair[1].user_defined and not pair[0].service]


def _link_objects(
    snapshot: Snapshot, recipient: Container, attached: list[Attached], facts: HostFacts
) -> Iterator[KernelObject]:
    """What lets the recipient reach its sources where the default bridge forbids talking."""
    own = next((pair for pair in attached if pair[1].name == links.NETWORK), None)
    for item in links.effective(snapshot, recipient):
        if own and item.endpoint:
            driver = facts.driver(own[1].driver)
            yield from driver.linked_objects(own[1], own[0], item.endpoint, item.ports)


def _host_gateways(snapshot: Snapshot, facts: HostFacts) -> tuple[Address, ...]:
    """What `host-gateway` means: where the daemon was told, else docker0's own addresses."""
    if facts.options.host_gateway is not None:
        return (facts.options.host_gateway,)
    default = snapshot.network_named("bridge")
    return tuple(subnet.gateway for subnet in default.subnets if subnet.gateway) if default else ()


def _equipped(container: Container, facts: HostFacts) -> Container:
    """With the daemon's name servers and the like where it has none of its own."""
    spec, defaults = container.spec, facts.options.dns
    spec = replace(
        spec,
        dns=spec.dns or defaults.servers,
        dns_search=spec.dns_search or defaults.search,
        dns_options=spec.dns_options or defaults.options,
    )
    return container if spec == container.spec else replace(container, spec=spec)


def _view(
    sandbox: Sandbox,
    container: Container,
    attached: list[Attached],
    settings: etc.ResolvConf,
    namespace: str,
) -> ResolverView:
    return ResolverView(
        sandbox=sandbox.id,
        namespace=namespace,
        port=sandbox.resolver_port,
        networks=tuple(network.id for _, network in _named(attached)),
        links=tuple(
            (network.id, link.alias, _name_of(link.target))
            for endpoint, network in attached
            for link in endpoint.wish.links
        ),
        upstreams=_upstreams(container, attached, settings),
        ndots_set=etc.searches_short_names(settings),
    )


def _name_of(target: str) -> str:
    """Names are kept for names and short ids; a link may be made to a full id."""
    return short(ContainerID(target)) if len(target) == _FULL_ID else target


def _upstreams(
    container: Container, attached: list[Attached], settings: etc.ResolvConf
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


def _host_files(snapshot: Snapshot, container: Container, facts: HostFacts) -> Iterator[File]:
    container, gateways = _equipped(container, facts), _host_gateways(snapshot, facts)
    folder = facts.layout.container(container.id)
    spec = container.spec
    yield File(f"{folder}/hostname", etc.hostname(spec))
    yield File(f"{folder}/hosts", etc.hosts(spec, (), gateways) if spec.extra_hosts else facts.hosts_text)
    settings = etc.overridden(facts.resolv, spec)
    yield File(f"{folder}/resolv.conf", etc.host_resolv_conf(settings))
