"""The one answer to "what should be on this machine?", as a pure function of the snapshot.

The state is the union of fragments, one an *owner* (the host itself, a network, a container, a sandbox), so
that a change costs what it touches: `dirty` names the owners a change concerns, `fragment` computes one.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

from bridgehead.core import links
from bridgehead.core.drivers.lan import parent_objects
from bridgehead.core.facts import HostFacts
from bridgehead.core.model.ids import ContainerID, NetworkID, SandboxID
from bridgehead.core.model.network import Network, ParentKind, Sandbox
from bridgehead.core.model.snapshot import Snapshot, changed
from bridgehead.core.plan.objects import FORWARDING, Directory, KernelObject, State, Sysctl, state
from bridgehead.core.plan.zones import ZoneMember
from bridgehead.core.sandboxes import base_objects, namespace_objects, port_objects, stack_objects

HOST = "host"
BRIDGE_FILTERING = {4: "net/bridge/bridge-nf-call-iptables", 6: "net/bridge/bridge-nf-call-ip6tables"}
V = TypeVar("V")
Owner = str


def owners(snapshot: Snapshot) -> Iterator[Owner]:
    yield HOST
    yield from (f"network/{network}" for network in snapshot.networks)
    yield from parent_owners(snapshot.networks.values())
    yield from (f"container/{container}" for container in snapshot.containers)
    yield from {f"namespace/{sandbox.namespace}" for sandbox in snapshot.sandboxes.values()}
    for sandbox in snapshot.sandboxes:
        yield from _own_parts(sandbox)


def parent_owners(networks: Iterable[Network]) -> set[Owner]:
    """An interface that was made for networks is of all that stand on it, and so has an owner of its own."""
    return {
        f"parent/{network.lan.parent}"
        for network in networks
        if network.lan is not None and network.lan.parent_kind is not ParentKind.GIVEN
    }


class SandboxOwners(NamedTuple):
    """Its namespace and files, which others may share; its ports, which may be somebody else's and so come
    first; its base, which the runtime needs; its stack, which the container needs to run.
    """

    namespace: Owner
    ports: Owner
    base: Owner
    stack: Owner


def sandbox_owners(sandbox: Sandbox) -> SandboxOwners:
    return SandboxOwners(f"namespace/{sandbox.namespace}", *_own_parts(sandbox.id))


def _own_parts(sandbox: SandboxID) -> tuple[Owner, Owner, Owner]:
    return f"ports/{sandbox}", f"sandbox/{sandbox}", f"stack/{sandbox}"


def recipients(snapshot: Snapshot, source: ContainerID) -> list[Owner]:
    """Whose files and rules follow the address of this container."""
    concerned = links.recipients(snapshot, {source})
    return [owner for box in concerned for owner in sandbox_owners(snapshot.sandboxes[box])]


def dirty(old: Snapshot, new: Snapshot) -> set[Owner]:
    """The owners whose fragments may differ between two snapshots."""
    networks = _touched(changed(old.networks, new.networks))
    containers = _touched(changed(old.containers, new.containers))
    sandboxes = _touched(changed(old.sandboxes, new.sandboxes))
    endpoints = _touched(changed(old.endpoints, new.endpoints))
    concerned = {
        *(sandbox.id for sandbox in sandboxes),
        *(endpoint.sandbox for endpoint in endpoints),
        *_sandboxes_of(old, new, {container.id for container in containers}),
        *links.recipients(new, {item.id for item in containers} | {item.container for item in endpoints}),
    }
    return {
        *([HOST] if networks else []),
        *(f"network/{network.id}" for network in networks),
        *parent_owners(networks),
        *(f"container/{container.id}" for container in containers),
        *(f"namespace/{sandbox.namespace}" for sandbox in sandboxes),
        *(f"namespace/{new.sandboxes[sandbox].namespace}" for sandbox in concerned & new.sandboxes.keys()),
        *(owner for sandbox in concerned for owner in _own_parts(sandbox)),
    }


def _touched(pairs: Iterable[tuple[V | None, V | None]]) -> list[V]:
    return [record for pair in pairs for record in pair if record is not None]


def _sandboxes_of(old: Snapshot, new: Snapshot, containers: set[ContainerID]) -> set[SandboxID]:
    return {
        sandbox.id
        for snapshot in (old, new)
        for sandbox in (snapshot.sandboxes.values() if containers else ())
        if sandbox.container in containers or sandbox.lender in containers
    }


def fragment(snapshot: Snapshot, owner: Owner, facts: HostFacts) -> State:
    kind, _, identifier = owner.partition("/")
    if kind == HOST:
        return state(*_host_objects(snapshot, facts))
    if kind == "network":
        network = snapshot.networks.get(NetworkID(identifier))
        return state(*_network_objects(network, facts)) if network else {}
    if kind == "parent":
        return state(*parent_objects(snapshot.networks.values(), identifier))
    if kind == "container":
        known = ContainerID(identifier) in snapshot.containers
        return state(Directory(facts.layout.container(ContainerID(identifier)))) if known else {}
    if kind == "namespace":
        return state(*namespace_objects(snapshot, SandboxID(identifier), facts))
    sandbox = snapshot.sandboxes.get(SandboxID(identifier))
    if sandbox is None:
        return {}
    return state(*_SANDBOX_PARTS[kind](snapshot, sandbox, facts))


_SANDBOX_PARTS = {"ports": port_objects, "sandbox": base_objects, "stack": stack_objects}


def _network_objects(network: Network, facts: HostFacts) -> Iterable[KernelObject]:
    yield from facts.driver(network.driver).network_objects(network)
    if facts.zoned and network.bridge is not None:
        yield ZoneMember(network.bridge.name)


def _host_objects(snapshot: Snapshot, facts: HostFacts) -> Iterable[KernelObject]:
    yield from facts.firewall.base()
    yield from facts.companions
    if facts.options.ip_forward:
        yield from _forwarding(snapshot, facts)
    # Frames within one bridge pass the firewall only with this; it is host-wide, so only when needed.
    silent = [network for network in snapshot.networks.values() if network.bridge and not network.bridge.icc]
    for version in {subnet.prefix.version for network in silent for subnet in network.subnets}:
        yield Sysctl(BRIDGE_FILTERING[version], "1")


def _forwarding(snapshot: Snapshot, facts: HostFacts) -> Iterable[KernelObject]:
    yield Sysctl(FORWARDING[4], "1")
    if any(network.ipv6 and network.lan is None for network in snapshot.networks.values()):
        # A host that forwards stops listening to routers, and would lose its own way out.
        for interface in facts.advertised:
            yield Sysctl(accept_ra(interface), "2")
        yield Sysctl(FORWARDING[6], "1")


def accept_ra(interface: str) -> str:
    return f"net/ipv6/conf/{interface}/accept_ra"
