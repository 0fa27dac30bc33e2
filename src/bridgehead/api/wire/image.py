"""Images as lists, inspect and history show them, out of the image's own configuration."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from bridgehead.api.wire.moment import SECOND, since_epoch
from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Image
from bridgehead.core.model.ids import ImageID

_ZERO_TIME = "0001-01-01T00:00:00Z"


class Runnable(msgspec.Struct, rename="pascal"):
    """The part of a configuration that says what a container of this image runs."""

    cmd: list[str] | None = None
    entrypoint: list[str] | None = None
    labels: dict[str, str] | None = None


class History(msgspec.Struct):
    created: str = ""
    created_by: str = ""
    comment: str = ""
    empty_layer: bool = False


class Configuration(msgspec.Struct):
    architecture: str = ""
    os: str = "linux"
    variant: str = ""
    author: str = ""
    comment: str = ""
    docker_version: str = ""
    container: str = ""
    container_config: dict[str, Any] | None = None
    config: dict[str, Any] | None = None  # shown again as it is
    history: list[History] | None = None


def configuration(image: Image) -> Configuration:
    return msgspec.json.decode(image.config, type=Configuration, strict=False)


def runnable(image: Image) -> Runnable:
    return msgspec.convert(configuration(image).config or {}, Runnable, strict=False)


def labels(image: Image) -> dict[str, str]:
    return runnable(image).labels or {}


def show(image: Image, containers: int) -> dict[str, object]:
    """As a list shows it; `containers` counts those made from it."""
    return {
        "Id": image.id,
        "ParentId": image.parent,
        "RepoTags": list(image.tags),
        "RepoDigests": list(image.digests),
        "Created": since_epoch(image.created) // SECOND,
        "Size": image.size,
        "SharedSize": -1,
        "VirtualSize": image.size,
        "Labels": labels(image),
        "Containers": containers,
    }


def show_whole(image: Image, layout: Layout) -> dict[str, object]:
    found = configuration(image)
    return {
        "Id": image.id,
        "RepoTags": list(image.tags),
        "RepoDigests": list(image.digests),
        "Parent": image.parent,
        "Comment": found.comment or (found.history[-1].comment if found.history else ""),
        "Created": image.created,
        "DockerVersion": found.docker_version,
        "Author": found.author,
        "Container": found.container,
        "ContainerConfig": found.container_config or {},
        "Config": found.config or {},
        "Architecture": found.architecture,
        "Variant": found.variant,
        "Os": found.os,
        "Size": image.size,
        "VirtualSize": image.size,
        "GraphDriver": {
            "Name": "overlay2",
            "Data": {"LowerDir": ":".join(layout.layer(layer) for layer in reversed(image.layers))},
        },
        "RootFS": {"Type": "layers", "Layers": list(image.layers)},
        "Metadata": {"LastTagTime": _ZERO_TIME},
    }


def show_history(image: Image, images: Mapping[ImageID, Image]) -> list[dict[str, object]]:
    """Newest first. Sizes are known of whole images only, so the layers that came with one share one line."""
    steps = list(reversed(configuration(image).history or [History(created=image.created)]))
    layers = (index for index, step in enumerate(steps) if not step.empty_layer)
    sizes = dict(zip(layers, _additions(image, images), strict=False)) or {0: image.size}
    return [
        {
            "Id": image.id if index == 0 else "<missing>",
            "Created": since_epoch(step.created or image.created) // SECOND,
            "CreatedBy": step.created_by,
            "Tags": list(image.tags) or None if index == 0 else None,
            "Size": sizes.get(index, 0),
            "Comment": step.comment,
        }
        for index, step in enumerate(steps)
    ]


def _additions(image: Image, images: Mapping[ImageID, Image]) -> Iterator[int]:
    """What the image itself, then those it was made on, brought to it; nothing for one without a layer."""
    while parent := images.get(ImageID(image.parent)):
        if image.layers != parent.layers:
            yield image.size - parent.size
        image = parent
    yield image.size
