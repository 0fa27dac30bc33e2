"""The whole of the daemon's intent as one immutable value.

Readers take the current snapshot and never lock. Edges are ids, never pointers, so no two copies of an
object can disagree. A change makes a new snapshot (`put`, `drop`); the engine alone commits it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from bridgehead.core.model.container import Container, Image
from bridgehead.core.model.errors import InvalidParameter, NotFound
from bridgehead.core.model.ids import ContainerID, EndpointID, ImageID, NetworkID, SandboxID, VolumeName
from bridgehead.core.model.network import Endpoint, Farewell, Link, Network, Phase, Sandbox
from bridgehead.core.model.volume import Volume

K = TypeVar("K", bound=str)
V = TypeVar("V")

Record = Network | Endpoint | Sandbox | Container | Image | Farewell | Volume
KINDS: Mapping[str, type[Record]] = {
    "networks": Network,
    "endpoints": Endpoint,
    "sandboxes": Sandbox,
    "containers": Container,
    "images": Image,
    "farewells": Farewell,
    "volumes": Volume,
}
_FIELDS = {record: name for name, record in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Snapshot:
    revision: int = 0
    networks: Mapping[NetworkID, Network] = field(default_factory=dict)
    endpoints: Mapping[EndpointID, Endpoint] = field(default_factory=dict)
    sandboxes: Mapping[SandboxID, Sandbox] = field(default_factory=dict)
    containers: Mapping[ContainerID, Container] = field(default_factory=dict)
    images: Mapping[ImageID, Image] = field(default_factory=dict)
    farewells: Mapping[EndpointID, Farewell] = field(default_factory=dict)
    volumes: Mapping[VolumeName, Volume] = field(default_factory=dict)

    def put(self, *records: Record) -> "Snapshot":
        """A snapshot in which each record stands, in place of one with the same id."""
        result = self
        for record in records:
            kind = _FIELDS[type(record)]
            result = _with(result, kind, {**getattr(result, kind), record.id: record})
        return result

    def drop(self, *records: Record) -> "Snapshot":
        """A snapshot without these records; one that is not there is no error."""
        result = self
        for record in records:
            kind = _FIELDS[type(record)]
            kept = {key: value for key, value in getattr(result, kind).items() if key != record.id}
            result = _with(result, kind, kept)
        return result

    def network_endpoints(self, network: NetworkID) -> list[Endpoint]:
        return [endpoint for endpoint in self.endpoints.values() if endpoint.network == network]

    def sandbox_endpoints(self, sandbox: SandboxID) -> list[Endpoint]:
        return [endpoint for endpoint in self.endpoints.values() if endpoint.sandbox == sandbox]

    def container_sandbox(self, container: ContainerID) -> Sandbox | None:
        return next((box for box in self.sandboxes.values() if box.container == container), None)

    def network_named(self, name: str) -> Network | None:
        return next((network for network in self.networks.values() if network.name == name), None)

    def find_network(self, reference: str) -> Network:
        """By full id, then name, then unambiguous id prefix; networks still being made are not there yet.

        Raises:
            NotFound, InvalidParameter: none, or several, as Docker words it.
        """
        found = self.networks.get(NetworkID(reference)) or self.network_named(reference)
        if found and found.phase is not Phase.PENDING:
            return found
        matches = [item for item in _by_prefix(self.networks, reference) if item.phase is not Phase.PENDING]
        if len(matches) > 1:
            raise InvalidParameter(
                f"network {reference} is ambiguous ({len(matches)} matches found based on ID prefix)"
            )
        if not matches:
            raise NotFound(f"network {reference} not found")
        return matches[0]

    def find_container(self, reference: str) -> Container:
        """By full id, then name (a leading slash is allowed), then link, then unambiguous id prefix."""
        if found := self.containers.get(ContainerID(reference)):
            return found
        name = reference.removeprefix("/")
        for container in self.containers.values():
            if container.name == name:
                return container
        if link := self.find_link(reference):
            return self.find_container(link[1].target)
        matches = _by_prefix(self.containers, reference)
        if len(matches) > 1:
            raise InvalidParameter(f"Multiple IDs found with provided prefix: {reference}")
        if not matches:
            raise NotFound(f"No such container: {reference}")
        return matches[0]

    def find_link(self, reference: str) -> tuple[Container, Link] | None:
        """The recipient and the link that `recipient/alias` means, if its source is still there."""
        name, slash, alias = reference.removeprefix("/").partition("/")
        for recipient in self.containers.values() if slash else ():
            if recipient.name == name:
                for link in recipient.spec.links:
                    if link.alias == alias and link.target in self.containers:
                        return recipient, link
        return None


def _with(snapshot: Snapshot, kind: str, value: Mapping[str, Record]) -> Snapshot:
    change: dict[str, Any] = {kind: value}
    return replace(snapshot, **change)


def _by_prefix(records: Mapping[K, V], prefix: str) -> list[V]:
    return [record for key, record in records.items() if prefix and key.startswith(prefix)]


def changed(old: Mapping[K, V], new: Mapping[K, V]) -> Iterator[tuple[V | None, V | None]]:
    """Pairs (before, after) of the records that differ between two maps, compared by identity."""
    if old is new:
        return
    for key, before in old.items():
        after = new.get(key)
        if after is not before:
            yield before, after
    for key, after in new.items():
        if key not in old:
            yield None, after


def records(snapshot: Snapshot) -> Iterable[Record]:
    for kind in KINDS:
        yield from getattr(snapshot, kind).values()
