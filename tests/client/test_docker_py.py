"""The Python client library that most tools are built on, against our daemon."""

import contextlib
import threading
from collections.abc import Iterator

import docker
import docker.errors
import docker.types
import pytest

from tests.support.daemon import Daemon

pytestmark = pytest.mark.host


@pytest.fixture
def client(daemon: Daemon) -> Iterator[docker.DockerClient]:
    with contextlib.closing(docker.DockerClient(base_url=f"unix://{daemon.socket}", timeout=20)) as connected:
        yield connected


def test_network_lives_its_life(client: docker.DockerClient) -> None:
    pool = docker.types.IPAMPool(subnet="10.95.0.0/24", gateway="10.95.0.254")

    network = client.networks.create(
        "lan", driver="bridge", labels={"tier": "back"}, ipam=docker.types.IPAMConfig(pool_configs=[pool])
    )
    found = client.networks.list(filters={"label": "tier=back"})
    network.reload()

    assert [network] == found
    assert network.attrs["IPAM"]["Config"][0]["Gateway"] == "10.95.0.254"
    network.remove()
    with pytest.raises(docker.errors.NotFound):
        client.networks.get("lan")


def test_container_runs_and_speaks(client: docker.DockerClient) -> None:
    said = client.containers.run("busybox", ["sh", "-c", "echo out; echo err >&2"], remove=True, stderr=True)

    assert {b"out", b"err"} == set(said.split())


def test_failing_container_raises_with_its_code(client: docker.DockerClient) -> None:
    with pytest.raises(docker.errors.ContainerError) as caught:
        client.containers.run("busybox", ["sh", "-c", "exit 9"], remove=True)

    assert caught.value.exit_status == 9


def test_container_is_attached_looked_into_and_removed(client: docker.DockerClient) -> None:
    network = client.networks.create("lan")
    container = client.containers.run("busybox", "sleep 1000", detach=True, name="box")

    network.connect(container, aliases=["alias"])
    network.reload()
    code, output = container.exec_run(["sh", "-c", "ip -o -4 address show eth1; exit 4"])
    network.disconnect(container)
    container.remove(force=True)
    network.remove()

    assert [container.id] == list(network.attrs["Containers"])
    assert (code, b"eth1" in output) == (4, True)


def test_logs_can_be_followed(client: docker.DockerClient) -> None:
    container = client.containers.run(
        "busybox", ["sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.1; done"], detach=True
    )

    lines = list(container.logs(stream=True, follow=True))
    container.remove()

    assert b"".join(lines) == b"1\n2\n3\n"


def test_events_tell_the_story_in_order(client: docker.DockerClient) -> None:
    seen: list[str] = []
    stream = client.events(decode=True)

    def listen() -> None:
        for event in stream:
            seen.append(f"{event['Type']} {event['Action']}")
            if event["Action"] == "destroy" and event["Type"] == "network":
                return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    network = client.networks.create("lan")
    client.containers.run("busybox", "true", network="lan", name="box")
    client.containers.get("box").remove()
    network.remove()
    listener.join(10)
    stream.close()

    assert seen == [
        "network create",
        "container create",
        "network connect",
        "container start",
        "container die",
        "network disconnect",
        "container destroy",
        "network destroy",
    ]
