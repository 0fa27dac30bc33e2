"""`docker pull`: what a registry has of an image, checked, unpacked as it arrives, recorded at the end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from bridgehead.core.images import config, distribution
from bridgehead.core.images import reference as references
from bridgehead.core.images.config import ImageConfig
from bridgehead.core.images.distribution import Blob, Document, Pull
from bridgehead.core.images.manifest import Platform
from bridgehead.core.images.progress import Progress
from bridgehead.core.images.reference import Reference
from bridgehead.core.model.container import Image
from bridgehead.core.model.errors import BridgeheadError, HostRefused, InvalidParameter, NotFound
from bridgehead.core.model.ids import ImageID
from bridgehead.engine.events import EventBus
from bridgehead.engine.images import ImageUseCases
from bridgehead.engine.intent import Intent
from bridgehead.engine.registries import Registries, Repository
from bridgehead.engine.storage import Images, Reception
from bridgehead.engine.tasks import Tasks
from bridgehead.engine.telling import Say, Shared

_AT_ONCE = 3
"""Layers of one image; Docker's default."""

_BETWEEN_S = 0.1


class PullUseCases:
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

    def pull(self, wanted: Pull) -> AsyncGenerator[Progress]:
        """How it goes, until it is done. Who asks for the same hears of the same; the last to leave ends it.

        Raises:
            NotFound: there is no such image, or none for the platform.
            InvalidParameter: it is no image we can unpack, or not the one the registry promised.
            Unavailable, HostRefused: the registry does not give it.
        """
        return self._shared.follow(wanted, lambda say: self._pull(wanted, say))

    async def _pull(self, wanted: Pull, say: Say) -> None:
        distribution.platform(wanted.platform, self._store.architecture)  # refused before anybody is asked
        async with self._registries.repository(wanted.name, wanted.credentials) as repository:
            names = [wanted.name]
            if not wanted.name.tag and not wanted.name.digest:
                names = [replace(wanted.name, tag=tag) for tag in await repository.tags()]
            for name in names:
                await self._pull_one(repository, replace(wanted, name=name), say)

    async def _pull_one(self, repository: Repository, wanted: Pull, say: Say) -> None:
        name = wanted.name
        top = await repository.manifest(name.digest or name.tag)
        say(Progress(f"Pulling from {name.path}", name.digest or name.tag))
        platform = distribution.platform(wanted.platform, self._store.architecture)
        found = await self._for_platform(repository, top, platform)
        contents = distribution.contents(found)
        document = b"".join([piece async for piece in repository.blob(contents.config)])
        parsed = _checked(config.parse(document), contents.layers)
        if wanted.platform:
            _check_platform(parsed, platform, name)
        digest = f"{name.repository}@{top.digest}"
        tags = [] if name.digest else [references.tag_name(name.familiar)]
        known = self._intent.snapshot.images.get(ImageID(contents.config.digest))
        if known is None:
            async with self._store.receiving() as reception:
                await _received(repository, reception, parsed, contents.layers, say)
                self._shelf.record(await reception.finish(document), tags=tags, digests=[digest])
                self._remember(parsed, contents.layers)
        else:
            self._shelf.record(known, tags=tags, digests=[digest])
        news = "Image is up to date" if known and _named(known, tags, digest) else "Downloaded newer image"
        say(Progress(f"Digest: {top.digest}"))
        say(Progress(f"Status: {news} for {name.familiar}"))
        self._events.image(name.familiar, "pull", name.repository)

    def _remember(self, parsed: ImageConfig, layers: Sequence[Blob]) -> None:
        """So that a push need not send them again; our manifests can name only gzip's layers."""
        for diff_id, layer in zip(parsed.layers, layers, strict=True):
            if layer.media_type.endswith("gzip"):
                self._store.archives.remember(diff_id, layer)

    async def _for_platform(self, repository: Repository, top: Document, platform: Platform) -> Document:
        if not distribution.is_index(top):
            return top
        found = await repository.manifest(distribution.chosen(top, platform).digest)
        if distribution.is_index(found):
            raise InvalidParameter("invalid manifest: an index where an image's manifest should be")
        return found


def _named(image: Image, tags: Sequence[str], digest: str) -> bool:
    return digest in image.digests and set(tags) <= set(image.tags)


def _checked(parsed: ImageConfig, layers: Sequence[Blob]) -> ImageConfig:
    if len(parsed.layers) != len(layers):
        raise InvalidParameter(
            f"invalid manifest, layers length mismatch: expected {len(layers)}, got {len(parsed.layers)}"
        )
    return parsed


def _check_platform(parsed: ImageConfig, wanted: Platform, name: Reference) -> None:
    """Of a manifest that stands alone, only the configuration says what it is for."""
    actual = Platform(parsed.architecture or "", parsed.os or "linux", parsed.variant or "")
    same = (actual.os, actual.architecture) == (wanted.os, wanted.architecture)
    if not same or wanted.variant not in ("", actual.variant):
        raise NotFound(
            f"image with reference {name.familiar} was found but does not match the specified platform: "
            f"wanted {distribution.written(wanted)}, actual: {distribution.written(actual)}"
        )


async def _received(
    repository: Repository, reception: Reception, parsed: ImageConfig, layers: Sequence[Blob], say: Say
) -> None:
    """Every layer that is not here yet, a few at a time."""
    missing: dict[str, Blob] = {}
    for diff_id, layer in zip(parsed.layers, layers, strict=True):
        here = reception.has(diff_id)
        say(Progress("Already exists" if here else "Pulling fs layer", _short(layer)))
        if not here:
            missing[diff_id] = layer
    turns = asyncio.Semaphore(_AT_ONCE)

    async def receive(diff_id: str, layer: Blob) -> None:
        async with turns, aclosing(repository.blob(layer)) as pieces:
            await reception.unpack(diff_id, _told(pieces, layer, say))
        say(Progress("Pull complete", _short(layer)))

    try:
        async with asyncio.TaskGroup() as group:
            for diff_id, layer in missing.items():
                group.create_task(receive(diff_id, layer))
    except* BridgeheadError as errors:
        raise _first(errors) from errors


def _first(errors: BaseExceptionGroup[BridgeheadError]) -> BridgeheadError:
    for error in errors.exceptions:
        if isinstance(error, BridgeheadError):
            return error
    return HostRefused("several layers could not be received")


async def _told(pieces: AsyncIterator[bytes], layer: Blob, say: Say) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    received, told = 0, 0.0
    async for piece in pieces:
        received += len(piece)
        if (now := loop.time()) - told >= _BETWEEN_S:
            told = now
            say(Progress("Downloading", _short(layer), received, layer.size))
        yield piece
    say(Progress("Download complete", _short(layer)))


def _short(layer: Blob) -> str:
    return layer.digest.removeprefix("sha256:")[:12]
