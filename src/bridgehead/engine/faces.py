"""What the engine offers to `api`: the use cases, as Protocols, so that each side can be read alone."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
    Sized,
)
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from bridgehead.core.images.commit import CommitRequest
from bridgehead.core.images.distribution import Credentials, Described, Pull, Push
from bridgehead.core.images.progress import Progress
from bridgehead.core.images.reference import Reference
from bridgehead.core.model.container import Container, Image
from bridgehead.core.model.events import Event
from bridgehead.core.model.files import Change, PathFacts, Placement
from bridgehead.core.model.guest import GuestRequest
from bridgehead.core.model.ids import ContainerID, VolumeName
from bridgehead.core.model.network import EndpointWish, Network
from bridgehead.core.model.requests import ContainerRequest, ExecRequest, NetworkRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.model.usage import Usage
from bridgehead.core.model.volume import Volume, VolumeRequest
from bridgehead.core.updating import Update
from bridgehead.engine.world import Execution, LogLine, Stream


class Networks(Protocol):
    async def create(self, request: NetworkRequest) -> tuple[Network, list[str]]:
        """The new network, and warnings for the client."""
        ...

    async def remove(self, reference: str, *, force: bool = False) -> None:
        """`force`: also if its plugins do not answer; they are not told then."""
        ...

    async def connect(self, network: str, container: str, wish: EndpointWish) -> None: ...

    async def disconnect(self, network: str, container: str, *, force: bool) -> None: ...

    async def prune(self, wanted: Callable[[Network], bool]) -> list[str]:
        """Remove unused user networks that `wanted` accepts; their names."""
        ...


@dataclass(slots=True)
class Exec:
    """One exec instance, from its creation until some time after its end."""

    id: str
    container: ContainerID
    request: ExecRequest
    started: bool = False
    execution: Execution | None = None
    exit_code: int | None = None


class Containers(Protocol):
    async def create(self, request: ContainerRequest) -> tuple[Container, list[str]]:
        """The new container, and warnings for the client."""
        ...

    async def start(self, reference: str) -> None: ...

    async def stop(self, reference: str, *, timeout_s: int | None = None, signal: str = "") -> None: ...

    async def restart(self, reference: str, *, timeout_s: int | None = None, signal: str = "") -> None: ...

    async def kill(self, reference: str, signal: str) -> None: ...

    async def pause(self, reference: str, *, frozen: bool) -> None: ...

    async def remove(self, reference: str, *, force: bool, volumes: bool = False) -> None:
        """`volumes`: with the anonymous ones that nobody else has."""
        ...

    async def remove_link(self, reference: str) -> None:
        """`recipient/alias`, as links of the old kind are called."""
        ...

    async def rename(self, reference: str, name: str) -> None: ...

    def wait(self, reference: str, condition: str) -> Awaitable[int]:
        """Registers at once, so nothing is missed; the awaitable gives the exit code.

        condition: not-running | next-exit | removed.
        """
        ...

    async def attach(self, reference: str) -> Stream:
        """Waits for a container that is about to start: `docker run` attaches first, then starts.

        Raises:
            HostRefused: the start failed, so there is nothing to attach to.
        """
        ...

    def resize(self, reference: str, height: int, width: int) -> None: ...

    def processes(self, reference: str) -> Sequence[int]: ...

    def usage(self, reference: str) -> Usage | None:
        """What it uses now; None if it does not run."""
        ...

    def logs(
        self, reference: str, *, follow: bool, tail: int | None, since: int, until: int
    ) -> AsyncIterator[LogLine]: ...

    def create_exec(self, reference: str, request: ExecRequest) -> Exec: ...

    def exec(self, identifier: str) -> Exec: ...

    async def start_exec(self, identifier: str, *, detach: bool) -> Execution: ...


class Guests(Protocol):
    """Sandboxes that are no containers; connect, disconnect and rename know them as containers."""

    async def create(self, where: GuestRequest, request: ContainerRequest) -> tuple[Container, list[str]]:
        """The new sandbox, and warnings for the client."""
        ...

    async def remove(self, reference: str) -> None:
        """Let go of the namespace: what is ours in it goes, everything else stays."""
        ...


class ImageShelf(Protocol):
    async def import_tar(
        self, archive: BinaryIO, *, tag: str, changes: Sequence[str], message: str
    ) -> Image: ...

    async def load(self, archive: BinaryIO) -> list[Image]: ...

    async def tag(self, reference: str, tag: str) -> None: ...

    async def remove(self, reference: str, *, force: bool) -> list[tuple[str, str]]:
        """What happened, in order: ('Untagged', tag) and ('Deleted', id)."""
        ...

    def find(self, reference: str) -> Image: ...

    async def layer_sizes(self) -> Mapping[str, int]:
        """Bytes of every layer of every image, by diff id, each once."""
        ...


class Pulls(Protocol):
    def pull(self, wanted: Pull) -> AsyncGenerator[Progress]:
        """How it goes, until it is done; to close it is to give up, unless others wait for the same.

        Raises:
            NotFound, InvalidParameter, Unavailable, HostRefused.
        """
        ...


class Pushes(Protocol):
    def push(self, wanted: Push) -> AsyncGenerator[Progress]:
        """How it goes, until it is done; to close it is to give up, unless others wait for the same."""
        ...


class Saves(Protocol):
    def save(self, names: Sequence[str]) -> AsyncGenerator[bytes]:
        """The archive, piece by piece.

        Raises:
            NotFound, InvalidParameter: before the first piece, if a name is that of no image.
            HostRefused: a layer cannot be written.
        """
        ...


class Distribution(Protocol):
    async def log_in(self, credentials: Credentials) -> str:
        """An identity token, where the registry gives one in a password's place; else ''.

        Raises:
            Unauthorized, HostRefused, Unavailable.
        """
        ...

    async def describe(self, name: Reference, credentials: Credentials) -> Described: ...


class Commits(Protocol):
    async def commit(self, reference: str, request: CommitRequest) -> Image:
        """An image of what the container `reference` is now."""
        ...


class Volumes(Protocol):
    async def create(self, request: VolumeRequest) -> Volume:
        """The volume of that name, made if it was not there."""
        ...

    async def remove(self, name: str, *, force: bool) -> None:
        """`force`: one that is not there is no error."""
        ...

    async def prune(self, wanted: Callable[[Volume], bool]) -> tuple[list[str], int]:
        """Remove the unused ones that `wanted` accepts: their names, and the bytes they took."""
        ...

    def present(self) -> list[Volume]: ...

    async def sizes(self, names: Iterable[VolumeName]) -> Mapping[VolumeName, int]: ...


class ContainerFiles(Protocol):
    async def stat(self, reference: str, path: str) -> PathFacts: ...

    def read(
        self, reference: str, path: str
    ) -> AbstractAsyncContextManager[tuple[PathFacts, AsyncIterator[bytes]]]:
        """What is at `path`, and an archive of it."""
        ...

    async def write(self, reference: str, where: Placement, content: AsyncIterator[bytes]) -> None:
        """Unpack the archive `content`."""
        ...

    def export(self, reference: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """An archive of all that is the container's own: nothing that is mounted in it."""
        ...

    async def changes(self, reference: str) -> Sequence[Change]: ...

    async def size(self, reference: str) -> int:
        """Bytes of all that it changed; 0 for a sandbox that is no container."""
        ...


