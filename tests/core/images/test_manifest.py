import pytest

from bridgehead.core.images import manifest
from bridgehead.core.images.manifest import Listing, Platform
from bridgehead.core.model.errors import InvalidParameter

DIGEST = f"sha256:{'a' * 64}"
BLOB = f"blobs/sha256/{'a' * 64}"


def test_a_docker_manifest_lists_its_images() -> None:
    document = b"""[
        {"Config": "c.json", "RepoTags": ["busybox", "docker.io/library/b:2"], "Layers": ["1/layer.tar"]},
        {"Config": "d.json", "RepoTags": null, "Layers": null, "LayerSources": {}}]"""

    found = manifest.docker_listings(document)

    assert [Listing("c.json", ("1/layer.tar",), ("busybox:latest", "b:2")), Listing("d.json", ())] == found


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ("{}", ()),
        ('{"org.opencontainers.image.ref.name": "latest"}', ()),
        ('{"org.opencontainers.image.ref.name": "quay.io/a/b:1"}', ("quay.io/a/b:1",)),
        (
            '{"io.containerd.image.name": "docker.io/library/b:1", "org.opencontainers.image.ref.name": "1"}',
            ("b:1",),
        ),
    ],
)
def test_an_oci_descriptor_knows_its_name(annotations: str, expected: tuple[str, ...]) -> None:
    document = f'{{"manifests": [{{"digest": "{DIGEST}", "annotations": {annotations}}}]}}'

    (descriptor,) = manifest.index(document.encode())

    assert expected == descriptor.tags


def test_an_oci_manifest_points_to_blobs() -> None:
    document = f'{{"config": {{"digest": "{DIGEST}"}}, "layers": [{{"digest": "{DIGEST}", "size": 3}}]}}'

    found = manifest.oci_listing(document.encode(), ("b:1",))

    assert Listing(BLOB, (BLOB,), ("b:1",), DIGEST) == found


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        (None, True),
        (Platform("amd64", "linux"), True),
        (Platform("arm64", "linux"), False),
        (Platform("unknown", "unknown"), False),
    ],
)
def test_only_this_machines_images_count(platform: Platform | None, expected: bool) -> None:
    descriptor = manifest.Descriptor(digest=DIGEST, platform=platform)

    assert expected is descriptor.runs_on("amd64")


@pytest.mark.parametrize(
    "digest", ["", "sha256:../../../etc/passwd", "sha512:" + "a" * 128, "sha256:" + "A" * 64]
)
def test_a_digest_that_is_none_never_becomes_a_path(digest: str) -> None:
    document = f'{{"config": {{"digest": "{digest}"}}}}'

    with pytest.raises(InvalidParameter, match="unsupported digest"):
        manifest.oci_listing(document.encode(), ())


@pytest.mark.parametrize("document", [b"", b"{}", b'[{"Layers": []}]', b'[{"Config": 1}]', b"[" * 100_000])
def test_a_malformed_manifest_is_refused(document: bytes) -> None:
    with pytest.raises(InvalidParameter, match=r"invalid manifest\.json"):
        manifest.docker_listings(document)
