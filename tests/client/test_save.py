"""`docker save`, and who can read it."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import docker as docker_py
import pytest

from tests.client import registry_images
from tests.support import registry as registries
from tests.support.daemon import Daemon
from tests.support.registry import skopeo

pytestmark = pytest.mark.host


@pytest.fixture
def two(daemon: Daemon) -> Iterator[list[str]]:
    """Two images that share a layer, by their names; the second has two."""
    for name in ("first", "second"):
        path = registry_images.saved(daemon.host.folder / f"{name}.tar", registry_images.layers(name))
        loaded = daemon.docker.ok("load", "-q", "-i", str(path))
        assert "any:tag" in loaded
        daemon.docker.ok("tag", "any:tag", f"{name}:1")
        daemon.docker.ok("rmi", "any:tag")
    daemon.docker.ok("tag", "second:1", "second:2")
    yield ["first:1", "second"]
    daemon.docker.ok("rmi", "first:1", "second:1", "second:2")


def _identifiers(daemon: Daemon, *names: str) -> list[str]:
    return [daemon.docker.ok("image", "inspect", "-f", "{{.Id}}", name) for name in names]


def test_the_reference_loads_what_we_save(daemon: Daemon, two: list[str], oracle: Daemon) -> None:
    archive = daemon.host.folder / "saved.tar"
    ours = _identifiers(daemon, "first:1", "second:1", "second:2")

    daemon.docker.ok("save", "-o", str(archive), *two)
    loaded = oracle.docker.ok("load", "-i", str(archive))

    assert {f"Loaded image: {name}" for name in ("first:1", "second:1", "second:2")} <= set(
        loaded.splitlines()
    )
    assert _identifiers(oracle, "first:1", "second:1", "second:2") == ours
    assert oracle.docker.ok("run", "--rm", "--network", "none", "second:1", "wc", "-c", "/own") == "1000 /own"
    oracle.docker.ok("rmi", "first:1", "second:1", "second:2")


def test_we_load_what_we_save_and_what_the_reference_saves(
    daemon: Daemon, two: list[str], oracle: Daemon, tmp_path: Path
) -> None:
    ours, theirs = tmp_path / "ours.tar", tmp_path / "theirs.tar"
    before = _identifiers(daemon, "first:1")
    daemon.docker.ok("save", "-o", str(ours), "first:1")
    oracle.docker.ok("load", "-i", str(ours))
    oracle.docker.ok("save", "-o", str(theirs), "first:1")

    for path in (ours, theirs):
        daemon.docker.ok("rmi", "first:1")
        assert daemon.docker.ok("load", "-i", str(path)) == "Loaded image: first:1"
        assert _identifiers(daemon, "first:1") == before
    oracle.docker.ok("rmi", "first:1")


@pytest.mark.skipif(not registries.available(), reason="no skopeo here: run script/bootstrap --registry")
def test_skopeo_reads_what_we_save_in_both_formats(daemon: Daemon, two: list[str]) -> None:
    archive = daemon.host.folder / "saved.tar"
    daemon.docker.ok("save", "-o", str(archive), "first:1")

    for kind in ("docker-archive", "oci-archive"):
        config = json.loads(skopeo(daemon.host, "inspect", "--config", f"{kind}:{archive}"))
        assert config["config"]["Cmd"] == ["cat", "/etc/group"]
        skopeo(daemon.host, "copy", f"{kind}:{archive}", f"dir:{daemon.host.folder}/{kind}")


def test_a_committed_container_is_saved_too(daemon: Daemon) -> None:
    daemon.docker.ok("run", "--name", "changed", "busybox", "sh", "-c", "echo new > /new; rm /etc/group")
    identifier = daemon.docker.ok("commit", "changed", "changed:1")
    archive = daemon.host.folder / "changed.tar"

    daemon.docker.ok("save", "-o", str(archive), "changed:1")
    daemon.docker.ok("rm", "changed")
    daemon.docker.ok("rmi", "changed:1")
    daemon.docker.ok("load", "-i", str(archive))

    assert _identifiers(daemon, "changed:1") == [identifier]
    assert (
        daemon.docker.ok("run", "--rm", "changed:1", "sh", "-c", "cat /new; ls /etc")
        == "new\nhostname\nhosts\nnot-executable\npasswd\nresolv.conf"
    )
    daemon.docker.ok("rmi", "changed:1")


def test_docker_py_saves_by_id_without_a_name(daemon: Daemon) -> None:
    client = docker_py.DockerClient(base_url=f"unix://{daemon.socket}")
    image = client.images.get("busybox")

    saved = b"".join(image.save())

    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        manifest = json.load(archive.extractfile("manifest.json") or io.BytesIO())
    assert manifest[0]["RepoTags"] is None
    client.close()


def test_what_is_not_here_is_not_saved(daemon: Daemon) -> None:
    answer = daemon.docker("save", "busybox", "nosuch:1", "-o", str(daemon.host.folder / "none.tar"))

    assert answer.code == 1
    assert "No such image: nosuch:1" in answer.err
    assert daemon.call("GET", "/images/get")[0] == 400
    assert daemon.call("GET", "/images/nosuch/get")[0] == 404
