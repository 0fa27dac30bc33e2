"""Images as lists, inspect and history show them, out of the image's own configuration."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from bridgehead.api.wire.moment import SECOND, since_epoch
from bridgehead.core.images.config import HistoryEntry, ImageConfig
from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Image
from bridgehead.core.model.ids import ImageID

_ZERO_TIME = "0001-01-01T00:00:00Z"


class Runnable(msgspec.Struct, rename="pascal"):
    """The part of a configuration that says what a container of this image runs."""

    cmd: list[str] | None = None
    entrypoint: list[str] | None = None
    labels: dict[str, str] | None = None


class Configuration(NamedTuple):
    """What is shown of it. It comes from strangers: what has another type than it should counts as unsaid."""

    architecture: str
    os: str
    variant: str
    author: str
    comment: str
    docker_version: str
    container: str
    container_config: dict[str, Any]
    config: dict[str, Any]  # shown again as it is
    history: tuple[HistoryEntry, ...]
    diff_ids: tuple[str, ...]


def configuration(image: Image) -> Configuration:
    checked = msgspec.json.decode(image.config, type=ImageConfig)
    said = msgspec.json.decode(image.config, type=dict[str, Any])
    texts = {key: value for key, value in said.items() if isinstance(value, str)}
    objects = {key: value for key, value in said.items() if isinstance(value, dict)}
    return Configuration(
        architecture=texts.get("architecture", ""),
        os=texts.get("os", "linux"),
        variant=texts.get("variant", ""),
        author=texts.get("author", ""),
        comment=texts.get("comment", ""),
        docker_version=texts.get("docker_version", ""),
        container=texts.get("container", ""),
        container_config=objects.get("container_config", {}),
        config=objects.get("config", {}),
        history=tuple(checked.history or ()),
        diff_ids=checked.layers,
    )


def runnable(image: Image) -> Runnable:
    return msgspec.convert(configuration(image).config, Runnable, strict=False)


def labels(image: Image) -> dict[str, str]:
    return runnable(image).labels or {}


def show(image: Image, containers: int, shared: int = -1) -> dict[str, object]:
    """As a list shows it; `containers` counts those made from it, `shared` is -1 where nobody asked."""
    return {
        "Id": image.id,
        "ParentId": image.parent,
        "RepoTags": list(image.tags),
        "RepoDigests": list(image.digests),
        "Created": since_epoch(image.created) // SECOND,
        "Size": image.size,
        "SharedSize": shared,
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
        "Comment": found.comment or (found.history[-1].comment if found.history else "") or "",
        "Created": image.created,
        "DockerVersion": found.docker_version,
        "Author": found.author,
        "Container": found.container,
        "ContainerConfig": found.container_config,
        "Config": found.config,
        "Architecture": found.architecture,
        "Variant": found.variant,
        "Os": found.os,
        "Size": image.size,
        "VirtualSize": image.size,
        "GraphDriver": {
            "Name": "overlay2",
            "Data": {"LowerDir": ":".join(layout.layer(layer) for layer in reversed(image.layers))},
        },
        "RootFS": {"Type": "layers", "Layers": _diff_ids(found, image)},
        "Metadata": {"LastTagTime": _ZERO_TIME},
    }


def shared_sizes(images: Iterable[Image], sizes: Mapping[str, int]) -> dict[ImageID, int]:
    """Of each image, the bytes of those layers that others have too."""
    images = list(images)
    owners = Counter(layer for image in images for layer in image.layers)
    return {
        image.id: sum(sizes.get(layer, 0) for layer in image.layers if owners[layer] > 1) for image in images
    }


def show_history(image: Image, layer_sizes: Mapping[str, int]) -> list[dict[str, object]]:
    """Newest first, each step with what its layer holds; one size where history and layers do not fit."""
    found = configuration(image)
    steps = list(reversed(found.history or [HistoryEntry(created=image.created)]))
    indexes = [index for index, step in enumerate(steps) if not step.empty_layer]
    layers = list(reversed(_diff_ids(found, image)))
    fits = len(indexes) == len(layers)
    sizes = {index: layer_sizes.get(layer, 0) for index, layer in zip(indexes, layers, strict=fits)}
    sizes = sizes if fits else {0: image.size}
    return [
        {
            "Id": image.id if index == 0 else "<missing>",
            "Created": since_epoch(step.created or image.created) // SECOND,
            "CreatedBy": step.created_by or "",
            "Tags": list(image.tags) or None if index == 0 else None,
            "Size": sizes.get(index, 0),
            "Comment": step.comment or "",
        }
        for index, step in enumerate(steps)
    ]


def _diff_ids(found: Configuration, image: Image) -> list[str]:
    """As the configuration has them: a layer that is there twice is listed twice."""
    return list(found.diff_ids or image.layers)
