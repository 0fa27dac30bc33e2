"""The tables of contents of image archives, as typed values.

`docker save` writes `manifest.json`; the OCI layout writes `index.json`, which points to manifests by
digest. Both end in the same thing: a `Listing` of one configuration, its layers and its names.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from bridgehead.core.images import reference
from bridgehead.core.images.config import decode
from bridgehead.core.model.errors import InvalidParameter

MAXIMUM_DOCUMENT = 4 << 20
"""Bytes of any JSON document in an archive; registries draw the same line."""

DOCKER_MANIFEST = "manifest.json"
OCI_INDEX = "index.json"

_NAME = "io.containerd.image.name"
_REFERENCE_NAME = "org.opencontainers.image.ref.name"
_INDEX_TYPE = re.compile(
    r"application/vnd\.(oci\.image\.index|docker\.distribution\.manifest\.list)\.v[12]\+json"
)
_MANIFEST_TYPE = re.compile(r"application/vnd\.(oci\.image|docker\.distribution)\.manifest\.v[12]\+json")


@dataclass(frozen=True, slots=True)
class Listing:
    """Paths inside the archive; layers lowest first. `config_digest` '' where the format promises none."""

    config: str
    layers: tuple[str, ...]
    tags: tuple[str, ...] = ()
    config_digest: str = ""


class _DockerEntry(
    msgspec.Struct, frozen=True, rename={"config": "Config", "tags": "RepoTags", "layers": "Layers"}
):
    config: str
    layers: list[str] | None = None
    tags: list[str] | None = None


class Platform(msgspec.Struct, frozen=True):
    architecture: str = ""
    os: str = ""
    variant: str = ""


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    digest: str
    media_type: str = ""
    size: int = 0
    platform: Platform | None = None
    annotations: dict[str, str] | None = None

    @property
    def path(self) -> str:
        if not reference.is_digest(self.digest):
            raise InvalidParameter(f"invalid image layout: unsupported digest {self.digest!r}")
        return f"blobs/sha256/{self.digest.removeprefix('sha256:')}"

    @property
    def is_index(self) -> bool:
        return bool(_INDEX_TYPE.fullmatch(self.media_type))

    @property
    def is_manifest(self) -> bool:
        return bool(_MANIFEST_TYPE.fullmatch(self.media_type))

    @property
    def tags(self) -> tuple[str, ...]:
        """The full name containerd notes; the layout's own name only if it is more than a bare tag."""
        annotations = self.annotations or {}
        name = annotations.get(_NAME) or annotations.get(_REFERENCE_NAME, "")
        is_bare_tag = _NAME not in annotations and not any(mark in name for mark in ":/")
        return () if is_bare_tag else (reference.tag_name(name),)

    def runs_on(self, architecture: str) -> bool:
        """Attestations name the platform `unknown`; a descriptor without platform suits every machine."""
        return self.platform is None or (self.platform.os, self.platform.architecture) == (
            "linux",
            architecture,
        )


class _Index(msgspec.Struct, frozen=True):
    manifests: list[Descriptor] | None = None


class _Manifest(msgspec.Struct, frozen=True):
    config: Descriptor
    layers: list[Descriptor] | None = None


def docker_listings(document: bytes) -> list[Listing]:
    """The images of a `docker save` archive.

    Raises:
        InvalidParameter: it is no such manifest, or a tag in it is no image name.
    """
    entries = decode(document, list[_DockerEntry], DOCKER_MANIFEST)
    return [
        Listing(entry.config, tuple(entry.layers or ()), tuple(map(reference.tag_name, entry.tags or ())))
        for entry in entries
    ]


def index(document: bytes) -> list[Descriptor]:
    return list(decode(document, _Index, "image index").manifests or ())


def oci_listing(document: bytes, tags: Iterable[str]) -> Listing:
    manifest = decode(document, _Manifest, "image manifest")
    return Listing(
        config=manifest.config.path,
        layers=tuple(layer.path for layer in manifest.layers or ()),
        tags=tuple(tags),
        config_digest=manifest.config.digest,
    )
