"""Whose network a container gets: looked up when it is created, joined when it starts."""

from dataclasses import replace

from bridgehead.core import shared
from bridgehead.core.desired import sandbox_owners
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import Conflict, InvalidParameter, NotFound
from bridgehead.core.model.ids import ContainerID, SandboxID
from bridgehead.core.model.network import Sandbox, SandboxKind
from bridgehead.core.model.requests import ContainerRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.engine.intent import Intent
from bridgehead.engine.tasks import quietly

_PREFIX = "container:"


def settled(snapshot: Snapshot, request: ContainerRequest) -> ContainerRequest:
    """The request with its target by id, so that renames do not matter, and with the target's names.

    Raises:
        InvalidParameter: there is no such container. Clients take "not found" here for a missing image.
    """
    if not request.network_mode.startswith(_PREFIX):
        return request
    try:
        target = snapshot.find_container(request.network_mode.removeprefix(_PREFIX))
    except NotFound as error:
        raise InvalidParameter(f"{shared.JOINING}: {error.message}") from None
    return replace(
        request,
        network_mode=f"{_PREFIX}{target.id}",
        networks={},
        hostname=target.spec.hostname,
        domainname=target.spec.domainname,
    )


def with_processes(snapshot: Snapshot, request: ContainerRequest) -> ContainerRequest:
    """The request with the container whose processes it is to see by id.

    Raises:
        InvalidParameter: there is no such container.
    """
    confinement = request.confinement
    if not confinement.pid.startswith(_PREFIX):
        return request
    try:
        target = snapshot.find_container(confinement.pid.removeprefix(_PREFIX))
    except NotFound as error:
        raise InvalidParameter(f"cannot join PID namespace: {error.message}") from None
    return replace(request, confinement=replace(confinement, pid=f"{_PREFIX}{target.id}"))


def borrowed(snapshot: Snapshot, container: Container) -> dict[str, str | None]:
    """The namespaces, but for the network, that a container shares with the host (None) or another.

    Raises:
        Conflict: the other does not run.
    """
    confinement = container.spec.confinement
    modes = {"uts": confinement.uts, "ipc": confinement.ipc, "pid": confinement.pid}
    return {kind: _path(snapshot, kind, mode) for kind, mode in modes.items() if mode}


def _path(snapshot: Snapshot, kind: str, mode: str) -> str | None:
    if mode == "host":
        return None
    target = snapshot.containers.get(ContainerID(mode.removeprefix(_PREFIX)))
    if target is None or not target.state.status.has_process:
        name = target.name if target else mode
        raise Conflict(f"cannot join {kind.upper()} namespace of a non running container: {name}")
    return f"/proc/{target.state.pid}/ns/{kind}"


async def look(intent: Intent, container: Container) -> None:
    """Before a start in the host's network: its names and hosts as they are now, for all who are there."""
    if container.spec.network_mode != "host":
        return
    hostname, hosts_text = intent.surroundings.names()
    facts = replace(intent.facts, hostname=hostname, hosts_text=hosts_text)
    if facts == intent.facts:
        return
    intent.facts = facts
    there = [box for box in intent.snapshot.sandboxes.values() if box.kind is SandboxKind.HOST]
    await quietly(intent.reconciler.settle([sandbox_owners(box).namespace for box in there]))


def sandbox(intent: Intent, snapshot: Snapshot, container: Container, *, on_host: bool) -> Sandbox:
    """A new sandbox for a start, pending: in another's namespace, or where others wait for this one.

    Raises:
        HostRefused, Conflict: see `shared.required`.
    """
    own = Sandbox(
        SandboxID(intent.random.identifier()),
        container.id,
        SandboxKind.HOST if on_host else SandboxKind.OWN,
        intent.random.port(),
    )
    target = container.spec.joins
    if target is None:
        return replace(own, joined=shared.kept_for(snapshot, container.id))
    other = shared.required(snapshot, target)
    return replace(
        own,
        kind=SandboxKind.HOST if other.kind is SandboxKind.HOST else SandboxKind.SHARED,
        joined=other.namespace,
        lender=shared.lender(other),
    )
