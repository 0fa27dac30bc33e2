"""Manifests of registries, platforms, challenges, and where registries are."""

import json

import pytest

from bridgehead.core.images import distribution
from bridgehead.core.images.distribution import Blob, Challenge, Document
from bridgehead.core.images.registries import Door, RegistryOptions, doors
from bridgehead.core.model.errors import InvalidParameter, NotFound

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")


def _document(value: object, media_type: str = "") -> Document:
    return Document(media_type, json.dumps(value).encode(), A)


def _entry(digest: str, *platform: str) -> dict[str, object]:
    names = dict(zip(("os", "architecture", "variant"), platform, strict=False))
    return {"digest": digest, "mediaType": distribution.OCI_MANIFEST, "platform": names}


INDEX = _document(
    {
        "manifests": [
            _entry(A, "unknown", "unknown"),
            _entry(B, "linux", "arm64", "v8"),
            _entry(C, "linux", "amd64"),
        ]
    },
    distribution.OCI_INDEX,
)


@pytest.mark.parametrize(
    ("wanted", "digest"),
    [("", C), ("linux", C), ("linux/amd64", C), ("linux/arm64", B), ("linux/arm64/v8", B), ("arm64", B)],
)
def test_the_manifest_for_a_platform_is_chosen(wanted: str, digest: str) -> None:
    assert distribution.chosen(INDEX, distribution.platform(wanted, "amd64")).digest == digest


def test_a_platform_that_is_not_offered_is_named() -> None:
    with pytest.raises(
        NotFound, match="no matching manifest for linux/arm64/v7 in the manifest list entries"
    ):
        distribution.chosen(INDEX, distribution.platform("linux/arm64/v7", "amd64"))


@pytest.mark.parametrize("text", ["a/b/c/d", "linux/", "li nux/amd64", "/"])
def test_no_platform(text: str) -> None:
    with pytest.raises(InvalidParameter, match="unknown operating system or architecture"):
        distribution.platform(text, "amd64")


def test_an_index_is_known_by_its_type_or_its_content() -> None:
    assert distribution.is_index(INDEX)
    assert distribution.is_index(_document({"manifests": [_entry(A, "linux", "amd64")]}, "application/json"))
    assert not distribution.is_index(_document({"config": {"digest": A}}, "text/plain"))


def test_a_manifest_gives_its_blobs() -> None:
    content = distribution.docker_manifest(Blob(A, 1), [Blob(B, 2), Blob(C, 3)])

    found = distribution.contents(Document(distribution.DOCKER_MANIFEST, content, A))

    assert found.config == Blob(A, 1, distribution.DOCKER_CONFIG)
    assert found.layers == (Blob(B, 2), Blob(C, 3))


REFUSED = {
    "no image": ({"artifactType": "x"}, "is no image"),
    "schema 1": ({"schemaVersion": 1, "fsLayers": []}, r"first format only \(schema 1\)"),
    "no digest": ({"config": {"digest": "sha256:../../etc"}}, "unsupported digest"),
    "negative": ({"config": {"digest": A, "size": -1}}, "would have -1 bytes"),
    "huge config": ({"config": {"digest": A, "size": 5 << 20}}, "would have 5242880 bytes"),
    "huge layer": ({"config": {"digest": A}, "layers": [{"digest": B, "size": 1 << 60}]}, "would have"),
    "too many layers": ({"config": {"digest": A}, "layers": [{"digest": B}] * 200}, "max depth exceeded"),
    "no object": ([1], "invalid manifest"),
}


@pytest.mark.parametrize(("document", "words"), REFUSED.values(), ids=REFUSED)
def test_no_manifest(document: object, words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        distribution.contents(_document(document))


def test_challenges_are_read() -> None:
    header = 'Bearer realm="https://auth.example/token?a=b",service="here", scope="repository:x:pull,push"'

    assert distribution.challenges([header, "Basic realm=x"]) == [
        Challenge(
            "bearer",
            {"realm": "https://auth.example/token?a=b", "service": "here", "scope": "repository:x:pull,push"},
        ),
        Challenge("basic", {"realm": "x"}),
    ]


PLACES = {
    "hub": ("docker.io", (), [("https://registry-1.docker.io", True)]),
    "another": ("quay.io", (), [("https://quay.io", True)]),
    "loopback": ("127.0.0.9:5000", (), [("https://127.0.0.9:5000", False), ("http://127.0.0.9:5000", False)]),
    "localhost": (
        "localhost:5000",
        (),
        [("https://localhost:5000", False), ("http://localhost:5000", False)],
    ),
    "v6": ("[::1]:5000", (), [("https://[::1]:5000", False), ("http://[::1]:5000", False)]),
    "listed": ("reg:5000", ("reg:5000",), [("https://reg:5000", False), ("http://reg:5000", False)]),
    "other port": ("reg:5001", ("reg:5000",), [("https://reg:5001", True)]),
    "subnet": ("10.1.2.3", ("10.0.0.0/8",), [("https://10.1.2.3", False), ("http://10.1.2.3", False)]),
    "other subnet": ("11.1.2.3", ("10.0.0.0/8",), [("https://11.1.2.3", True)]),
}


@pytest.mark.parametrize(("domain", "insecure", "expected"), PLACES.values(), ids=PLACES)
def test_doors_of_a_registry(
    domain: str, insecure: tuple[str, ...], expected: list[tuple[str, bool]]
) -> None:
    found = doors(domain, RegistryOptions(insecure))

    assert [(door.url, door.verify) for door in found] == expected


def test_mirrors_are_of_docker_hub_and_for_pulls_only() -> None:
    options = RegistryOptions(mirrors=("https://mirror.example/",))
    hub = Door("https://registry-1.docker.io", "docker.io")

    assert doors("docker.io", options) == (Door("https://mirror.example", "mirror.example", mirror=True), hub)
    assert doors("docker.io", options, push=True) == (hub,)
    assert len(doors("quay.io", options)) == 1
