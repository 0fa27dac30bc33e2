"""Images as lists, inspect and history show them, out of the image's own configuration."""

from typing import Any

import msgspec

from bridgehead.api.wire.moment import SECOND, since_epoch
from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Image

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
        "RepoDigests": [],
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
        "RepoDigests": [],
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


def show_history(image: Image) -> list[dict[str, object]]:
    """Newest first. Sizes are known only of the image as a whole, so its newest layer bears them."""
    steps = list(reversed(configuration(image).history or [History(created=image.created)]))
    newest = next((index for index, step in enumerate(steps) if not step.empty_layer), 0)
    return [
        {
            "Id": image.id if index == 0 else "<missing>",
            "Created": since_epoch(step.created or image.created) // SECOND,
            "CreatedBy": step.created_by,
            "Tags": list(image.tags) or None if index == 0 else None,
            "Size": image.size if index == newest else 0,
            "Comment": step.comment,
        }
        for index, step in enumerate(steps)
    ]
