"""What loading an archive gives: one image, tagged as the archive named it."""

from dataclasses import dataclass

from bridgehead.core.model.container import Image


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """`image.tags` are those the archive named."""

    image: Image
