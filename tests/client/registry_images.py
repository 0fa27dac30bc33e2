"""An image for registries: busybox in one layer, and something of its own in another."""

import hashlib
import json
import random
from pathlib import Path

from tests.host.images.building import archive, digest, member
from tests.support import image


def layers(name: str, size: int = 1000) -> list[bytes]:
    """busybox, and a file /own of `size` bytes that no compression makes smaller."""
    content = random.Random(name).randbytes(size)
    return [image.archive(), archive([member("own", content)])]


def config(content: list[bytes], architecture: str = "amd64") -> bytes:
    return json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": ["cat", "/etc/group"], "Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in content]},
            "history": [{"created_by": "busybox"}, {"created_by": "own"}],
            "created": "2020-01-01T00:00:00Z",
        },
        indent=1,
    ).encode()


def identifier(content: list[bytes], architecture: str = "amd64") -> str:
    return f"sha256:{hashlib.sha256(config(content, architecture)).hexdigest()}"


def saved(path: Path, content: list[bytes], architecture: str = "amd64") -> Path:
    """As an archive of `docker save`, in the file `path`."""
    document = config(content, architecture)
    names = [f"{digest(layer)[7:]}/layer.tar" for layer in content]
    manifest = [{"Config": "config.json", "RepoTags": ["any:tag"], "Layers": names}]
    files = {"config.json": document, **dict(zip(names, content, strict=True))}
    files["manifest.json"] = json.dumps(manifest).encode()
    path.write_bytes(archive(member(name, text) for name, text in files.items()))
    return path
