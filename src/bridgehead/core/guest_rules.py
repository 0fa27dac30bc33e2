"""What a guest may be and what may be done to it: the refusals, in words that say what it is."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import BridgeheadError, Conflict, InvalidParameter, NotFound
from bridgehead.core.model.guest import Guest
from bridgehead.core.model.ids import ContainerID
from bridgehead.core.model.requests import ContainerRequest
from bridgehead.core.model.snapshot import Snapshot

NO_NETWORK = "none"


def check(request: ContainerRequest) -> None:
    """
    Raises:
        InvalidParameter: it asks for what no guest can have.
    """
    if not request.name:
        raise InvalidParameter("a sandbox needs a name")
    if request.network_mode.startswith("container:"):
        raise _namespace_already(request.network_mode)
    if request.network_mode == NO_NETWORK and request.networks.keys() - {NO_NETWORK}:
        raise InvalidParameter("network none excludes every other network")


def check_networks(names: Iterable[str]) -> None:
    """
    Raises:
        InvalidParameter: one of them is no network but another namespace.
    """
    if "host" in names:
        raise _namespace_already("host")


def _namespace_already(network: str) -> InvalidParameter:
    return InvalidParameter(
        f"a sandbox has a network namespace already, so it cannot have the network {network}"
    )


def check_new(snapshot: Snapshot, guest: Guest, kept: Mapping[int, ContainerID]) -> None:
    """
    Raises:
        Conflict: the namespace has a place here already. `kept` are those of our own, by inode.
    """
    for other in snapshot.containers.values():
        if other.guest and (other.guest.inode, other.guest.boot) == (guest.inode, guest.boot):
            raise Conflict(f'the network namespace {guest.source} already is sandbox "{other.name}"')
    holder = snapshot.containers.get(kept.get(guest.inode, ContainerID("")))
    if holder:
        raise Conflict(f'the network namespace {guest.source} is that of container "{holder.name}"')


@contextmanager
def in_own_words(guest: Guest | None, layout: Layout) -> Iterator[None]:
    """A refusal from within names the namespace by our own path, which is gone when it is read: by the
    user's then. `guest` None: nothing is changed.
    """
    try:
        yield
    except BridgeheadError as error:
        if guest:
            ours = rf"{re.escape(layout.namespaces)}/[0-9a-f]+"
            error.args = (re.sub(ours, lambda _: guest.source, error.message), *error.args[1:])
        raise


def found(snapshot: Snapshot, reference: str) -> Container:
    """
    Raises:
        NotFound: there is nothing of that name, or it is a container.
    """
    try:
        container = snapshot.find_container(reference)
    except NotFound:
        container = None
    if container is None or container.guest is None:
        raise NotFound(f"No such sandbox: {reference}")
    return container


def refuse(container: Container, what: str, instead: str = "") -> None:
    """`instead`: what else may be done, to be said at the end.

    Raises:
        Conflict: it is a guest, of which nobody here can do that.
    """
    if container.guest:
        raise Conflict(
            f"cannot {what} {container.name}: it is no container but a sandbox for the network namespace of "
            f"{container.guest.spoken}, whose processes are not ours{instead}"
        )
