"""An image's own JSON as typed values: what it runs, and of which layers it is made.

Only what Bridgehead uses is declared; the text itself is kept beside it, byte for byte, since its digest is
the image's identity. Go writes `null` for whatever is empty, so every field may be None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from bridgehead.core.images.healthcheck import HealthcheckObject
from bridgehead.core.images.reference import is_digest
from bridgehead.core.model.container import Image
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.health import HealthCheck

MAXIMUM_LAYERS = 125
"""As Docker: more lower directories than this do not fit the mount options' one page."""

T = TypeVar("T")


class Process(msgspec.Struct, frozen=True, omit_defaults=True, rename="pascal"):
    """What the image's `config` object says about the process it is made for."""

    user: str | None = None
    exposed_ports: dict[str, dict[str, str]] | None = None
    env: list[str] | None = None
    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    healthcheck: HealthcheckObject | None = None
    volumes: dict[str, dict[str, str]] | None = None
    working_dir: str | None = None
    labels: dict[str, str] | None = None
    stop_signal: str | None = None
    shell: list[str] | None = None


class RootFilesystem(msgspec.Struct, frozen=True):
    type: str = "layers"
    diff_ids: list[str] | None = None


class HistoryEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    created: str | None = None
    created_by: str | None = None
    comment: str | None = None
    empty_layer: bool | None = None


class ImageConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole document, named and ordered as Docker writes it."""

    comment: str | None = None
    created: str | None = None
    config: Process | None = None
    architecture: str | None = None
    variant: str | None = None
    os: str | None = None
    rootfs: RootFilesystem | None = None
    history: list[HistoryEntry] | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(self.rootfs.diff_ids or ()) if self.rootfs else ()


@dataclass(frozen=True, slots=True)
class ImageDefaults:
    """What a container gets from its image where the user says nothing."""

    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    working_directory: str = ""
    user: str = ""
    exposed_ports: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = ""
    volumes: tuple[str, ...] = ()
    health: HealthCheck | None = None
    shell: tuple[str, ...] = ()


def decode(document: bytes | str, shape: type[T], what: str) -> T:
    """JSON into `shape`; `what` names the document in the refusal."""
    try:
        return msgspec.json.decode(document, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidParameter(f"invalid {what}: {error}") from error


def parse(document: bytes) -> ImageConfig:
    """An image's configuration, with every layer name safe to be a path.

    Raises:
        InvalidParameter: it is no image for Linux, or names layers that cannot be.
    """
    config = decode(document, ImageConfig, "image configuration")
    if (config.os or "linux") != "linux":
        raise InvalidParameter(f"cannot load {config.os} image on linux")
    for diff_id in config.layers:
        if not is_digest(diff_id):
            raise InvalidParameter(f"invalid image configuration: {diff_id!r} is no layer digest")
    if len(config.layers) > MAXIMUM_LAYERS:
        raise InvalidParameter("max depth exceeded")
    return config


def encode(config: ImageConfig) -> bytes:
    return msgspec.json.encode(config)


def defaults(image: Image) -> ImageDefaults:
    """What `image` says about its process; an image without a `config` says nothing."""
    process = decode(image.config, ImageConfig, "image configuration").config or Process()
    return ImageDefaults(
        entrypoint=None if process.entrypoint is None else tuple(process.entrypoint),
        command=tuple(process.cmd or ()),
        environment=tuple(process.env or ()),
        working_directory=process.working_dir or "",
        user=process.user or "",
        exposed_ports=tuple(process.exposed_ports or ()),
        labels=process.labels or {},
        stop_signal=process.stop_signal or "",
        volumes=tuple(process.volumes or ()),
        health=process.healthcheck.value() if process.healthcheck else None,
        shell=tuple(process.shell or ()),
    )


def stack(layers: tuple[str, ...]) -> tuple[str, ...]:
    """The layers to mount, lowest first, each once.

    The kernel refuses one directory twice in an overlay. A layer hides all that an equal one below it did,
    so of equal layers the topmost alone matters.
    """
    return tuple(reversed(dict.fromkeys(reversed(layers))))
