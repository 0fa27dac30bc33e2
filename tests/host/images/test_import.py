import bz2
import gzip
import io
import json
import lzma
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bridgehead.core.images import config
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.host.images.store import LayerStore
from tests.host.images.building import WHEN, archive, digest, folder, hard_link, link, member

pytestmark = pytest.mark.host

LONG = "long-" * 50
SMALL = archive([folder("./"), member("./hello", b"world", mode=0o644)])


def only_layer(layers: Path) -> Path:
    (layer,) = layers.iterdir()
    return layer


def imported(
    store: LayerStore, content: bytes, changes: tuple[str, ...] = (), message: str = ""
) -> config.Image:
    return store.import_tar(io.BytesIO(content), changes=changes, message=message)


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_an_archive_becomes_a_layer_named_by_its_content(
    store: LayerStore, folder: Path, compress: Callable[[bytes], bytes]
) -> None:
    image = imported(store, compress(SMALL))

    assert (digest(SMALL),) == image.layers
    assert digest(SMALL) == f"sha256:{only_layer(folder).name}"
    assert image.size == len(b"world")
    assert (only_layer(folder) / "hello").read_bytes() == b"world"


def test_the_configuration_is_dockers_and_names_the_image(store: LayerStore) -> None:
    image = imported(store, SMALL, ('CMD ["sh"]', "ENV A=b"), "by hand")

    document = json.loads(image.config)
    assert digest(image.config.encode()) == image.id
    assert document["config"] == {"Cmd": ["sh"], "Env": ["A=b"]}
    assert document["rootfs"] == {"type": "layers", "diff_ids": [digest(SMALL)]}
    assert document["history"] == [{"created": image.created, "comment": "by hand"}]
    assert config.defaults(image).command == ("sh",)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_everything_an_archive_says_is_kept(store: LayerStore, folder: Path, form: int) -> None:
    content = archive(
        [
            folder_entry("d", mode=0o1777, uid=3, gid=4),
            member("d/setuid", b"x", mode=0o4755, uid=5),
            link("link", "../nowhere", uid=6),
            hard_link("again", "d/setuid"),
            member("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
            member("disk", type=tarfile.BLKTYPE, devmajor=8, devminor=1, mode=0o660),
            member("pipe", type=tarfile.FIFOTYPE, mode=0o600),
            member("no/parent/named", b"y"),
        ],
        form,
    )

    imported(store, content)

    layer = only_layer(folder)
    directory, file = (layer / "d").stat(), (layer / "d/setuid").stat()
    assert (
        directory.st_mode,
        directory.st_uid,
        directory.st_gid,
        directory.st_mtime,
    ) == (0o41777, 3, 4, WHEN)
    assert (file.st_mode, file.st_uid, file.st_mtime) == (0o104755, 5, WHEN)
    assert file.st_ino == (layer / "again").stat().st_ino
    assert (str((layer / "link").readlink()), (layer / "link").lstat().st_uid) == ("../nowhere", 6)
    assert (layer / "link").lstat().st_mtime == WHEN
    assert (layer / "null").stat().st_rdev == os.makedev(1, 3)
    assert stat.S_ISBLK((layer / "disk").stat().st_mode)
    assert stat.S_ISFIFO((layer / "pipe").stat().st_mode)
    assert (layer / "no/parent").stat().st_mode == 0o40755


def test_pax_headers_bring_attributes_fractions_and_long_names(store: LayerStore, folder: Path) -> None:
    headers = {"SCHILY.xattr.user.colour": "blue", "SCHILY.xattr.trusted.overlay.redirect": "/etc"}
    entries = [member(f"{LONG}/é", b"x", pax_headers=headers, mtime=WHEN + 0.5), link("far", LONG)]

    imported(store, archive(entries))

    file = only_layer(folder) / LONG / "é"
    assert os.listxattr(file) == ["user.colour"]
    assert file.stat().st_mtime_ns == WHEN * 10**9 + 5 * 10**8
    assert (only_layer(folder) / "far").readlink() == Path(LONG)


def test_gnu_long_names(store: LayerStore, folder: Path) -> None:
    imported(store, archive([member(f"{LONG}/file", b"x"), link("far", LONG)], tarfile.GNU_FORMAT))

    assert (only_layer(folder) / LONG / "file").read_bytes() == b"x"
    assert (only_layer(folder) / "far").readlink() == Path(LONG)


def test_a_later_entry_replaces_an_earlier_one(store: LayerStore, folder: Path) -> None:
    entries = [
        member("a", b"old"),
        member("a", b"new"),
        link("b", "/etc/hostname"),
        member("b", b"a file now"),
        folder_entry("c"),
        member("c", b"a file too"),
    ]

    imported(store, archive(entries))

    layer = only_layer(folder)
    assert [(layer / name).read_bytes() for name in "abc"] == [b"new", b"a file now", b"a file too"]


def test_the_same_content_again_is_the_same_layer(store: LayerStore, folder: Path) -> None:
    first, second = imported(store, SMALL), imported(store, SMALL)

    assert first.layers == second.layers
    assert only_layer(folder).name == digest(SMALL)[7:]


def test_a_bad_change_is_refused_before_anything_is_read(store: LayerStore, folder: Path) -> None:
    archive_file = io.BytesIO(SMALL)

    with pytest.raises(InvalidParameter, match="RUN is not a valid change command"):
        store.import_tar(archive_file, changes=["RUN x"], message="")

    assert archive_file.tell() == 0
    assert not folder.exists()


folder_entry = folder
