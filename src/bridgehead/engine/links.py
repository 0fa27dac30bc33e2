"""Links of the old kind as use cases meet them: made at create, by id so that renames do not matter."""

from collections.abc import Iterable
from dataclasses import replace

from bridgehead.core import links
from bridgehead.core.model.errors import Conflict, InvalidParameter, NotFound
from bridgehead.core.model.network import Link
from bridgehead.core.model.snapshot import Snapshot


def resolved(snapshot: Snapshot, asked: Iterable[Link]) -> tuple[Link, ...]:
    """
    Raises:
        InvalidParameter: a source does not exist, or has the host's network.
    """
    return tuple(_resolved(snapshot, link) for link in asked)


def _resolved(snapshot: Snapshot, link: Link) -> Link:
    try:
        source = snapshot.find_container(link.target)
    except NotFound as error:
        raise InvalidParameter(f"could not get container for {link.target}: {error.message}") from None
    if source.spec.joins:  # in another's network it has no address of its own to be linked to
        return _resolved(snapshot, replace(link, target=source.spec.joins))
    if source.spec.network_mode == "host":
        raise InvalidParameter(
            "conflicting options: host type networking can't be used with links. "
            "This would result in undefined behavior"
        )
    return replace(link, target=source.id)


def removed(snapshot: Snapshot, reference: str) -> Snapshot:
    """Without the link that `recipient/alias` means; its two containers stay.

    Raises:
        NotFound: there is no such link.
        Conflict: the reference is a container's own name.
    """
    if found := snapshot.find_link(reference):
        recipient, link = found
        return snapshot.put(links.without(recipient, link.alias))
    snapshot.find_container(reference)
    raise Conflict("Conflict, cannot remove the default link name of the container")
