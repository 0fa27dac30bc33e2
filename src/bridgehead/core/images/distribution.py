"""What registries and we say to each other: manifests, platforms, and who may ask for what."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from bridgehead.core.images import manifest
from bridgehead.core.images.config import MAXIMUM_LAYERS, decode
from bridgehead.core.images.manifest import Descriptor, Platform
from bridgehead.core.images.reference import Reference, is_digest
from bridgehead.core.model.errors import InvalidParameter, NotFound

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
MANIFESTS = (DOCKER_MANIFEST, OCI_MANIFEST)
INDEXES = (DOCKER_LIST, OCI_INDEX)

DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

MAXIMUM_LAYER = 64 << 30
"""Compressed bytes of one layer: no more than we would unpack."""

_PARAMETER = re.compile(r'([a-zA-Z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client says of itself to a registry; every part may be ''. Never to be logged."""

    username: str = ""
    password: str = ""
    identity_token: str = ""
    registry_token: str = ""
    server: str = ""

    def __repr__(self) -> str:
        return f"Credentials({self.username or 'nobody'})"


@dataclass(frozen=True, slots=True)
class Pull:
    """`platform` as `--platform` has it, '' for this machine's. `name` without tag and digest: every tag."""

    name: Reference
    platform: str = ""
    credentials: Credentials = Credentials()


@dataclass(frozen=True, slots=True)
class Push:
    """`name` without a tag: every tag of the repository."""

    name: Reference
    credentials: Credentials = Credentials()


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest or an index as a registry gave it; `digest` was computed of `content`."""

    media_type: str
    content: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class Described:
    """What a registry has under a name, and the platforms it suits."""

    document: Document
    platforms: tuple[Platform, ...]


@dataclass(frozen=True, slots=True)
class Blob:
    digest: str
    size: int
    media_type: str = DOCKER_LAYER


@dataclass(frozen=True, slots=True)
class Contents:
    """What a manifest names: the configuration, and the layers lowest first."""

    config: Blob
    layers: tuple[Blob, ...]


class _Manifest(msgspec.Struct, frozen=True, rename="camel"):
    config: Descriptor | None = None
    layers: list[Descriptor] | None = None
    media_type: str = ""
    schema_version: int = 0


class _Kind(msgspec.Struct, frozen=True, rename="camel"):
    media_type: str = ""
    manifests: list[msgspec.Raw] | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry answered with its 401: `scheme` bearer or basic, and how to satisfy it."""

    scheme: str
    parameters: Mapping[str, str]


def challenges(headers: Sequence[str]) -> list[Challenge]:
    """Of every `WWW-Authenticate` header, the one it holds."""
    found = []
    for header in headers:
        scheme, _, rest = header.strip().partition(" ")
        parameters = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
        found.append(Challenge(scheme.lower(), parameters))
    return found


def is_index(document: Document) -> bool:
    """By its media type, or, where a registry names none that we know, by what is in it."""
    if document.media_type in (*INDEXES, *MANIFESTS):
        return document.media_type in INDEXES
    return bool(decode(document.content, _Kind, "manifest").manifests)


def platform(text: str, architecture: str) -> Platform:
    """`os[/architecture[/variant]]` as `--platform` has it; '' is this machine.

    Raises:
        InvalidParameter: it is none, or none that Linux runs.
    """
    if not text:
        return Platform(architecture, "linux")
    words = text.lower().split("/")
    if len(words) > 3 or not all(re.fullmatch(r"[a-z0-9_.-]+", word) for word in words):
        raise InvalidParameter(f'"{text}": unknown operating system or architecture: invalid argument')
    if len(words) == 1 and words[0] != "linux":
        words = ["linux", words[0]]
    system, machine, variant = (*words, "", "")[:3]
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    return Platform(machine or architecture, system, variant)


def written(wanted: Platform) -> str:
    return "/".join(filter(None, (wanted.os, wanted.architecture, wanted.variant)))


def chosen(document: Document, wanted: Platform) -> Descriptor:
    """The first manifest of an index that fits; a variant matters only if one was asked for.

    Raises:
        NotFound: there is none.
    """
    fitting = [item for item in manifest.index(document.content) if _fits(item, wanted)]
    if not fitting:
        raise NotFound(f"no matching manifest for {written(wanted)} in the manifest list entries")
    return fitting[0]


def _fits(item: Descriptor, wanted: Platform) -> bool:
    offered = item.platform
    if offered is None or item.is_index or not is_digest(item.digest):
        return False
    same = (offered.os, offered.architecture) == (wanted.os, wanted.architecture)
    return same and wanted.variant in ("", offered.variant)


def platforms(document: Document) -> list[Platform]:
    found = [item.platform for item in manifest.index(document.content)]
    return [item for item in found if item is not None and item.os != "unknown"]


def contents(document: Document) -> Contents:
    """
    Raises:
        InvalidParameter: it is no manifest of an image that we can unpack.
    """
    parsed = decode(document.content, _Manifest, "manifest")
    if parsed.schema_version == 1:
        raise InvalidParameter(
            "the registry has this image in Docker's first format only (schema 1), which is no longer read: "
            "push it again with a newer Docker"
        )
    if parsed.config is None:
        raise InvalidParameter(f"invalid manifest: {document.media_type or 'it'} is no image")
    layers = tuple(_blob(layer, MAXIMUM_LAYER) for layer in parsed.layers or ())
    if len(layers) > MAXIMUM_LAYERS:
        raise InvalidParameter("max depth exceeded")
    return Contents(_blob(parsed.config, manifest.MAXIMUM_DOCUMENT), layers)


def _blob(descriptor: Descriptor, limit: int) -> Blob:
    if not is_digest(descriptor.digest):
        raise InvalidParameter(f"invalid manifest: unsupported digest {descriptor.digest!r}")
    if not 0 <= descriptor.size <= limit:
        raise InvalidParameter(
            f"invalid manifest: {descriptor.digest} would have {descriptor.size} bytes, not 0 to {limit}"
        )
    return Blob(descriptor.digest, descriptor.size, descriptor.media_type)


def docker_manifest(config: Blob, layers: Sequence[Blob]) -> bytes:
    """The manifest under which an image is pushed, spaced as Docker spaces it."""
    described = [
        {"mediaType": kind, "size": blob.size, "digest": blob.digest}
        for blob, kind in ((config, DOCKER_CONFIG), *((layer, DOCKER_LAYER) for layer in layers))
    ]
    document = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": described[0],
        "layers": described[1:],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=3)
