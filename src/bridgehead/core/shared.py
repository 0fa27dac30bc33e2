"""Containers in another's network, `--network container:X`: whose it is, and what stays of it when X ends.

X is the lender: whoever joins a joiner is where that one is. The namespace lives as long as anybody is in it,
and a lender that starts again while somebody is enters it again: its network, names and ports are back for
all of them. Nothing is remembered for that but the sandboxes of those who run.
"""

from collections.abc import Iterable

from bridgehead.core.model.container import Container, Status
from bridgehead.core.model.errors import Conflict, HostRefused
from bridgehead.core.model.ids import ContainerID, SandboxID
from bridgehead.core.model.network import Sandbox
from bridgehead.core.model.snapshot import Snapshot

JOINING = "joining network namespace of container"


def required(snapshot: Snapshot, target: ContainerID) -> Sandbox:
    """The sandbox that a start joins: its container runs, and the lender is still there.

    Raises:
        HostRefused: the container is gone; what was asked for at create can never be had any more.
        Conflict: it does not run, or the lender is gone; it is named.
    """
    container = snapshot.containers.get(target)
    if container is None:
        raise HostRefused(f"{JOINING}: No such container: {target}")
    if container.state.status is Status.RESTARTING:
        raise Conflict(
            f"cannot join network namespace of container: Container {target} is restarting, wait until the "
            "container is running"
        )
    sandbox = snapshot.container_sandbox(target)
    if sandbox is None or not container.state.status.has_process:
        raise Conflict(
            "cannot join network namespace of a non running container: "
            f"container {container.name} is {container.state.status}"
        )
    if lender(sandbox) not in snapshot.containers:
        raise Conflict(
            f"cannot join network namespace of container {container.name}: it has that of container "
            f"{lender(sandbox)}, which was removed"
        )
    return sandbox


def lender(sandbox: Sandbox) -> ContainerID:
    """The container whose network it has, and whose files: its own, unless it joined another."""
    return sandbox.lender or sandbox.container


def kept_for(snapshot: Snapshot, container: ContainerID) -> SandboxID | None:
    """The namespace in which others wait for this container, whose network they have."""
    waiting = (box.namespace for box in snapshot.sandboxes.values() if box.lender == container)
    return next(waiting, None)


def lender_of(snapshot: Snapshot, users: Iterable[Sandbox]) -> Container | None:
    """The container whose network all these have, whether it is one of them or not; None: it was removed."""
    return next((snapshot.containers.get(lender(sandbox)) for sandbox in users), None)
