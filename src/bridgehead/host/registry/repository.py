"""One repository of a registry: manifests and blobs, in both directions.

Nothing a registry says is believed: manifests and blobs are known by their digests, and no more of one is
read than its manifest promises.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

import aiohttp
import msgspec
from yarl import URL

from bridgehead.core.images.config import decode
from bridgehead.core.images.distribution import INDEXES, MANIFESTS, Blob, Document
from bridgehead.core.images.manifest import MAXIMUM_DOCUMENT
from bridgehead.core.images.reference import Reference, is_digest
from bridgehead.core.model.errors import (
    BridgeheadError,
    Forbidden,
    HostRefused,
    InvalidParameter,
    NotFound,
    Unauthorized,
    Unavailable,
)
from bridgehead.host.registry.answers import RegistryTimedOut, beginning, unreachable
from bridgehead.host.registry.asking import Asking

_ACCEPT = ", ".join((*MANIFESTS, *INDEXES))
_ATTEMPTS = 5
_PAUSE_S = 0.5  # before the second attempt; each later one waits twice as long
_STALLED_S = 120
_PIECE = 1 << 20
_PARTIAL, _OK, _CREATED, _ACCEPTED, _NOT_FOUND = 206, 200, 201, 202, 404
_OCTETS = {"Content-Type": "application/octet-stream"}


class _Tags(msgspec.Struct, frozen=True):
    tags: list[str] | None = None


class HttpRepository:
    """Fits `engine.world.Repository`. The first door that answers is the one for all that follows."""

    def __init__(self, name: Reference, doors: Sequence[Asking]) -> None:
        self._name = name
        self._doors = list(doors)
        self._path = f"/v2/{name.path}"

    async def manifest(self, reference: str) -> Document:
        """By tag or digest."""
        while True:
            asking = self._doors[0]
            try:
                return await self._manifest(asking, reference)
            except (HostRefused, Unavailable, NotFound, Unauthorized, Forbidden) as error:
                if not self._has_another(asking, error):
                    raise self._refused(error, reference) from error
                del self._doors[0]

    def _has_another(self, asking: Asking, error: BridgeheadError) -> bool:
        """A mirror may fail in any way; TLS may be spoken by nobody."""
        return len(self._doors) > 1 and (
            asking.door.mirror or isinstance(error, HostRefused | RegistryTimedOut)
        )

    async def _manifest(self, asking: Asking, reference: str) -> Document:
        path = f"{self._path}/manifests/{reference}"
        async with asking.ask("GET", path, headers={"Accept": _ACCEPT}) as response:
            content = await beginning(response, MAXIMUM_DOCUMENT)
            if len(content) > MAXIMUM_DOCUMENT:
                raise InvalidParameter(f"invalid manifest: it is longer than {MAXIMUM_DOCUMENT >> 20} MiB")
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            if is_digest(reference) and digest != reference:
                raise InvalidParameter(f"manifest verification failed for digest {reference}")
            return Document(response.content_type, content, digest)

    def _refused(self, error: BridgeheadError, reference: str) -> BridgeheadError:
        """In the words by which people, and scripts, know what went wrong."""
        mark = "@" if is_digest(reference) else ":"
        if isinstance(error, Unauthorized | Forbidden):
            return NotFound(
                f"pull access denied for {self._name.repository}, repository does not exist or may require "
                f"'docker login': {error.message}"
            )
        if isinstance(error, NotFound) and error.message.startswith("name unknown"):
            return NotFound(f"repository {self._name.repository} not found: {error.message}")
        if isinstance(error, NotFound):
            return NotFound(
                f"manifest for {self._name.repository}{mark}{reference} not found: {error.message}"
            )
        return error

    async def tags(self) -> Sequence[str]:
        while True:
            asking = self._doors[0]
            try:
                async with asking.ask("GET", f"{self._path}/tags/list") as response:
                    content = await beginning(response, MAXIMUM_DOCUMENT)
                    return decode(content, _Tags, "list of tags").tags or []
            except (HostRefused, Unavailable, NotFound, Unauthorized, Forbidden) as error:
                if not self._has_another(asking, error):
                    raise self._refused(error, "") from error
                del self._doors[0]

    async def blob(self, blob: Blob) -> AsyncGenerator[bytes]:
        """Its bytes, verified: a wrong one raises before the end. A broken connection is taken up again.

        Raises:
            InvalidParameter: it is not what the manifest promised.
            Unavailable, HostRefused: the registry does not give it.
        """
        digest, received, failures = hashlib.sha256(), 0, 0
        while received < blob.size:
            before = received
            try:
                async with aclosing(self._from(blob, received)) as pieces:
                    async for piece in pieces:
                        received += len(piece)
                        if received > blob.size:
                            raise _unlike(blob)
                        digest.update(piece)
                        yield piece
                if received == before:
                    raise _unlike(blob)
            except (HostRefused, Unavailable):
                failures = 1 if received > before else failures + 1
                if failures >= _ATTEMPTS:
                    raise
                await asyncio.sleep(_PAUSE_S * 2 ** (failures - 1))
        if f"sha256:{digest.hexdigest()}" != blob.digest:
            raise _unlike(blob)

    async def _from(self, blob: Blob, offset: int) -> AsyncGenerator[bytes]:
        """What follows `offset`; a registry that cannot begin there is read from the beginning."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        path = f"{self._path}/blobs/{blob.digest}"
        async with self._doors[0].ask("GET", path, headers=headers, accepted=(_OK, _PARTIAL)) as response:
            skipped = offset if response.status == _OK else 0
            async for piece in response.content.iter_chunked(_PIECE):
                kept = piece[skipped:]
                skipped -= len(piece) - len(kept)
                if kept:
                    yield kept

    async def holds(self, digest: str) -> int:
        """The bytes of a blob that is there; 0 for one that is not."""
        path = f"{self._path}/blobs/{digest}"
        async with self._doors[0].ask("HEAD", path, accepted=(_OK, _NOT_FOUND)) as response:
            return response.content_length or 0 if response.status == _OK else 0

    async def reach(self) -> None:
        """Find the door by which things are pushed, and prove who we are."""
        while True:
            try:
                async with self._doors[0].ask("GET", "/v2/"):
                    return
            except (HostRefused, Unavailable) as error:
                if not self._has_another(self._doors[0], error):
                    raise
                del self._doors[0]

    async def upload(self, pieces: AsyncIterator[bytes], media_type: str) -> Blob:
        """Push a blob whose digest nobody knows before its end.

        Raises:
            Unavailable, HostRefused, Unauthorized, Forbidden: the registry does not take it.
        """
        asking, digest, size = self._doors[0], hashlib.sha256(), 0
        async with asking.ask("POST", f"{self._path}/blobs/uploads/", accepted=(_ACCEPTED,)) as response:
            place = _location(response)

        async def sent(limit: asyncio.Timeout) -> AsyncIterator[bytes]:
            nonlocal size
            async for piece in pieces:
                digest.update(piece)
                size += len(piece)
                limit.reschedule(asyncio.get_running_loop().time() + _STALLED_S)
                yield piece

        try:
            async with asyncio.timeout(_STALLED_S) as limit:
                patch = asking.ask("PATCH", place, headers=_OCTETS, body=sent(limit), accepted=(_ACCEPTED,))
                async with patch as response:
                    place = _location(response)
        except TimeoutError as error:
            raise unreachable("PATCH", place.with_query(None), error) from error
        name = f"sha256:{digest.hexdigest()}"
        put = asking.ask("PUT", place.update_query(digest=name), headers=_OCTETS, accepted=(_CREATED,))
        async with put:
            return Blob(name, size, media_type)

    async def put_manifest(self, reference: str, media_type: str, content: bytes) -> None:
        path = f"{self._path}/manifests/{reference}"
        headers = {"Content-Type": media_type}
        async with self._doors[0].ask("PUT", path, headers=headers, body=content, accepted=(_CREATED,)):
            return


def _location(response: aiohttp.ClientResponse) -> URL:
    try:
        return response.url.join(URL(response.headers["Location"], encoded=True))
    except (KeyError, ValueError) as error:
        raise HostRefused("the registry does not say where to upload to") from error


def _unlike(blob: Blob) -> InvalidParameter:
    return InvalidParameter(f"filesystem layer verification failed for digest {blob.digest}")