class Updates(Protocol):
    async def update(self, reference: str, update: Update) -> None: ...


class Events(Protocol):
    def recent(self, since: int) -> Sequence[Event]:
        """Kept events not older than `since` (ns), oldest first."""
        ...

    @property
    def listeners(self) -> Sized: ...

    def listening(self) -> AbstractContextManager[AsyncIterator[Event]]:
        """Those to come, from now on, for as long as the context lasts."""
        ...

    def pruned(self, kind: str, freed: int) -> None:
        """Tell that what is not used was removed, and how many bytes that gave back."""
        ...


class Plugged(Protocol):
    @property
    def absent(self) -> Mapping[str, str]:
        """Plugins that networks need and that do not answer, each with the reason."""
        ...


class Engine(Protocol):
    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def plugged(self) -> Plugged: ...

    @property
    def networks(self) -> Networks: ...

    @property
    def containers(self) -> Containers: ...

    @property
    def guests(self) -> Guests: ...

    @property
    def images(self) -> ImageShelf: ...

    @property
    def pulls(self) -> Pulls: ...

    @property
    def pushes(self) -> Pushes: ...

    @property
    def saves(self) -> Saves: ...

    @property
    def distribution(self) -> Distribution: ...

    @property
    def commits(self) -> Commits: ...

    @property
    def volumes(self) -> Volumes: ...

    @property
    def updates(self) -> Updates: ...

    @property
    def files(self) -> ContainerFiles: ...

    @property
    def events(self) -> Events: ...
