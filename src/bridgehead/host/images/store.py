"""`LayerStore`: the layer folders of a machine, and the only code that adds to them or takes from them."""

import asyncio
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from bridgehead.core.images import changes as instructions
from bridgehead.core.images import config
from bridgehead.core.images.config import HistoryEntry, ImageConfig, Process, RootFilesystem
from bridgehead.core.images.loaded import LoadedImage
from bridgehead.core.model.container import Image
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.model.ids import ImageID
from bridgehead.host.images import archive as archives
from bridgehead.host.images import child, staging
from bridgehead.host.images.archives import LayerArchives
from bridgehead.host.images.contents import Content, architecture, contents
from bridgehead.host.images.staging import Staging
from bridgehead.host.images.unpack import SIZE_ATTRIBUTE


class LayerStore:
    """Fits `engine.world.Images`. Calls may overlap in several threads.

    A layer handed out is not yet in the caller's records; until a sweep has been told to keep it once, no
    sweep takes it.
    """

    def __init__(self, layers: str) -> None:
        self._layers = Path(layers)
        self._recipes = self._layers.with_name("recipes")
        self.archives = LayerArchives(self._layers, self._recipes)
        self._lock = threading.Lock()
        self._handed_out: set[str] = set()
        self._held: Counter[str] = Counter()
        self._staging_folders: set[str] = set()

    @property
    def architecture(self) -> str:
        return architecture()

    def import_tar(self, archive: BinaryIO, *, changes: Sequence[str], message: str) -> Image:
        """An image of one layer, made of a root file system's archive."""
        process = instructions.applied(Process(), changes)
        with self._staged() as stage:
            diff_id = stage.unpack(child.pieces(archive))
            self._claim(diff_id)
            stage.commit()
            imported = _imported(process, diff_id, message)
            return self._image(Content(config.encode(imported), imported))

    def load(self, archive: BinaryIO) -> list[LoadedImage]:
        """Every image of an archive, all or none; layers that are here already are not unpacked again."""
        with self._staged() as stage, archives.opened(archive, stage.folder) as opened:
            found = contents(opened)
            for diff_id, path in _first_paths(found).items():
                if not self._claim(diff_id):
                    stage.unpack(opened.pieces(path), expected=diff_id)
            stage.commit()
            return [LoadedImage(self._image(content)) for content in _united(found)]

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
        folders = [str(self._folder(layer)) for layer in reversed(below)]
        paths = b"\0".join(map(os.fsencode, mounted))
        packed = child.telling("bridgehead.host.images.pack", upper, *folders, content=paths)
        with self._staged() as stage, packed as archive:
            diff_id = stage.unpack(archive)
            text = document(diff_id)
            made = config.parse(text)
            if diff_id in made.layers:
                self._claim(diff_id)
                stage.commit()
            return self._image(Content(text, made))

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator["Reception"]:
        """An image that comes layer by layer. Until the end no sweep takes a layer it asked for."""
        with ExitStack() as held:
            stage = await asyncio.to_thread(held.enter_context, self._staged())
            reception = Reception(self, stage)
            try:
                yield reception
            except OSError as error:
                raise HostRefused(f"cannot store the image: {error}") from error
            finally:
                self.let_go(reception.held)
                await asyncio.to_thread(held.close)

    def hold(self, diff_id: str) -> bool:
        """Whether the layer is here; no sweep takes it, or it once it has come, before it is let go."""
        with self._lock:
            self._held[diff_id] += 1
            return self._is_whole(diff_id)

    def let_go(self, diff_ids: Iterable[str]) -> None:
        with self._lock:
            self._held -= Counter(diff_ids)

    def image(self, document: bytes) -> Image:
        """The image of a configuration whose layers are all here."""
        return self._image(Content(document, config.parse(document)))

    def recorded(self, layers: Iterable[str]) -> None:
        """A record names these layers now: from here on a sweep that is not told to keep them takes them."""
        with self._lock:
            self._handed_out.difference_update(layers)

    def sizes(self, layers: Iterable[str]) -> dict[str, int]:
        """Bytes of the files of each layer that is here."""
        return {layer: self._size(layer) for layer in layers if self._folder(layer).is_dir()}

    def sweep(self, keep: Iterable[str]) -> None:
        """Remove layer folders whose diff id is not in `keep`, and anything half-made."""
        with self._lock:
            spared = self._spared(frozenset(keep))
            doomed = [self._set_aside(folder) for folder in _others(self._layers, spared)]
            for recipe in _others(self._recipes, spared):
                recipe.unlink()
        for folder in doomed:
            staging.remove(folder)

    def _spared(self, keep: frozenset[str]) -> set[str]:
        self._handed_out -= keep
        spared = {diff_id.removeprefix("sha256:") for diff_id in keep | self._handed_out | self._held.keys()}
        return spared | self._staging_folders

    def _set_aside(self, folder: Path) -> Path:
        """A folder half removed must not pass for a layer."""
        return folder if folder.name.startswith(staging.PREFIX) else folder.rename(self._temporary())

    def _temporary(self) -> Path:
        return Path(tempfile.mkdtemp(prefix=staging.PREFIX, dir=self._layers))

    def _claim(self, diff_id: str) -> bool:
        """Whether the layer is here; it is handed out from now on."""
        with self._lock:
            self._handed_out.add(diff_id)
            return self._is_whole(diff_id)

    def _is_whole(self, diff_id: str) -> bool:
        """Layers of versions before recipes are unpacked once more, to have one; the folder stays."""
        return self._folder(diff_id).is_dir() and self._recipe(diff_id).exists()

    def _recipe(self, diff_id: str) -> Path:
        return self._recipes / diff_id.removeprefix("sha256:")

    def _folder(self, diff_id: str) -> Path:
        return self._layers / diff_id.removeprefix("sha256:")

    @contextmanager
    def _staged(self) -> Iterator[Staging]:
        try:
            folder = self._new_staging_folder()
            try:
                yield Staging(self._layers, self._recipes, folder)
            finally:
                with suppress(HostRefused):  # the next sweep tries again
                    staging.remove(folder)
                with self._lock:
                    self._staging_folders.discard(folder.name)
        except OSError as error:
            raise HostRefused(f"cannot store the image: {error}") from error

    def _new_staging_folder(self) -> Path:
        with self._lock:
            # Closed to others: layers hold setuid programs that only containers should run.
            self._layers.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._recipes.mkdir(mode=0o700, exist_ok=True)
            folder = self._temporary()
            self._staging_folders.add(folder.name)
            return folder

    def _image(self, content: Content) -> Image:
        layers = config.stack(content.config.layers)
        return Image(
            id=ImageID(content.id),
            layers=layers,
            tags=content.tags,
            created=content.config.created or "",
            size=sum(self._size(diff_id) for diff_id in layers),
            config=content.document.decode(),
        )

    def _size(self, diff_id: str) -> int:
        return int(os.getxattr(self._folder(diff_id), SIZE_ATTRIBUTE))


