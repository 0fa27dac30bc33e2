import gzip
import io
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bridgehead.core.model.container import Image
from bridgehead.host.images.store import LayerStore
from tests.host.images.building import (
    archive,
    census,
    digest,
    docker_archive,
    hard_link,
    image_config,
    link,
    member,
    oci_archive,
)
from tests.host.images.building import (
    folder as folder_entry,
)

pytestmark = pytest.mark.host

BASE = archive(
    [
        folder_entry("etc"),
        member("etc/keep", b"base", mode=0o640, uid=1),
        member("etc/gone", b"base"),
        folder_entry("opaque"),
        member("opaque/hidden", b"base"),
        folder_entry("replaced"),
        member("replaced/hidden", b"base"),
        link("sh", "bin/sh"),
        hard_link("etc/keep2", "etc/keep"),
    ]
)
TOP = archive(
    [
        folder_entry("etc"),
        member("etc/.wh.gone"),
        folder_entry("opaque"),
        member("opaque/shown", b"top"),
        member("opaque/.wh..wh..opq"),
        member(".wh.replaced"),
        folder_entry("replaced"),
        member("replaced/shown", b"top", mode=0o4711),
        member(".wh..wh.plnk"),
    ]
)


def load(store: LayerStore, content: bytes) -> list[Image]:
    return [loaded.image for loaded in store.load(io.BytesIO(content))]


class Pipe(io.RawIOBase):
    """A source that can be read only once, in small pieces, as a request body is."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 1000))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_saved_image_is_itself_again(
    store: LayerStore, folder: Path, pack: Callable[[bytes], bytes]
) -> None:
    (image,) = load(store, pack(docker_archive({"docker.io/library/two:1": [BASE, TOP]})))

    document = image_config([BASE, TOP])
    assert document == image.config.encode()
    assert digest(document) == image.id
    assert (digest(BASE), digest(TOP)) == image.layers
    assert image.tags == ("two:1",)
    assert image.created == "2020-01-01T00:00:00Z"
    assert image.size == 5 * len(b"base") - len(b"base") + 2 * len(b"top")
    assert {digest(BASE)[7:], digest(TOP)[7:]} == {layer.name for layer in folder.iterdir()}


@pytest.mark.parametrize("nested", [False, True])
def test_an_oci_layout_gives_the_same_image(store: LayerStore, nested: bool) -> None:
    (image,) = load(store, oci_archive("docker.io/library/two:1", [BASE, TOP], nested=nested))

    assert digest(image_config([BASE, TOP])) == image.id
    assert (digest(BASE), digest(TOP)) == image.layers
    assert image.tags == ("two:1",)


def test_a_stream_that_cannot_be_rewound_is_loaded_too(store: LayerStore) -> None:
    (loaded,) = store.load(Pipe(docker_archive({"two:1": [BASE, TOP]})))  # type: ignore[arg-type]

    assert digest(image_config([BASE, TOP])) == loaded.image.id


def test_whiteouts_become_overlayfs_own(store: LayerStore, folder: Path) -> None:
    (image,) = load(store, docker_archive({"two:1": [BASE, TOP]}))

    top = folder / image.layers[1][7:]
    gone = (top / "etc/gone").lstat()
    assert stat.S_ISCHR(gone.st_mode)
    assert gone.st_rdev == 0
    assert os.getxattr(top / "opaque", "trusted.overlay.opaque") == b"y"
    assert os.getxattr(top / "replaced", "trusted.overlay.opaque") == b"y"
    assert not list(top.rglob(".wh.*"))


def test_the_mounted_layers_equal_what_umoci_unpacks(store: LayerStore, folder: Path, tmp_path: Path) -> None:
    saved = tmp_path / "two.tar"
    saved.write_bytes(oci_archive("two:1", [BASE, TOP]))
    layout, bundle, merged = tmp_path / "layout", tmp_path / "bundle", tmp_path / "merged"
    layout.mkdir()
    merged.mkdir()
    subprocess.run(["tar", "-C", layout, "-xf", saved], check=True, timeout=20)
    name_blob_for_umoci(layout)
    subprocess.run(["umoci", "unpack", "--image", f"{layout}:1", bundle], check=True, timeout=20)

    (image,) = load(store, saved.read_bytes())
    lower = ":".join(str(folder / layer[7:]) for layer in reversed(image.layers))
    script = f"mount -t overlay -o lowerdir={lower} x {merged} && cp -a {merged}/. {tmp_path}/flat"
    subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script], check=True, timeout=20
    )

    assert census(bundle / "rootfs") == census(tmp_path / "flat")


def name_blob_for_umoci(layout: Path) -> None:
    index = layout / "index.json"
    index.write_text(
        index.read_text().replace(
            '"io.containerd.image.name": "two:1"', '"org.opencontainers.image.ref.name": "1"'
        )
    )


def test_shared_layers_are_unpacked_once(store: LayerStore, folder: Path) -> None:
    (first,) = load(store, docker_archive({"base:1": [BASE]}))
    inode = (folder / first.layers[0][7:]).stat().st_ino

    images = load(store, docker_archive({"base:1": [BASE], "two:1": [BASE, TOP], "two:2": [BASE, TOP]}))

    assert inode == (folder / first.layers[0][7:]).stat().st_ino
    assert [image.tags for image in images] == [("base:1",), ("two:1", "two:2")]
    assert [first.layers, (digest(BASE), digest(TOP))] == [image.layers for image in images]


def test_a_layer_that_comes_twice_is_mounted_once(store: LayerStore) -> None:
    (image,) = load(store, docker_archive({"twice:1": [BASE, TOP, BASE]}))

    assert (digest(TOP), digest(BASE)) == image.layers


def test_links_between_layers_of_old_archives_are_followed(store: LayerStore) -> None:
    config = image_config([BASE, BASE])
    manifest = b'[{"Config": "c.json", "RepoTags": null, "Layers": ["1/layer.tar", "2/layer.tar"]}]'
    members = [
        member("1/layer.tar", BASE),
        link("2/layer.tar", "../1/layer.tar"),
        member("c.json", config),
        member("./manifest.json", manifest),
    ]

    (image,) = load(store, archive(members))

    assert digest(config) == image.id
