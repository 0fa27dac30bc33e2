"""Layers come out as they went in, byte for byte."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from bridgehead.core.images.distribution import Blob
from bridgehead.core.model.errors import HostRefused
from bridgehead.host.images.store import LayerStore
from tests.host.images.building import archive, digest, docker_archive, folder, hard_link, link, member

pytestmark = pytest.mark.host

MEMBERS = [
    folder("etc"),
    member("etc/empty"),
    member("etc/some", b"text"),
    member("big", bytes(range(256)) * 10_000, mode=0o4755),
    member("zeros", bytes(3 << 20)),
    hard_link("again", "etc/some"),
    link("to", "/etc"),
    member("to/through", b"a link"),
    member("n" * 150, b"a long name"),
    member("etc/.wh.gone", b"with content that nobody keeps"),
    member(".wh..wh.plnk", b"of aufs"),
    member("pipe", type=tarfile.FIFOTYPE),
]


def _stored(store: LayerStore, layer: bytes) -> str:
    (loaded,) = store.load(io.BytesIO(docker_archive({"a:1": [layer]})))
    return loaded.image.layers[0]


async def _written(store: LayerStore, diff_id: str, *, packed: bool = False) -> bytes:
    return b"".join([piece async for piece in store.archives.archive(diff_id, packed=packed)])


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
async def test_an_archive_comes_out_as_it_went_in(store: LayerStore, form: int) -> None:
    members = [entry for entry in MEMBERS if form != tarfile.USTAR_FORMAT or len(entry[0].name) < 100]
    layer = archive(members, form) + bytes(5000) + b"what stands behind the end"

    diff_id = _stored(store, layer)

    assert diff_id == digest(layer)
    assert await store.archives.length(diff_id) == len(layer)
    assert await _written(store, diff_id) == layer
    packed = await _written(store, diff_id, packed=True)
    assert gzip.decompress(packed) == layer
    assert packed == await _written(store, diff_id, packed=True)


async def test_an_imported_archive_does_too(store: LayerStore) -> None:
    layer = archive(MEMBERS)

    image = store.import_tar(io.BytesIO(gzip.compress(layer)), changes=(), message="")

    assert await _written(store, image.layers[0]) == layer


async def test_a_file_named_twice_cannot_be_written_again(store: LayerStore) -> None:
    diff_id = _stored(store, archive([member("x", b"first"), member("x", b"second")]))

    with pytest.raises(HostRefused, match="its archive named one file twice"):
        await store.archives.length(diff_id)


async def test_a_layer_whose_files_changed_is_not_passed_off(store: LayerStore, folder: Path) -> None:
    diff_id = _stored(store, archive([member("x", b"first")]))
    (folder / diff_id.removeprefix("sha256:") / "x").write_bytes(b"other")

    with pytest.raises(HostRefused, match="are not what they were"):
        await _written(store, diff_id)


async def test_a_layer_of_an_earlier_version_is_refused_until_it_is_loaded_again(
    store: LayerStore, folder: Path
) -> None:
    layer = archive(MEMBERS)
    diff_id = _stored(store, layer)
    (folder.parent / "recipes" / diff_id.removeprefix("sha256:")).unlink()

    with pytest.raises(HostRefused, match="it was stored by an earlier version"):
        await store.archives.length(diff_id)
    _stored(store, layer)
    assert await _written(store, diff_id) == layer


def test_what_a_registry_calls_a_layer_is_remembered(store: LayerStore) -> None:
    diff_id = _stored(store, archive([member("x", b"first")]))
    assert store.archives.known(diff_id) is None

    blob = Blob(digest(b"packed"), 6)
    store.archives.remember(diff_id, blob)

    assert store.archives.known(diff_id) == blob


def test_recipes_go_with_their_layers(store: LayerStore, folder: Path) -> None:
    diff_id = _stored(store, archive([member("x", b"first")]))
    store.sweep([diff_id])
    assert [path.name for path in (folder.parent / "recipes").iterdir()] == [diff_id.removeprefix("sha256:")]

    store.hold(diff_id)
    store.sweep([])
    assert store.hold(diff_id)
    store.let_go([diff_id, diff_id])
    store.sweep([])

    assert list((folder.parent / "recipes").iterdir()) == list(folder.iterdir()) == []
