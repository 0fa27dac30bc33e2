from collections.abc import Iterator
from pathlib import Path

import pytest

from bridgehead.host.images.store import LayerStore
from tests.host.images.building import census


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "layers"


@pytest.fixture
def store(folder: Path) -> LayerStore:
    return LayerStore(str(folder))


@pytest.fixture
def surroundings(tmp_path: Path) -> Iterator[Path]:
    """Files beside the layer folder that no archive may touch, checked when the test is over."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("untouched")
    before = census(outside)

    yield outside

    assert before == census(outside)
