"""The library that drives the docker command line and checks its JSON strictly, against our daemon."""

from pathlib import Path

import pytest
import python_on_whales
from python_on_whales import DockerClient, exceptions

from tests.support import compose
from tests.support.daemon import Daemon
from tests.support.docker import DOCKER

pytestmark = [pytest.mark.host, pytest.mark.timeout(120)]


@pytest.fixture
def whales(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> DockerClient:
    for name in ("DOCKER_CONFIG", "DOCKER_HOST"):
        monkeypatch.setenv(name, daemon.docker.environment[name])
    return DockerClient(client_call=[DOCKER], client_type="docker")


def test_network_and_containers_live_their_lives(whales: DockerClient) -> None:
    network = whales.network.create("lan", subnet="10.93.0.0/24", labels={"tier": "back"})

    box = whales.run(
        "busybox", ["sleep", "1000"], name="box", detach=True, networks=["lan"], publish=[(18090, 80)]
    )
    other = whales.run("busybox", ["sleep", "1000"], name="other", detach=True)
    whales.network.connect(network, other, alias="peer", ip="10.93.0.77")
    said = whales.execute("box", ["ping", "-c", "1", "peer"])
    members = {member.name for member in whales.network.inspect("lan").containers.values()}
    ports = whales.container.inspect("box").network_settings.ports
    whales.network.disconnect(network, other)
    whales.container.remove([box, other], force=True)
    network.remove()

    assert "10.93.0.77" in said
    assert members == {"box", "other"}
    assert ports["80/tcp"][0]["HostPort"] == "18090"


def test_volumes_and_health_are_understood(whales: DockerClient) -> None:
    volume = whales.volume.create("data", labels={"a": "b"})

    box = whales.run(
        "busybox",
        ["sleep", "1000"],
        name="box",
        detach=True,
        volumes=[(volume, "/m")],
        health_cmd="true",
        health_interval=1,
    )
    state, mounts = box.state, box.mounts
    box.remove(force=True)
    listed = whales.volume.list(filters=[("label", "a=b")])
    volume.remove()

    assert state.health is not None
    assert state.health.status == "starting"
    assert [(mount.type, mount.name) for mount in mounts] == [("volume", "data")]
    assert [found.name for found in listed] == ["data"]


def test_daemon_describes_itself(whales: DockerClient) -> None:
    assert whales.info().driver == "overlay2"
    assert whales.version().server.version


def test_refusal_is_an_exception(whales: DockerClient) -> None:
    with pytest.raises(exceptions.DockerException, match="not found"):
        whales.network.inspect("nothing")


def test_compose_project_goes_up_and_down(whales: DockerClient, daemon: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services: {box: {image: busybox, command: [sleep, '1000'], stop_signal: SIGKILL}}\n")
    compose.new(daemon, file, "small")
    project = python_on_whales.DockerClient(
        client_call=[DOCKER], client_type="docker", compose_files=[file], compose_project_name="small"
    )

    project.compose.up(detach=True)
    running = [container.name for container in project.compose.ps()]
    project.compose.down()

    assert running == ["small-box-1"]
    assert whales.container.list(all=True) == []
