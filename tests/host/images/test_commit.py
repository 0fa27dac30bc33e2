"""A container's changes as a layer: made on a real overlay, read back through another one."""

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridgehead.core.images.commit import EMPTY_LAYER
from bridgehead.core.model.container import Image
from bridgehead.core.model.errors import HostRefused, InvalidParameter
from bridgehead.host.images.store import LayerStore
from tests.host.images.building import archive, census, member
from tests.host.images.building import folder as directory
from tests.host.images.test_import import imported
from tests.host.space import own_space

pytestmark = pytest.mark.host

MOUNTED = ("/proc", "/etc/hosts", "/etc/resolv.conf", "/data")


@pytest.fixture(autouse=True)
def space() -> Iterator[None]:
    with own_space():
        yield


@pytest.fixture
def base(store: LayerStore) -> Image:
    entries = [
        directory("etc"),
        directory("data"),
        member("etc/hosts", b"the image's own\n"),
        member("etc/passwd", b"root\n"),
        directory("old"),
        member("old/file", b"1"),
        directory("lib"),
        member("lib/a", b"a"),
        member("lib/b", b"b"),
    ]
    return imported(store, archive(entries))


@contextmanager
def overlay(store: LayerStore, layers: tuple[str, ...], place: Path) -> Iterator[Path]:
    for name in ("upper", "work", "merged"):
        (place / name).mkdir(parents=True, exist_ok=True)
    (place / "upper").chmod(0o755)
    lower = ":".join(str(store._folder(layer)) for layer in reversed(layers))
    options = f"lowerdir={lower},upperdir={place}/upper,workdir={place}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, place / "merged"], check=True)
    try:
        yield place / "merged"
    finally:
        subprocess.run(["umount", place / "merged"], check=True)


def committed(store: LayerStore, base: Image, place: Path) -> Image:
    def document(layer: str) -> bytes:
        layers = [*base.layers] if layer == EMPTY_LAYER else [*base.layers, layer]
        return json.dumps({"rootfs": {"type": "layers", "diff_ids": layers}}).encode()

    return store.commit(str(place / "upper"), below=base.layers, mounted=MOUNTED, document=document)


def test_what_the_container_changed_is_what_the_image_shows(
    store: LayerStore, base: Image, tmp_path: Path
) -> None:
    with overlay(store, base.layers, tmp_path / "one") as root:
        (root / "etc/passwd").write_text("root\nuser\n")
        (root / "old/file").unlink()
        (root / "old").rmdir()
        for entry in list((root / "lib").iterdir()):
            entry.unlink()
        (root / "lib").rmdir()
        (root / "lib").mkdir(mode=0o700)
        (root / "lib/c").write_text("c")
        os.chown(root / "lib/c", 70000, 3_000_000)
        (root / "lib/c").chmod(0o4755)
        os.setxattr(root / "lib/c", "user.note", b"\x00\xff=\n")
        os.link(root / "lib/c", root / "lib/again")
        (root / "link").symlink_to("/etc/" + "long" * 60)
        os.mkfifo(root / "pipe", 0o600)
        os.mknod(root / "device", stat.S_IFCHR | 0o660, os.makedev(1, 3))
        (root / ("n" * 200)).mkdir()
        (root / ("n" * 200) / os.fsdecode(b"\xff\xfe")).write_text("bytes")
        os.utime(root / "lib/c", ns=(0, -5 * 10**9))
        for path in root.rglob("*"):
            status = path.lstat()
            second = status.st_mtime_ns // 10**9 * 10**9
            os.utime(path, ns=(second, second), follow_symlinks=False)
        wanted = census(root)
        image = committed(store, base, tmp_path / "one")

    with overlay(store, image.layers, tmp_path / "two") as root:
        assert census(root) == wanted
    assert len(image.layers) == 2


def test_mount_points_stay_as_the_image_had_them(store: LayerStore, base: Image, tmp_path: Path) -> None:
    with overlay(store, base.layers, tmp_path / "one") as root:
        (root / "etc/hosts").write_text("127.0.0.1 secret\n")
        (root / "etc/resolv.conf").touch()
        (root / "data/inner").mkdir(parents=True)
        (root / "data/inner/file").write_text("of the volume")
        (root / "proc").mkdir()
        (root / "kept").touch()
        image = committed(store, base, tmp_path / "one")

    with overlay(store, image.layers, tmp_path / "two") as root:
        assert (root / "etc/hosts").read_text() == "the image's own\n"
        assert not (root / "etc/resolv.conf").exists()
        assert list((root / "data").iterdir()) == []
        assert (root / "kept").exists()


def test_a_container_that_changed_nothing_adds_no_layer(
    store: LayerStore, base: Image, tmp_path: Path
) -> None:
    with overlay(store, base.layers, tmp_path / "one") as root:
        (root / "etc/resolv.conf").touch()  # as a runtime does, to mount something there
        (root / "proc").mkdir()

        image = committed(store, base, tmp_path / "one")

    assert image.layers == base.layers
    assert committed(store, base, tmp_path / "never-ran").layers == base.layers


