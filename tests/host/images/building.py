"""Building archives with the standard library's tarfile, so that ours is read against another's writing."""

import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

WHEN = 1_700_000_000


def member(name: str, content: bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mtime = WHEN
    for key, value in fields.items():
        setattr(entry, key, value)
    return entry, content


def folder(name: str, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.DIRTYPE, **{"mode": 0o755, **fields})


def link(name: str, target: str, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.SYMTYPE, linkname=target, **fields)


def hard_link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.LNKTYPE, linkname=target)


def archive(members: Iterable[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as writer:
        for entry, content in members:
            writer.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def image_config(layers: Iterable[bytes]) -> bytes:
    """Spaced and ordered as nobody else would, to notice if it is written anew."""
    diff_ids = [digest(layer) for layer in layers]
    document = {
        "rootfs": {"diff_ids": diff_ids, "type": "layers"},
        "os": "linux",
        "created": "2020-01-01T00:00:00Z",
    }
    return json.dumps(document, indent=3).encode()


def docker_archive(images: Mapping[str, list[bytes]]) -> bytes:
    """As `docker save` wrote it before version 25; `images` maps a tag to its layers, lowest first."""
    entries, files = [], {}
    for tag, layers in images.items():
        config = image_config(layers)
        names = [f"{digest(layer)[7:]}/layer.tar" for layer in layers]
        files |= dict(zip(names, layers, strict=True)) | {f"{digest(config)[7:]}.json": config}
        entries.append({"Config": f"{digest(config)[7:]}.json", "RepoTags": [tag], "Layers": names})
    files["manifest.json"] = json.dumps(entries).encode()
    return archive(member(name, content) for name, content in files.items())


def oci_archive(name: str, layers: list[bytes], *, nested: bool = False) -> bytes:
    """An OCI layout with gzipped layers, its index wrapped in another if `nested`."""
    blobs: dict[str, bytes] = {}

    def blob(content: bytes, kind: str, **more: Any) -> dict[str, Any]:
        blobs[f"blobs/sha256/{digest(content)[7:]}"] = content
        return {
            "mediaType": f"application/vnd.oci.image.{kind}",
            "digest": digest(content),
            "size": len(content),
            **more,
        }

    manifest = {
        "schemaVersion": 2,
        "config": blob(image_config(layers), "config.v1+json"),
        "layers": [blob(gzip.compress(layer), "layer.v1.tar+gzip") for layer in layers],
    }
    entry = blob(json.dumps(manifest).encode(), "manifest.v1+json")
    foreign = blob(b"{}", "manifest.v1+json", platform={"os": "unknown", "architecture": "unknown"})
    if nested:
        entry = blob(json.dumps({"manifests": [foreign, entry]}).encode(), "index.v1+json")
    entry["annotations"] = {"io.containerd.image.name": name}
    blobs["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    blobs["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    return archive(member(path, content) for path, content in blobs.items())


def census(root: Path) -> dict[str, tuple[object, ...]]:
    """Everything below `root`: kind and mode, owner, time, links, device, content, attributes."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content: object = None
        if stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        elif stat.S_ISLNK(status.st_mode):
            content = path.readlink()
        attributes = {
            key: os.getxattr(path, key, follow_symlinks=False)
            for key in os.listxattr(path, follow_symlinks=False)
        }
        links = 1 if stat.S_ISDIR(status.st_mode) else status.st_nlink
        owner = (status.st_uid, status.st_gid)
        found[str(path.relative_to(root))] = (
            oct(status.st_mode), owner, status.st_mtime_ns, links, status.st_rdev, content, attributes,
        )  # fmt: skip
    return found
