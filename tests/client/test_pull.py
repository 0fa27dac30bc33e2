"""Images out of a real registry, by the real docker command line."""

import json
from collections.abc import Iterator
from typing import Any

import docker as docker_py
import pytest

from tests.client import registry_images
from tests.support import registry as registries
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.registry import Registry
from tests.support.testhost import Host

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(
        not registries.available(), reason="no registry here: run script/bootstrap --registry"
    ),
]


@pytest.fixture(scope="module")
def machine() -> Iterator[Daemon]:
    with Host("pulls") as host, bridgehead(host) as running:
        yield running


@pytest.fixture(scope="module")
def registry(machine: Daemon) -> Iterator[Registry]:
    with Registry(machine.host) as running:
        archive = registry_images.saved(machine.host.folder / "one.tar", registry_images.layers("one"))
        running.push(archive, "one:1")
        running.push(archive, "one:2")
        yield running


@pytest.fixture
def daemon(machine: Daemon) -> Iterator[Daemon]:
    yield machine
    if containers := machine.docker.ok("ps", "-aq").split():
        machine.docker.ok("rm", "-f", *containers)
    if images := set(machine.docker.ok("images", "-aq").split()):
        machine.docker.ok("rmi", "-f", *images)
    assert list((machine.host.folder / "data/layers").iterdir()) == []


def _inspected(daemon: Daemon, name: str) -> Any:
    return json.loads(daemon.docker.ok("image", "inspect", name))[0]


def _pull(daemon: Daemon, name: str, tag: str, **more: str) -> tuple[int, list[Any]]:
    """Status and lines of the API itself."""
    query = "&".join(f"{key}={value}" for key, value in {"fromImage": name, "tag": tag, **more}.items())
    connection = daemon.connection()
    connection.request("POST", f"/images/create?{query}")
    response = connection.getresponse()
    lines = [json.loads(line) for line in response.read().splitlines()]
    connection.close()
    return response.status, lines


def test_pull_gives_the_image_its_own_id_digest_and_files(daemon: Daemon, registry: Registry) -> None:
    name = f"{registry.address}/one"

    shown = daemon.docker.ok("pull", f"{name}:1")

    found = _inspected(daemon, f"{name}:1")
    digest = found["RepoDigests"][0]
    assert found["Id"] == registry_images.identifier(registry_images.layers("one"))
    assert found["RepoTags"] == [f"{name}:1"]
    assert f"Digest: {digest.partition('@')[2]}" in shown
    assert f"Status: Downloaded newer image for {name}:1" in shown
    assert "root" in daemon.docker.ok("run", "--rm", f"{name}:1", "cat", "/etc/group")
    assert "up to date" in daemon.docker.ok("pull", f"{name}:1")
    assert digest in daemon.docker.ok("images", "--digests", "--format", "{{.Repository}}@{{.Digest}}")


def test_run_pulls_what_is_missing(daemon: Daemon, registry: Registry) -> None:
    answer = daemon.docker("run", "--rm", f"{registry.address}/one:1", "echo", "here")

    assert (answer.code, answer.out) == (0, "here\n"), answer
    assert f"Unable to find image '{registry.address}/one:1' locally" in answer.err
    assert "Pull complete" in answer.err


def test_progress_has_the_shape_of_dockers(daemon: Daemon, registry: Registry) -> None:
    status, lines = _pull(daemon, f"{registry.address}/one", "1")

    assert status == 200
    assert lines[0] == {"status": "Pulling from one", "id": "1"}
    layers = [line for line in lines if line.get("progressDetail") is not None]
    assert {len(line["id"]) for line in layers} == {12}
    assert {line["status"] for line in layers} >= {"Pulling fs layer", "Pull complete"}
    assert [line["status"].split(":")[0] for line in lines[-2:]] == ["Digest", "Status"]


def test_a_digest_is_as_good_as_a_tag(daemon: Daemon, registry: Registry) -> None:
    daemon.docker.ok("pull", f"{registry.address}/one:1")
    digest = _inspected(daemon, f"{registry.address}/one:1")["RepoDigests"][0]
    daemon.docker.ok("rmi", f"{registry.address}/one:1")

    daemon.docker.ok("pull", digest)

    assert _inspected(daemon, digest)["RepoTags"] == []
    assert daemon.docker.ok("run", "--rm", digest, "echo", "here") == "here"
    assert f"Untagged: {digest}" in daemon.docker.ok("rmi", digest)