def test_the_diff_id_is_the_digest_of_an_archive_that_others_read(
    store: LayerStore, base: Image, tmp_path: Path
) -> None:
    with overlay(store, base.layers, tmp_path / "one") as root:
        (root / "old/file").unlink()
        (root / "new").write_text("x" * 5000)
        image = committed(store, base, tmp_path / "one")

    program = "import sys; from bridgehead.host.images.pack import pack; pack(sys.argv[1], [])"
    command = [sys.executable, "-c", program, str(tmp_path / "one/upper")]
    again = subprocess.run(command, input=b"", capture_output=True, check=True, timeout=20).stdout
    other = LayerStore(str(tmp_path / "elsewhere"))
    names = subprocess.run(["tar", "-t"], input=again, capture_output=True, check=True, timeout=20).stdout

    assert names.decode().split() == ["new", "old/", "old/.wh.file"]
    assert imported(other, again).layers == image.layers[-1:]


def test_sparse_files_stay_sparse(store: LayerStore, base: Image, tmp_path: Path) -> None:
    (tmp_path / "one/upper").mkdir(parents=True)
    with (tmp_path / "one/upper/sparse").open("wb") as file:
        file.truncate(1 << 28)
        file.seek(1 << 27)
        file.write(b"middle")

    image = committed(store, base, tmp_path / "one")

    found = store._folder(image.layers[-1]) / "sparse"
    assert found.stat().st_size == 1 << 28
    assert found.stat().st_blocks * 512 < 4 << 20
    with found.open("rb") as file:
        file.seek(1 << 27)
        assert file.read(7) == b"middle\0"


def test_a_file_of_nothing_but_size_is_refused_at_once(
    store: LayerStore, base: Image, tmp_path: Path
) -> None:
    (tmp_path / "one/upper").mkdir(parents=True)
    with (tmp_path / "one/upper/endless").open("wb") as file:
        file.truncate(1 << 43)

    with pytest.raises(InvalidParameter, match="changed more than"):
        committed(store, base, tmp_path / "one")


@pytest.mark.parametrize("name", [".wh..wh..opq", ".wh.hosts", ".wh.passwd"])
def test_names_that_mean_something_to_images_are_left_out(
    store: LayerStore, base: Image, tmp_path: Path, name: str
) -> None:
    with overlay(store, base.layers, tmp_path / "one") as root:
        (root / "etc" / name).touch()
        (root / "new").touch()
        image = committed(store, base, tmp_path / "one")

    with overlay(store, image.layers, tmp_path / "two") as root:
        assert sorted(path.name for path in (root / "etc").iterdir()) == ["hosts", "passwd"]


def test_links_out_of_the_container_are_kept_and_never_followed(
    store: LayerStore, base: Image, tmp_path: Path, surroundings: Path
) -> None:
    upper = tmp_path / "one/upper"
    upper.mkdir(parents=True)
    (upper / "out").symlink_to(surroundings)
    (upper / "up").symlink_to("../../../../outside/secret")

    image = committed(store, base, tmp_path / "one")

    layer = store._folder(image.layers[-1])
    assert sorted(path.name for path in layer.iterdir()) == ["out", "up"]
    assert (layer / "out").readlink() == surroundings


def test_what_cannot_be_in_an_image_is_left_out_or_refused(
    store: LayerStore, base: Image, tmp_path: Path
) -> None:
    upper = tmp_path / "one/upper"
    upper.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(upper / "socket"))
    (upper / "moved").mkdir()

    assert [
        path.name for path in store._folder(committed(store, base, tmp_path / "one").layers[-1]).iterdir()
    ] == ["moved"]
    os.setxattr(upper / "moved", "trusted.overlay.redirect", b"old")
    with pytest.raises(InvalidParameter, match="moved was renamed"):
        committed(store, base, tmp_path / "one")


def test_a_path_longer_than_the_kernel_takes_is_refused_and_leaves_nothing(
    store: LayerStore, base: Image, tmp_path: Path
) -> None:
    upper = tmp_path / "one/upper"
    upper.mkdir(parents=True)
    before = sorted(path.name for path in store._layers.iterdir())
    here = os.open(upper, os.O_RDONLY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=here)
        here, last = os.open("d" * 200, os.O_RDONLY, dir_fd=here), here
        os.close(last)
    os.close(here)

    with pytest.raises(InvalidParameter, match="too long"):
        committed(store, base, tmp_path / "one")

    assert sorted(path.name for path in store._layers.iterdir()) == before
    subprocess.run(["rm", "-rf", upper], check=True, timeout=20)


def test_a_missing_layer_below_is_told_and_leaves_nothing(
    store: LayerStore, base: Image, tmp_path: Path
) -> None:
    upper = tmp_path / "one/upper"
    upper.mkdir(parents=True)

    with pytest.raises((HostRefused, InvalidParameter)):
        store.commit(str(upper), below=("sha256:" + "0" * 64,), mounted=(), document=lambda _: b"{}")

    assert [path.name for path in store._layers.iterdir() if path.name.startswith("tmp-")] == []
