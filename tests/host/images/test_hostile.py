"""Archives that mean harm: refused with a sentence, nothing written outside, nothing left half-made."""

import errno
import gzip
import io
import lzma
from pathlib import Path

import pytest

from bridgehead.core.model.errors import HostRefused, InvalidParameter
from bridgehead.host.images.confined import Counted
from bridgehead.host.images.store import LayerStore
from tests.host.images.building import archive, docker_archive, folder, hard_link, image_config, link, member

pytestmark = pytest.mark.host

GOOD = archive([member("file", b"x" * 5000)])
DEEP = "/".join(["d"] * 2500)


def sparse() -> bytes:
    headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    return archive([member("holes", b"1\n0\n", pax_headers=headers)])


def negative_size() -> bytes:
    return archive([member("a", b"x", pax_headers={"size": "-512"}), member("b", b"y")])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(archive([member("../../outside/secret", b"!")]), "is outside of it", id="dot-dot"),
        pytest.param(
            archive([hard_link("a", "../../outside/secret")]), "is outside of it", id="hard-link-up"
        ),
        pytest.param(archive([hard_link("a", "/etc/passwd")]), "No such file", id="hard-link-to-host"),
        pytest.param(archive([link("a", "b"), member("a/x", b"!")]), "invalid archive", id="dangling-parent"),
        pytest.param(archive([link("a", "a"), member("a/x", b"!")]), "invalid archive", id="loop"),
        pytest.param(archive([member("x", b""), member("x/y", b"")]), "invalid archive", id="file-as-folder"),
        pytest.param(archive([folder("d"), member("d/x"), member("d")]), "not empty", id="folder-as-file"),
        pytest.param(archive([link(".", "/etc")]), "its root is no directory", id="root-is-a-link"),
        pytest.param(archive([member(".wh...", b"")]), "whiteout of no name", id="whiteout-of-the-parent"),
        pytest.param(archive([member("n" * 300, b"")]), "File name too long", id="long-name"),
        pytest.param(archive([member("n/" * 3000, b"")]), "invalid archive", id="long-path"),
        pytest.param(archive([member(DEEP, b"")]), "invalid archive", id="deep-path"),
        pytest.param(sparse(), "sparse files", id="sparse"),
        pytest.param(negative_size(), "invalid tar header", id="negative-size"),
        pytest.param(GOOD[:4000], "unexpected EOF", id="truncated"),
        pytest.param(GOOD[:700], "unexpected EOF", id="truncated-in-content"),
        pytest.param(GOOD[:300], "unexpected EOF", id="truncated-in-a-header"),
        pytest.param(gzip.compress(GOOD)[:-20], "end-of-stream", id="truncated-gzip"),
        pytest.param(gzip.compress(GOOD)[:40] + b"!" * 40, "invalid archive", id="broken-gzip"),
        pytest.param(lzma.compress(GOOD)[:60] + b"!" * 60, "invalid archive", id="broken-xz"),
        pytest.param(b"BZh9" + b"!" * 60, "invalid archive", id="broken-bzip2"),
        pytest.param(b"\x28\xb5\x2f\xfd" + b"!" * 60, "zstd compression is not supported", id="zstd"),
        pytest.param(b"not an archive at all", "unexpected EOF", id="garbage"),
        pytest.param(b"G" * 2048, "invalid tar header", id="long-garbage"),
        pytest.param(b"", "unexpected EOF", id="nothing"),
    ],
)
def test_a_hostile_layer_is_refused(
    store: LayerStore, folder: Path, surroundings: Path, content: bytes, words: str
) -> None:
    with pytest.raises(InvalidParameter, match=words):
        store.import_tar(io.BytesIO(content), changes=(), message="")

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("target", ["/", "../../outside", "/../../outside"])
def test_a_link_leads_no_further_than_the_layer(
    store: LayerStore, folder: Path, surroundings: Path, target: str
) -> None:
    """Written through the link, or through what stands at that name inside the layer; never outside."""
    entries = [folder_entry("outside"), link("escape", target), member("escape/secret", b"overwritten")]

    image = store.import_tar(io.BytesIO(archive(entries)), changes=(), message="")

    assert image.size == len(b"overwritten")
    assert (surroundings / "secret").read_text() == "untouched"


