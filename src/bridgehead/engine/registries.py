"""What the engine needs of image registries, as Protocols; `host.registry` fits them by shape."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from bridgehead.core.images.distribution import Blob, Credentials, Document
from bridgehead.core.images.reference import Reference


class Repository(Protocol):
    """One repository of a registry, which may be slow and may lie.

    Raises:
        NotFound, Unauthorized, Forbidden, Unavailable, HostRefused: in the registry's words.
        InvalidParameter: it gave something else than was asked for.
    """

    async def manifest(self, reference: str) -> Document:
        """By tag or digest; to be called before anything else is read."""
        ...

    async def tags(self) -> Sequence[str]: ...

    def blob(self, blob: Blob) -> AsyncGenerator[bytes]:
        """Verified at its end. A connection that breaks is made again."""
        ...

    async def reach(self) -> None:
        """To be called before anything is written."""
        ...

    async def holds(self, digest: str) -> int:
        """The bytes of a blob that is there; 0 for one that is not."""
        ...

    async def upload(self, pieces: AsyncIterator[bytes], media_type: str) -> Blob: ...

    async def put_manifest(self, reference: str, media_type: str, content: bytes) -> None: ...


class Registries(Protocol):
    def repository(
        self, name: Reference, credentials: Credentials, *, push: bool = False
    ) -> AbstractAsyncContextManager[Repository]: ...

    async def log_in(self, credentials: Credentials) -> str:
        """An identity token, where the registry gives one in a password's place.

        Raises:
            Unauthorized: the registry does not know them.
            HostRefused, Unavailable: it cannot be asked.
        """
        ...