def _others(folder: Path, spared: set[str]) -> list[Path]:
    return [path for path in folder.iterdir() if path.name not in spared] if folder.is_dir() else []


class Reception:
    """Fits `engine.world.Reception`."""

    def __init__(self, store: LayerStore, stage: Staging) -> None:
        self.held: list[str] = []
        self._store = store
        self._stage = stage

    def has(self, diff_id: str) -> bool:
        self.held.append(diff_id)
        return self._store.hold(diff_id)

    async def unpack(self, diff_id: str, content: AsyncIterator[bytes]) -> None:
        await self._stage.receive(content, diff_id)

    async def finish(self, document: bytes) -> Image:
        await asyncio.to_thread(self._stage.commit)
        return self._store.image(document)


def _first_paths(found: Iterable[Content]) -> dict[str, str]:
    """Each layer once, whichever images share it."""
    paths: dict[str, str] = {}
    for content in found:
        for diff_id, path in zip(content.config.layers, content.paths, strict=True):
            paths.setdefault(diff_id, path)
    return paths


def _united(found: Iterable[Content]) -> list[Content]:
    """Entries of one image as one entry with all its tags."""
    images: dict[str, Content] = {}
    for content in found:
        earlier = images.get(content.id)
        tags = dict.fromkeys((*(earlier.tags if earlier else ()), *content.tags))
        images[content.id] = replace(content, tags=tuple(tags))
    return list(images.values())


def _imported(process: Process, diff_id: str, message: str) -> ImageConfig:
    nanoseconds = time.time_ns()
    second = datetime.fromtimestamp(nanoseconds // 10**9, UTC)
    created = f"{second:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 10**9:09d}Z"
    comment = message or "Imported from -"
    return ImageConfig(
        comment=comment,
        created=created,
        config=process,
        architecture=architecture(),
        os="linux",
        rootfs=RootFilesystem(diff_ids=[diff_id]),
        history=[HistoryEntry(created=created, comment=comment)],
    )