def test_every_tag_is_pulled_when_asked_for(daemon: Daemon, registry: Registry) -> None:
    daemon.docker.ok("pull", "-a", f"{registry.address}/one")

    tags = sorted(_inspected(daemon, f"{registry.address}/one:1")["RepoTags"])
    assert tags == [f"{registry.address}/one:1", f"{registry.address}/one:2"]


def test_docker_py_pulls(daemon: Daemon, registry: Registry) -> None:
    client = docker_py.DockerClient(base_url=f"unix://{daemon.socket}")

    image = client.images.pull(f"{registry.address}/one", tag="2")

    assert image.tags == [f"{registry.address}/one:2"]
    with pytest.raises(docker_py.errors.NotFound, match="manifest unknown"):
        client.images.pull(f"{registry.address}/one", tag="nosuch")
    client.close()


def test_refusals_are_dockers(daemon: Daemon, registry: Registry) -> None:
    name = registry.address

    unknown = daemon.docker("pull", f"{name}/one:nosuch")
    silent = daemon.docker("pull", "127.0.0.1:5999/one")
    other = daemon.docker("pull", "--platform", "linux/arm64", f"{name}/one:1")

    assert unknown.err == (
        f"Error response from daemon: manifest for {name}/one:nosuch not found: "
        "manifest unknown: manifest unknown\n"
    )
    assert "127.0.0.1:5999" in silent.err
    assert "wanted linux/arm64, actual: linux/amd64" in other.err
    assert (unknown.code, silent.code, other.code) == (1, 1, 1)
    assert daemon.docker.ok("images", "-q") == ""


def test_a_password_is_asked_for_and_taken(daemon: Daemon) -> None:
    with Registry(daemon.host, 5001, password=True) as closed:
        archive = registry_images.saved(daemon.host.folder / "closed.tar", registry_images.layers("closed"))
        closed.push(archive, "closed:1", "--dest-creds", "user:secret")
        name = f"{closed.address}/closed:1"

        before = daemon.docker("pull", name)
        daemon.docker.ok("login", "-u", "user", "-p", "secret", closed.address)
        wrong = daemon.docker("login", "-u", "user", "-p", "guess", "localhost:5001")
        daemon.docker.ok("pull", name)
        daemon.docker.ok("logout", closed.address)

    assert "no basic auth credentials" in before.err
    assert wrong.code == 1
    assert "unauthorized" in wrong.err


def test_events_tell_of_a_pull(daemon: Daemon, registry: Registry) -> None:
    name = f"{registry.address}/one"
    began = daemon.host.run("date", "+%s.%N").stdout.strip()

    daemon.docker.ok("pull", f"{name}:1")

    ended = daemon.host.run("date", "+%s.%N").stdout.strip()
    told = daemon.docker.ok(
        "events", "--since", began, "--until", ended, "--format", "{{.Action}} {{.Actor.ID}}"
    )
    assert f"pull {name}:1" in told


REFUSALS = {
    "no proof": (
        "POST",
        "/images/create?fromImage=busybox&tag=1",
        "$$$",
        400,
        "invalid X-Registry-Auth header",
    ),
    "no name": ("POST", "/images/create?fromImage=UPPER&tag=1", "", 400, "must be lowercase"),
    "no platform": (
        "POST",
        "/images/create?fromImage=a&tag=1&platform=a/b/c/d",
        "",
        400,
        "unknown operating",
    ),
    "push by digest": (
        "POST",
        f"/images/a@sha256:{'0' * 64}/push",
        "",
        400,
        "cannot push a digest reference",
    ),
    "search": ("GET", "/images/search?term=x", "", 501, "only Docker Hub can be searched"),
    "no such registry": ("GET", "/distribution/127.0.0.1:5999/x:1/json", "", 500, "Connection refused"),
}


@pytest.mark.parametrize(("method", "path", "proof", "status", "words"), REFUSALS.values(), ids=REFUSALS)
def test_requests_that_make_no_sense_are_refused(
    daemon: Daemon, method: str, path: str, proof: str, status: int, words: str
) -> None:
    connection = daemon.connection()
    connection.request(method, path, headers={"X-Registry-Auth": proof})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()

    assert (response.status, words in body) == (status, True), body
