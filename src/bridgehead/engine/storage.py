"""What the engine needs to keep what containers are made of: images, volumes, and files on their way."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Iterable,
    Sequence,
)
from contextlib import AbstractAsyncContextManager
from typing import BinaryIO, Protocol, TypeVar

import msgspec

from bridgehead.core.images.distribution import Blob
from bridgehead.core.images.loaded import LoadedImage
from bridgehead.core.model.container import Image
from bridgehead.core.model.files import Change, PathFacts, Placement
from bridgehead.core.model.ids import VolumeName
from bridgehead.core.model.process import Bundle as Bundle  # noqa: PLC0414 - offered on: these three are
from bridgehead.core.model.process import Exit as Exit  # noqa: PLC0414 - values of this seam, made by `host`,
from bridgehead.core.model.process import LogLine as LogLine  # noqa: PLC0414 - which must not import `engine`
from bridgehead.core.ports import HostPorts as HostPorts  # noqa: PLC0414 - choosing asks it, and is pure
from bridgehead.core.roots import View

Answer = TypeVar("Answer", bound=msgspec.Struct)


class Images(Protocol):
    """Unpacks layers into the layer folder. Blocking: call through a thread. Hostile archives are refused.

    Raises:
        InvalidParameter: not an image, or one that tries to write outside.
    """

    @property
    def architecture(self) -> str:
        """This machine's, as images name it: amd64."""
        ...

    def import_tar(self, archive: BinaryIO, *, changes: Sequence[str], message: str) -> Image: ...

    def load(self, archive: BinaryIO) -> list[LoadedImage]: ...

    def commit(
        self,
        upper: str,
        *,
        below: Sequence[str],
        mounted: Iterable[str],
        document: Callable[[str], bytes],
    ) -> Image:
        """An image of the layers `below` and, on them, what `upper` changes outside of `mounted`.

        `document` gives the image's configuration, told the diff id of the new layer; it may leave an empty
        layer out.
        """
        ...

    def receiving(self) -> AbstractAsyncContextManager["Reception"]:
        """An image that comes layer by layer. Until the end no sweep takes a layer it asked for."""
        ...

    @property
    def archives(self) -> "Archives": ...

    def hold(self, diff_id: str) -> bool:
        """Whether the layer is here; no sweep takes it before it is let go as often as it was held."""
        ...

    def let_go(self, diff_ids: Iterable[str]) -> None: ...

    def recorded(self, layers: Iterable[str]) -> None:
        """A record names these layers now: from here on a sweep that is not told to keep them takes them."""
        ...

    def sizes(self, layers: Iterable[str]) -> dict[str, int]:
        """Bytes of the files of each layer that is here."""
        ...

    def sweep(self, keep: Iterable[str]) -> None:
        """Remove layer folders whose diff id is not in `keep`, and anything half-made."""
        ...


class Archives(Protocol):
    """Layers on their way out; whoever asks holds them meanwhile.

    Raises:
        HostRefused: a layer cannot be written again.
    """

    async def length(self, diff_id: str) -> int:
        """Bytes of the layer's archive; to be asked before the archive is."""
        ...

    def archive(self, diff_id: str, *, packed: bool = False) -> AsyncGenerator[bytes]:
        """The archive of which `diff_id` is the digest, or that in gzip's format."""
        ...

    def known(self, diff_id: str) -> Blob | None:
        """What a registry called the layer last."""
        ...

    def remember(self, diff_id: str, blob: Blob) -> None: ...


class Reception(Protocol):
    """An image on its way. Nothing of it stays unless it was finished, and recorded before the end."""

    def has(self, diff_id: str) -> bool: ...

    async def unpack(self, diff_id: str, content: AsyncIterator[bytes]) -> None:
        """
        Raises:
            InvalidParameter: it is no layer, or another one; and whatever `content` raises.
        """
        ...

    async def finish(self, document: bytes) -> Image:
        """The image whose configuration is `document`, now that all its layers are here."""
        ...


class VolumeFolders(Protocol):
    """Where volumes keep their files. Blocking: call through a thread.

    Raises:
        HostRefused: the file system said no.
    """

    def make(self, name: VolumeName) -> None:
        """Safe to repeat."""
        ...

    def populate(self, name: VolumeName, rootfs: str, target: str) -> None:
        """Copy what `rootfs` has at `target` into the volume if that is empty."""
        ...

    def size(self, name: VolumeName) -> int: ...

    def remove(self, name: VolumeName) -> None:
        """One that is gone is no error."""
        ...


class Copies(Protocol):
    """Containers' files. Nothing inside can lead out, whatever the container does meanwhile.

    Raises:
        NotFound: there is no such path; its message is the path.
        Conflict: `view.running`, but it no longer runs.
        Forbidden: it is read-only.
        InvalidParameter: no archive, or one that leads outside; or no folder to put it in.
    """

    async def stat(self, view: View, path: str) -> PathFacts: ...

    def read(
        self, view: View, path: str
    ) -> AbstractAsyncContextManager[tuple[PathFacts, AsyncIterator[bytes]]]: ...

    def export(self, view: View) -> AbstractAsyncContextManager[AsyncIterator[bytes]]: ...

    async def write(self, view: View, where: Placement, content: AsyncIterator[bytes]) -> None: ...

    async def changes(self, view: View) -> Sequence[Change]: ...

    async def size(self, view: View) -> int:
        """Bytes of all that it changed."""
        ...
