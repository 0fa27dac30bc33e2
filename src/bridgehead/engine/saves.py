"""`docker save`: images as an archive that every engine loads, streamed as it is made."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager

from bridgehead.core.images import reference as references
from bridgehead.core.images import saving
from bridgehead.core.images.saving import Named
from bridgehead.core.images.tar_writing import END
from bridgehead.core.model.errors import InvalidParameter, NotFound
from bridgehead.core.model.ids import ImageID
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.engine.events import EventBus
from bridgehead.engine.images import find_image
from bridgehead.engine.intent import Intent
from bridgehead.engine.storage import Images


class SaveUseCases:
    def __init__(self, intent: Intent, store: Images, events: EventBus) -> None:
        self._intent = intent
        self._store = store
        self._events = events

    async def save(self, names: Sequence[str]) -> AsyncGenerator[bytes]:
        """The archive, piece by piece.

        Raises:
            NotFound, InvalidParameter: before the first piece, if a name is that of no image.
            HostRefused: a layer cannot be written.
        """
        images = _named(self._intent.snapshot, names)
        layers = list(dict.fromkeys(layer for item in images for layer in saving.layers(item.image)))
        with held(self._store, layers):
            sizes = {layer: await self._store.archives.length(layer) for layer in layers}
            yield saving.folders()
            for layer in layers:
                before, after = saving.layer_frame(layer, sizes[layer])
                yield before
                async with aclosing(self._store.archives.archive(layer)) as pieces:
                    async for piece in pieces:
                        yield piece
                yield after
            for path, content in saving.documents(images, sizes):
                yield saving.file(path, content)
            yield END
        for item in images:
            self._events.image(item.image.id, "save", item.image.id)


@contextmanager
def held(store: Images, layers: Sequence[str]) -> Iterator[None]:
    """No layer goes meanwhile, also if its image is removed."""
    for layer in layers:
        store.hold(layer)
    try:
        yield
    finally:
        store.let_go(layers)


def _named(snapshot: Snapshot, names: Sequence[str]) -> list[Named]:
    """Each image once; a name without a tag means all tags of its repository."""
    if not names:
        raise InvalidParameter("no image is named: which should be saved?")
    found: dict[ImageID, dict[str, None]] = {}
    for name in names:
        if tags := _of_repository(snapshot, name):
            for identifier, tag in tags:
                found.setdefault(identifier, {})[tag] = None
            continue
        image = find_image(snapshot, name)
        found.setdefault(image.id, {}).update({tag: None for tag in image.tags if _is_named(tag, name)})
    return [Named(snapshot.images[identifier], tuple(tags)) for identifier, tags in found.items()]


def _of_repository(snapshot: Snapshot, name: str) -> list[tuple[ImageID, str]]:
    try:
        wanted = references.parse(name)
    except InvalidParameter:
        return []
    if wanted.tag or wanted.digest:
        return []
    tagged = ((image.id, tag) for image in snapshot.images.values() for tag in image.tags)
    return [(identifier, tag) for identifier, tag in tagged if tag.rpartition(":")[0] == wanted.repository]


def _is_named(tag: str, name: str) -> bool:
    try:
        return references.normalise(name) == tag
    except (InvalidParameter, NotFound):
        return False
