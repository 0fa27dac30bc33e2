import json
import time

import pytest

from bridgehead.cli.images import split_reference
from tests.cli.scripted import Says, says


def lines(*messages):
    return Says(body=b"".join(json.dumps(message).encode() + b"\n" for message in messages))


def test_images_is_dockers_table(daemon, bridgehead):
    image = {
        "Id": "sha256:" + "ab" * 32,
        "RepoTags": ["busybox:latest"],
        "Created": time.time() - 5,
        "Size": 1215488,
    }
    daemon.on("GET", "/images/json", says([image]))

    assert bridgehead("images").out == (
        "REPOSITORY   TAG       IMAGE ID       CREATED         SIZE\n"
        "busybox      latest    abababababab   5 seconds ago   1.22MB\n"
    )


def test_import_sends_the_archive_and_prints_the_id(daemon, bridgehead, tmp_path):
    archive = tmp_path / "rootfs.tar"
    archive.write_bytes(b"tar" * 100_000)
    daemon.on("POST", "/images/create", lines({"status": "sha256:abc"}))

    outcome = bridgehead("import", "-c", "CMD sh", "-c", "ENV A=b", str(archive), "busybox:1")

    assert (outcome.code, outcome.out) == (0, "sha256:abc\n")
    asked = daemon.asked[0]
    assert archive.read_bytes() == asked.body
    assert asked.query == {
        "fromSrc": ["-"],
        "repo": ["busybox"],
        "tag": ["1"],
        "changes": ["CMD sh", "ENV A=b"],
    }


def test_commit_sends_its_words_and_prints_the_id(daemon, bridgehead):
    daemon.on("POST", "/commit", says({"Id": "sha256:abc"}, 201))

    outcome = bridgehead("commit", "-m", "why", "--no-pause", "-c", "CMD sh", "web", "mine:1")

    assert (outcome.code, outcome.out) == (0, "sha256:abc\n")
    assert daemon.asked[0].query == {
        "container": ["web"],
        "repo": ["mine"],
        "tag": ["1"],
        "comment": ["why"],
        "changes": ["CMD sh"],
        "pause": ["0"],
    }


def test_an_error_behind_a_good_status_is_an_error(daemon, bridgehead, tmp_path):
    archive = tmp_path / "rootfs.tar"
    archive.write_bytes(b"not a tar")
    daemon.on("POST", "/images/load", lines({"stream": "Loading\n"}, {"error": "not an image"}))

    outcome = bridgehead("load", "-i", str(archive))

    assert (outcome.code, outcome.out, outcome.err) == (1, "Loading\n", "not an image\n")


def test_rmi_tells_what_went(daemon, bridgehead):
    daemon.on("DELETE", "/images/busybox", says([{"Untagged": "busybox:latest"}, {"Deleted": "sha256:abc"}]))

    assert bridgehead("rmi", "busybox").out == "Untagged: busybox:latest\nDeleted: sha256:abc\n"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("busybox", ("busybox", "")),
        ("busybox:1", ("busybox", "1")),
        ("host:5000/a/b", ("host:5000/a/b", "")),
        ("host:5000/a/b:c", ("host:5000/a/b", "c")),
    ],
)
def test_a_tag_is_behind_the_last_slash(reference, expected):
    assert expected == split_reference(reference)


def test_images_know_their_digests_and_sizes(daemon, bridgehead):
    entry = {
        "Id": "sha256:" + "ab" * 32,
        "RepoTags": ["example/box:v2"],
        "RepoDigests": ["example/box@sha256:12"],
        "Created": 0,
        "Size": 1_984_000,
        "Containers": 2,
        "SharedSize": -1,
    }
    daemon.on("GET", "/images/json", says([entry, {**entry, "RepoTags": [], "RepoDigests": []}]))

    shown = bridgehead(
        "images", "--format", "{{.Repository}}|{{.Digest}}|{{.Containers}}|{{.UniqueSize}}"
    ).out

    assert shown == "example/box|sha256:12|2|N/A\n<none>|<none>|2|N/A\n"


@pytest.mark.parametrize(
    ("words", "method", "path"),
    [
        (("history", "box"), "GET", "/images/box/history"),
        (("image", "inspect", "box"), "GET", "/images/box/json"),
        (("save", "box"), "GET", "/images/get"),
    ],
)
def test_a_platform_is_said_as_the_api_wants_it(daemon, bridgehead, words, method, path):
    daemon.on(method, path, says([]))

    bridgehead(*words, "--platform", "linux/arm/v7")

    wanted = json.loads(daemon.asked[0].query["platform"][0])
    assert wanted == {"os": "linux", "architecture": "arm", "variant": "v7"}
