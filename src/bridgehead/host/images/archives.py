"""Layers on their way out: the archives they once came as, and what registries call them."""

import asyncio
import errno
import os
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

from bridgehead.core.images.distribution import Blob
from bridgehead.core.images.reference import is_digest
from bridgehead.core.model.errors import HostRefused
from bridgehead.host.images import child, recipe

_ASSEMBLE = "bridgehead.host.images.assemble"
_BLOB = "trusted.bridgehead.blob"


class LayerArchives:
    """Fits `engine.world.Archives`."""

    def __init__(self, layers: Path, recipes: Path) -> None:
        self._layers = layers
        self._recipes = recipes

    async def length(self, diff_id: str) -> int:
        return await asyncio.to_thread(self._length, diff_id)

    def archive(self, diff_id: str, *, packed: bool = False) -> AsyncGenerator[bytes]:
        folder, notes = self._paths(diff_id)
        words = ("gzip",) if packed else ()
        return child.telling_slowly(_ASSEMBLE, str(folder), str(notes), diff_id, *words)

    def known(self, diff_id: str) -> Blob | None:
        try:
            digest, size, media_type = os.getxattr(self._paths(diff_id)[0], _BLOB).decode().split(" ")
            return Blob(digest, int(size), media_type) if is_digest(digest) else None
        except (OSError, ValueError):
            return None

    def remember(self, diff_id: str, blob: Blob) -> None:
        """Forgotten with the layer; to forget it costs only time."""
        text = f"{blob.digest} {blob.size} {blob.media_type}"
        with suppress(OSError):
            os.setxattr(self._paths(diff_id)[0], _BLOB, text.encode())

    def _length(self, diff_id: str) -> int:
        try:
            with self._paths(diff_id)[1].open("rb") as file:
                if not os.fstat(file.fileno()).st_size:
                    raise HostRefused(
                        f"layer {diff_id} cannot be written again: its archive named one file twice"
                    )
                return recipe.length(file)
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise HostRefused(
                    f"layer {diff_id} cannot be written again: it was stored by an earlier version; "
                    "load or pull its image once more"
                ) from None
            raise HostRefused(f"cannot read layer {diff_id}: {error}") from error

    def _paths(self, diff_id: str) -> tuple[Path, Path]:
        name = diff_id.removeprefix("sha256:")
        return self._layers / name, self._recipes / name
