"""What `docker save` writes: an OCI layout that is an archive in Docker's own format too.

Layers stand in it as they are unpacked, so a layer's blob is called by its diff id.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from bridgehead.core.images import config, distribution, reference
from bridgehead.core.images.manifest import DOCKER_MANIFEST, OCI_INDEX
from bridgehead.core.images.tar import Entry, Kind
from bridgehead.core.images.tar_writing import headers
from bridgehead.core.model.container import Image

_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_FILE_MODE, _FOLDER_MODE = 0o644, 0o755


@dataclass(frozen=True, slots=True)
class Named:
    """An image, and under which of its names it is saved."""

    image: Image
    tags: tuple[str, ...] = ()


def layers(image: Image) -> tuple[str, ...]:
    """Lowest first, as the image names them: one twice if it does."""
    return config.parse(image.config.encode()).layers


def blob_path(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def folders() -> bytes:
    names = (b"blobs/", b"blobs/sha256/")
    return b"".join(headers(Entry(name, Kind.DIRECTORY, mode=_FOLDER_MODE)) for name in names)


def file(path: str, content: bytes) -> bytes:
    entry = Entry(path.encode(), Kind.FILE, size=len(content), mode=_FILE_MODE)
    return headers(entry) + content + bytes(entry.padding)


def layer_frame(diff_id: str, size: int) -> tuple[bytes, bytes]:
    """What stands before and after a layer's bytes."""
    entry = Entry(blob_path(diff_id).encode(), Kind.FILE, size=size, mode=_FILE_MODE)
    return headers(entry), bytes(entry.padding)


def documents(images: Sequence[Named], sizes: dict[str, int]) -> list[tuple[str, bytes]]:
    """Everything but the layers, by path. `sizes` are those of the layers' archives."""
    files: dict[str, bytes] = {}
    entries: list[dict[str, Any]] = []
    index: list[dict[str, Any]] = []
    for named in images:
        text = named.image.config.encode()
        files[blob_path(named.image.id)] = text
        names = layers(named.image)
        entries.append(
            {
                "Config": blob_path(named.image.id),
                "RepoTags": list(named.tags) or None,
                "Layers": [blob_path(name) for name in names],
            }
        )
        manifest = _encoded(
            {
                "schemaVersion": 2,
                "mediaType": distribution.OCI_MANIFEST,
                "config": _descriptor(_CONFIG, named.image.id, len(text)),
                "layers": [_descriptor(_LAYER, name, sizes[name]) for name in names],
            }
        )
        digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
        files[blob_path(digest)] = manifest
        described = _descriptor(distribution.OCI_MANIFEST, digest, len(manifest))
        index += [{**described, "annotations": _annotations(tag)} for tag in named.tags] or [described]
    files[OCI_INDEX] = _encoded({"schemaVersion": 2, "mediaType": distribution.OCI_INDEX, "manifests": index})
    files["oci-layout"] = _encoded({"imageLayoutVersion": "1.0.0"})
    files[DOCKER_MANIFEST] = _encoded(entries)
    return list(files.items())


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size}


def _annotations(tag: str) -> dict[str, str]:
    name = reference.parse(tag)
    return {
        "io.containerd.image.name": f"{name.name}:{name.tag}",
        "org.opencontainers.image.ref.name": name.tag,
    }


def _encoded(value: object) -> bytes:
    return msgspec.json.encode(value)
