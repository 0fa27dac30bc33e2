"""Images: records in the snapshot, layers in the layer store; a tag belongs to one image at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import BinaryIO

from bridgehead.core.images import reference as references
from bridgehead.core.model.container import Image
from bridgehead.core.model.errors import Conflict, InvalidParameter, NotFound
from bridgehead.core.model.ids import ImageID, short
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.storage import Images
from bridgehead.engine.tasks import Tasks, to_the_end


class ImageUseCases:
    def __init__(self, intent: Intent, store: Images, events: EventBus, tasks: Tasks) -> None:
        self.tasks = tasks
        self._intent = intent
        self._store = store
        self._events = events
        # Layers are unpacked before their record is committed; a sweep between the two would take them away.
        self._unpacking = asyncio.Lock()

    def find(self, reference: str) -> Image:
        return find_image(self._intent.snapshot, reference)

    async def layer_sizes(self) -> dict[str, int]:
        """Bytes of every layer of every image, each once."""
        return await asyncio.to_thread(self._store.sizes, layers_in_use(self._intent.snapshot))

    @to_the_end
    async def import_tar(self, archive: BinaryIO, *, tag: str, changes: Sequence[str], message: str) -> Image:
        name = references.tag_name(tag) if tag else ""
        async with self._unpacking:
            image = await asyncio.to_thread(self._store.import_tar, archive, changes=changes, message=message)
            image = self._keep(image, [name] if name else [])
        if name:
            self._events.image(image.id, "tag", tag)
        self._events.image(image.id, "import", image.id)
        return image

    @to_the_end
    async def load(self, archive: BinaryIO) -> list[Image]:
        async with self._unpacking:
            loaded = await asyncio.to_thread(self._store.load, archive)
            images = [self._keep(item.image, list(item.image.tags)) for item in loaded]
        for image in images:
            self._events.image(image.id, "load", image.id)
        return images

    async def tag(self, reference: str, tag: str) -> None:
        image = self.find(reference)
        name = references.tag_name(tag)
        self._intent.commit(_tagged(self._intent.snapshot, image, [name]))
        self._events.image(image.id, "tag", name)

    @to_the_end
    async def remove(self, reference: str, *, force: bool) -> list[tuple[str, str]]:
        snapshot = self._intent.snapshot
        image = self.find(reference)
        name = _named(image, reference)
        gone = _untagged_with(image, name) if name else ()
        if name and len(gone) < len(image.tags) + len(image.digests):
            self._intent.commit(snapshot.put(_without(image, gone)))
            self._events.image(image.id, "untag", image.id)
            return [("Untagged", text) for text in gone]
        _check_unused(snapshot, image, reference, force=force, by_id=not name)
        self._intent.commit(snapshot.drop(image))
        async with self._unpacking:
            await asyncio.to_thread(self._store.sweep, layers_in_use(self._intent.snapshot))
        names = (*image.tags, *image.digests)
        for _ in names[:1] if name else names:
            self._events.image(image.id, "untag", image.id)
        self._events.image(image.id, "delete", image.id)
        return [*(("Untagged", text) for text in names), ("Deleted", image.id)]

    async def adopt(self, make: Callable[[], Awaitable[Image]], tags: list[str]) -> Image:
        """The image that `make` gives, kept before a sweep can take its layers."""
        async with self._unpacking:
            return self._keep(await make(), tags)

    def record(self, image: Image, *, tags: Sequence[str], digests: Sequence[str]) -> Image:
        """Keep an image that came from a registry, whose layers are held meanwhile."""
        kept = self._keep(image, list(tags))
        united = tuple(dict.fromkeys((*kept.digests, *digests)))
        if united != kept.digests:
            self._intent.commit(self._intent.snapshot.put(replace(kept, digests=united)))
        return self._intent.snapshot.images[image.id]

    def _keep(self, image: Image, tags: list[str]) -> Image:
        snapshot = self._intent.snapshot
        known = snapshot.images.get(image.id)
        image = known or replace(image, tags=())
        self._intent.commit(_tagged(snapshot.put(image), image, tags))
        self._store.recorded(image.layers)
        return self._intent.snapshot.images[image.id]


def find_image(snapshot: Snapshot, reference: str) -> Image:
    """By tag, full id, or unambiguous id prefix.

    Raises:
        NotFound, InvalidParameter.
    """
    digits = reference.removeprefix("sha256:")
    if found := snapshot.images.get(ImageID(f"sha256:{digits}")):
        return found
    try:
        name = references.normalise(reference)
    except InvalidParameter:
        if not reference.startswith("sha256:"):
            raise
        name = ""
    for image in snapshot.images.values():
        if name and (name in image.tags or name in image.digests):
            return image
    matches = [image for image in snapshot.images.values() if digits and _hex(image.id).startswith(digits)]
    if len(matches) > 1:
        raise InvalidParameter(f"image reference {reference} is ambiguous")
    if not matches:
        raise NotFound(f"No such image: {name or reference}")
    return matches[0]


def layers_in_use(snapshot: Snapshot) -> set[str]:
    return {layer for image in snapshot.images.values() for layer in image.layers}


def _hex(identifier: ImageID) -> str:
    return identifier.removeprefix("sha256:")


def _named(image: Image, reference: str) -> str:
    """The tag or digest by which the image was named; '' if that was its id."""
    try:
        name = references.normalise(reference)
    except InvalidParameter:
        return ""
    return name if name in image.tags or name in image.digests else ""


def _untagged_with(image: Image, name: str) -> tuple[str, ...]:
    """What goes with `name`: where it was a repository's last tag, the digests known from there go too."""
    if name in image.digests:
        return (name,)
    repository = _repository(name)
    if any(_repository(tag) == repository for tag in image.tags if tag != name):
        return (name,)
    return (name, *(digest for digest in image.digests if _repository(digest) == repository))


def _repository(name: str) -> str:
    return references.parse(name).repository


def _without(image: Image, names: Collection[str]) -> Image:
    return replace(
        image,
        tags=tuple(tag for tag in image.tags if tag not in names),
        digests=tuple(digest for digest in image.digests if digest not in names),
    )


def _tagged(snapshot: Snapshot, image: Image, tags: Sequence[str]) -> Snapshot:
    for tag in tags:
        for other in snapshot.images.values():
            if tag in other.tags and other.id != image.id:
                snapshot = snapshot.put(_without(other, (tag,)))
        present = snapshot.images[image.id]
        if tag not in present.tags:
            snapshot = snapshot.put(replace(present, tags=(*present.tags, tag)))
    return snapshot


def _check_unused(snapshot: Snapshot, image: Image, reference: str, *, force: bool, by_id: bool) -> None:
    if by_id and len(image.tags) > 1 and not force:
        raise Conflict(
            f"conflict: unable to delete {short(image.id)} (must be forced) - image is referenced in "
            f"multiple repositories: {', '.join(image.tags)}"
        )
    for container in snapshot.containers.values():
        if container.image == image.id:
            state = "cannot be forced" if container.state.status.has_process else "remove it first"
            raise Conflict(
                f'conflict: unable to remove repository reference "{reference}" ({state}) - container '
                f"{short(container.id)} ({container.name}) is using its referenced image {short(image.id)}"
            )