def test_absolute_names_are_names_inside(store: LayerStore, folder: Path, surroundings: Path) -> None:
    secret = surroundings / "secret"

    image = store.import_tar(io.BytesIO(archive([member(str(secret), b"mine")])), changes=(), message="")

    inside = folder / image.layers[0][7:] / str(secret).lstrip("/")
    assert inside.read_bytes() == b"mine"


def test_a_layer_that_is_not_what_its_image_says_is_refused(store: LayerStore, folder: Path) -> None:
    other = archive([member("file", b"y" * 5000)])
    forged = docker_archive({"forged:1": [GOOD]}).replace(b"x" * 5000, b"y" * 5000)
    assert len(other) == len(GOOD)

    with pytest.raises(InvalidParameter, match="wrong diff id calculated on extraction"):
        store.load(io.BytesIO(forged))

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(GOOD, "neither manifest.json nor index.json", id="no-image"),
        pytest.param(archive([member("manifest.json", b"[]")]), "holds no image for linux", id="empty"),
        pytest.param(archive([member("manifest.json", b"{")]), "invalid manifest.json", id="malformed"),
        pytest.param(archive([member("manifest.json", b" " * (5 << 20))]), "longer than 4 MiB", id="huge"),
        pytest.param(
            archive([member("manifest.json", b'[{"Config": "../../../../etc/passwd"}]')]),
            "is outside of it",
            id="config-outside",
        ),
        pytest.param(
            archive([member("manifest.json", b'[{"Config": "/etc/passwd"}]')]),
            "there is no /etc/passwd in it",
            id="config-on-the-host",
        ),
        pytest.param(
            archive([link("manifest.json", "manifest.json")]), "neither manifest.json nor", id="link-loop"
        ),
        pytest.param(
            archive(
                [
                    member("manifest.json", b'[{"Config": "c", "Layers": ["l"]}]'),
                    member("c", image_config([])),
                ]
            ),
            "layers length mismatch: expected 1, got 0",
            id="layer-count",
        ),
        pytest.param(
            archive(
                [
                    member("manifest.json", b'[{"Config": "c", "RepoTags": ["Bad Tag"]}]'),
                    member("c", image_config([])),
                ]
            ),
            "invalid reference format",
            id="tag",
        ),
        pytest.param(
            docker_archive({"a:1": [GOOD]})[:9000], "unexpected EOF|is in it|there is no", id="truncated"
        ),
        pytest.param(gzip.compress(docker_archive({"a:1": [GOOD]}))[:200], "end-of-stream", id="gzip"),
    ],
)
def test_a_hostile_image_archive_is_refused(
    store: LayerStore, folder: Path, surroundings: Path, content: bytes, words: str
) -> None:
    with pytest.raises(InvalidParameter, match=words):
        store.load(io.BytesIO(content))

    assert list(folder.iterdir()) == []


def test_an_archive_that_unpacks_without_end_is_stopped() -> None:
    bomb = gzip.compress(bytes(10 << 20))
    counted = Counted(gzip.GzipFile(fileobj=io.BytesIO(bomb)), limit=1 << 20)  # type: ignore[arg-type]

    with pytest.raises(InvalidParameter, match="unpacks to more than 1048576 bytes"):
        counted.skip(10 << 20)


class Hangup(io.BytesIO):
    """A client that goes away in the middle."""

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(1000)
        if not piece:
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        return piece


def test_a_client_that_goes_away_leaves_nothing(store: LayerStore, folder: Path) -> None:
    with pytest.raises(HostRefused, match="Connection reset by peer"):
        store.import_tar(Hangup(GOOD[:4000]), changes=(), message="")

    assert list(folder.iterdir()) == []


folder_entry = folder
