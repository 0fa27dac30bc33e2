import io
from pathlib import Path

import pytest

from bridgehead.host.images.store import LayerStore
from tests.host.images.building import archive, member

pytestmark = pytest.mark.host


def add(store: LayerStore, name: str) -> str:
    image = store.import_tar(io.BytesIO(archive([member(name, b"x")])), changes=(), message="")
    return image.layers[0]


def names(folder: Path) -> set[str]:
    return {f"sha256:{layer.name}" for layer in folder.iterdir()}


def test_what_is_not_kept_goes(store: LayerStore, folder: Path) -> None:
    kept, gone = add(store, "a"), add(store, "b")
    store.sweep([kept, gone])

    store.sweep([kept])

    assert {kept} == names(folder)


def test_a_layer_nobody_has_recorded_yet_is_spared(store: LayerStore, folder: Path) -> None:
    """Between import and commit another request may sweep."""
    new = add(store, "a")

    store.sweep([])

    assert {new} == names(folder)


def test_a_new_daemon_removes_what_a_killed_one_left(store: LayerStore, folder: Path) -> None:
    kept, unrecorded = add(store, "a"), add(store, "b")
    half_made = folder / "tmp-killed" / "0" / "deep"
    half_made.mkdir(parents=True)

    LayerStore(str(folder)).sweep([kept])

    assert {kept} == names(folder)
    assert unrecorded not in names(folder)


def test_an_empty_machine_is_swept_without_complaint(store: LayerStore) -> None:
    store.sweep([])
