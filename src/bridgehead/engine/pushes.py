"""`docker push`: the layers that a registry lacks, the configuration, at last the manifest naming them."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from bridgehead.core.images import distribution, saving
from bridgehead.core.images.distribution import DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST, Blob, Push
from bridgehead.core.images.progress import Progress
from bridgehead.core.images.reference import Reference
from bridgehead.core.model.container import Image
from bridgehead.core.model.errors import NotFound
from bridgehead.core.model.ids import short
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.engine.events import EventBus
from bridgehead.engine.images import ImageUseCases
from bridgehead.engine.intent import Intent
from bridgehead.engine.registries import Registries, Repository
from bridgehead.engine.saves import held
from bridgehead.engine.storage import Images
from bridgehead.engine.tasks import Tasks
from bridgehead.engine.telling import Say, Shared

_BETWEEN_S = 0.1


class PushUseCases:
    def __init__(
        self,
        intent: Intent,
        store: Images,
        shelf: ImageUseCases,
        registries: Registries,
        events: EventBus,
        tasks: Tasks,
    ) -> None:
        self._intent = intent
        self._store = store
        self._shelf = shelf
        self._registries = registries
        self._events = events
        self._shared = Shared(tasks)

    def push(self, wanted: Push) -> AsyncGenerator[Progress]:
        """How it goes, until it is done. The registry has no new manifest before all that it names is there.

        Raises:
            NotFound: no image is called so.
            Unauthorized, Forbidden, Unavailable, HostRefused: the registry does not take it.
        """
        return self._shared.follow(wanted, lambda say: self._push(wanted, say))

    async def _push(self, wanted: Push, say: Say) -> None:
        say(Progress(f"The push refers to repository [{wanted.name.name}]"))
        images = _named(self._intent.snapshot, wanted.name)
        async with self._registries.repository(wanted.name, wanted.credentials, push=True) as repository:
            await repository.reach()
            for tag, image in images:
                await self._push_one(repository, wanted.name, tag, image, say)

    async def _push_one(
        self, repository: Repository, name: Reference, tag: str, image: Image, say: Say
    ) -> None:
        layers = saving.layers(image)
        for layer in dict.fromkeys(reversed(layers)):
            say(Progress("Preparing", short(layer)))
        blobs: dict[str, Blob] = {}
        with held(self._store, layers):
            for layer in dict.fromkeys(layers):
                blobs[layer] = await self._layer(repository, layer, say)
        document = image.config.encode()
        config = Blob(image.id, len(document), DOCKER_CONFIG)
        if not await repository.holds(config.digest):
            await repository.upload(_once(document), DOCKER_CONFIG)
        manifest = distribution.docker_manifest(config, [blobs[layer] for layer in layers])
        await repository.put_manifest(tag, DOCKER_MANIFEST, manifest)
        digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
        if kept := self._intent.snapshot.images.get(image.id):
            self._shelf.record(kept, tags=(), digests=[f"{name.repository}@{digest}"])
        say(Progress(f"{tag}: digest: {digest} size: {len(manifest)}"))
        say(Progress(aux=(("Tag", tag), ("Digest", digest), ("Size", len(manifest)))))
        self._events.image(f"{name.repository}:{tag}", "push", name.repository)

    async def _layer(self, repository: Repository, layer: str, say: Say) -> Blob:
        archives = self._store.archives
        known = archives.known(layer)
        if known and await repository.holds(known.digest) == known.size:
            say(Progress("Layer already exists", short(layer)))
            return known
        length = await archives.length(layer)
        async with aclosing(archives.archive(layer, packed=True)) as pieces:
            blob = await repository.upload(_told(pieces, layer, length, say), DOCKER_LAYER)
        archives.remember(layer, blob)
        say(Progress("Pushed", short(layer)))
        return blob


def _named(snapshot: Snapshot, name: Reference) -> list[tuple[str, Image]]:
    """What is pushed: the image of a tag, or of every tag where none is given."""
    found = [
        (tag.rpartition(":")[2], image)
        for image in snapshot.images.values()
        for tag in image.tags
        if tag.rpartition(":")[0] == name.repository and name.tag in ("", tag.rpartition(":")[2])
    ]
    if not found:
        raise NotFound(f"An image does not exist locally with the tag: {name.repository}")
    return sorted(found, key=lambda pair: pair[0])


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _told(pieces: AsyncIterator[bytes], layer: str, length: int, say: Say) -> AsyncIterator[bytes]:
    """`length` is what the layer unpacks to, so a bar ends before its end."""
    loop = asyncio.get_running_loop()
    sent, told = 0, 0.0
    async for piece in pieces:
        sent += len(piece)
        if (now := loop.time()) - told >= _BETWEEN_S:
            told = now
            say(Progress("Pushing", short(layer), min(sent, length), length))
        yield piece
