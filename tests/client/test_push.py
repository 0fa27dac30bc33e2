"""Images into a real registry, and what others make of them."""

import json
from collections.abc import Iterator

import docker as docker_py
import pytest

from tests.client import registry_images
from tests.support import registry as registries
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.oracle import available as oracle_available
from tests.support.oracle import oracle as make_oracle
from tests.support.registry import Registry, skopeo
from tests.support.testhost import Host

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(
        not registries.available(), reason="no registry here: run script/bootstrap --registry"
    ),
]


@pytest.fixture
def daemon(host: Host) -> Iterator[Daemon]:
    """Our daemon with one image of two layers, called first:1."""
    with bridgehead(host) as running:
        path = registry_images.saved(host.folder / "first.tar", registry_images.layers("first"))
        running.docker.ok("load", "-q", "-i", str(path))
        running.docker.ok("tag", "any:tag", "first:1")
        running.docker.ok("rmi", "any:tag")
        yield running


@pytest.fixture
def registry(daemon: Daemon) -> Iterator[Registry]:
    with Registry(daemon.host) as running:
        yield running


def _tag(daemon: Daemon, name: str) -> str:
    daemon.docker.ok("tag", "first:1", name)
    return name


def test_what_is_pushed_is_what_skopeo_and_we_get(daemon: Daemon, registry: Registry) -> None:
    name = _tag(daemon, f"{registry.address}/deep/first:1")

    shown = daemon.docker.ok("push", name)

    digest = json.loads(daemon.docker.ok("image", "inspect", "-f", "{{json .RepoDigests}}", name))[0]
    assert shown.splitlines()[0] == f"The push refers to repository [{registry.address}/deep/first]"
    assert f"1: digest: {digest.partition('@')[2]} size: " in shown
    assert shown.count("Pushed") == 2
    seen = json.loads(skopeo(daemon.host, "inspect", "--tls-verify=false", f"docker://{name}"))
    assert digest.endswith(seen["Digest"])
    daemon.docker.ok("rmi", name, "first:1")
    assert daemon.docker.ok("run", "--rm", name, "wc", "-c", "/own") == "1000 /own"
    assert daemon.docker.ok("image", "inspect", "-f", "{{.Id}}", name) == registry_images.identifier(
        registry_images.layers("first")
    )


def test_what_the_registry_has_is_not_sent_again(daemon: Daemon, registry: Registry) -> None:
    daemon.docker.ok("push", _tag(daemon, f"{registry.address}/first:1"))

    again = daemon.docker.ok("push", _tag(daemon, f"{registry.address}/first:2"))

    assert again.count("Layer already exists") == 2
    assert "Pushed" not in again


def test_every_tag_of_a_repository_is_pushed_when_asked_for(daemon: Daemon, registry: Registry) -> None:
    for tag in ("1", "2"):
        _tag(daemon, f"{registry.address}/first:{tag}")

    daemon.docker.ok("push", "-a", f"{registry.address}/first")

    listed = json.loads(
        skopeo(daemon.host, "list-tags", "--tls-verify=false", f"docker://{registry.address}/first")
    )
    assert sorted(listed["Tags"]) == ["1", "2"]


def test_the_digests_of_a_repository_go_with_its_last_tag(daemon: Daemon, registry: Registry) -> None:
    name = _tag(daemon, f"{registry.address}/first:1")
    daemon.docker.ok("push", name)
    (digest,) = json.loads(daemon.docker.ok("image", "inspect", "-f", "{{json .RepoDigests}}", name))

    shown = daemon.docker.ok("rmi", name)

    assert shown.splitlines() == [f"Untagged: {name}", f"Untagged: {digest}"]
    assert daemon.docker.ok("image", "inspect", "-f", "{{json .RepoDigests}}", "first:1") == "[]"


def test_an_image_goes_with_its_last_digest(daemon: Daemon, registry: Registry) -> None:
    name = _tag(daemon, f"{registry.address}/first:1")
    daemon.docker.ok("push", name)
    (digest,) = json.loads(daemon.docker.ok("image", "inspect", "-f", "{{json .RepoDigests}}", name))
    daemon.docker.ok("rmi", name, "first:1")
    daemon.docker.ok("pull", digest)

    shown = daemon.docker.ok("rmi", digest)

    assert [line.partition(":")[0] for line in shown.splitlines()] == ["Untagged", "Deleted"]


def test_a_password_is_needed_to_push(daemon: Daemon) -> None:
    with Registry(daemon.host, 5001, password=True) as closed:
        name = _tag(daemon, f"{closed.address}/first:1")

        before = daemon.docker("push", name)
        daemon.docker.ok("login", "-u", "user", "-p", "secret", closed.address)
        daemon.docker.ok("push", name)

    assert before.code == 1
    assert "no basic auth credentials" in before.err


def test_pushes_that_cannot_be_are_refused_as_docker_does(daemon: Daemon, registry: Registry) -> None:
    missing = daemon.docker("push", f"{registry.address}/nosuch:1")
    silent = daemon.docker("push", _tag(daemon, "127.0.0.1:5999/first:1"))

    assert missing.err == f"An image does not exist locally with the tag: {registry.address}/nosuch\n"
    assert "cannot connect: Connection refused" in silent.err
    assert (missing.code, silent.code) == (1, 1)


def test_docker_py_hears_of_the_digest(daemon: Daemon, registry: Registry) -> None:
    client = docker_py.DockerClient(base_url=f"unix://{daemon.socket}")
    _tag(daemon, f"{registry.address}/first:1")

    told = list(client.images.push(f"{registry.address}/first", tag="1", stream=True, decode=True))

    (said,) = [line["aux"] for line in told if "aux" in line]
    assert said["Tag"] == "1"
    assert client.images.get_registry_data(f"{registry.address}/first:1").id == said["Digest"]
    client.close()


def test_the_reference_and_we_share_a_registry(daemon: Daemon, registry: Registry) -> None:
    if not oracle_available():
        pytest.skip("no dockerd here: run script/bootstrap --oracle")
    ours, theirs = f"{registry.address}/ours:1", f"{registry.address}/theirs:1"
    expected = registry_images.identifier(registry_images.layers("first"))
    daemon.docker.ok("push", _tag(daemon, ours))
    daemon.stop()

    reference = make_oracle(daemon.host)
    reference.socket.unlink(missing_ok=True)
    with reference:
        reference.docker.ok("pull", ours)
        assert reference.docker.ok("image", "inspect", "-f", "{{.Id}}", ours) == expected
        reference.docker.ok("tag", ours, theirs)
        reference.docker.ok("push", theirs)
    daemon.start()
    daemon.docker.ok("rmi", "-f", expected)
    daemon.docker.ok("pull", theirs)

    assert daemon.docker.ok("image", "inspect", "-f", "{{.Id}}", theirs) == expected
    assert daemon.docker.ok("run", "--rm", theirs, "wc", "-c", "/own") == "1000 /own"
