"""The asyncio client library, against our daemon."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiodocker
import pytest

from tests.support.daemon import Daemon

pytestmark = pytest.mark.host


@pytest.fixture
async def client(daemon: Daemon) -> AsyncIterator[aiodocker.Docker]:
    async with aiodocker.Docker(url=f"unix://{daemon.socket}") as connected:
        yield connected


async def test_containers_meet_on_a_network(client: aiodocker.Docker) -> None:
    network = await client.networks.create({"Name": "lan", "Driver": "bridge", "CheckDuplicate": True})
    config = {"Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": "lan"}}
    one = await client.containers.create_or_replace("one", config)
    two = await client.containers.create_or_replace("two", {**config, "Cmd": ["ping", "-c", "1", "one"]})
    await one.start()

    await two.start()
    ended = await asyncio.wait_for(two.wait(), 20)
    said = "".join(await two.log(stdout=True))
    members = (await network.show())["Containers"]
    await one.delete(force=True)
    await two.delete(force=True)
    await network.delete()

    assert ended["StatusCode"] == 0
    assert "1 packets received" in said
    assert list(members) == [one.id]


async def test_events_are_heard_while_they_happen(client: aiodocker.Docker) -> None:
    # It asks in its own time, which may be after the first of what is to be heard.
    heard = client.events.subscribe(since=str(int(time.time())), filters='{"volume": ["data"]}')

    volume = await client.volumes.create({"Name": "data", "Labels": {"a": "b"}})
    listed = await client.volumes.list()
    await volume.delete()
    seen = [await asyncio.wait_for(heard.get(), 10) for _ in range(2)]

    assert [(event["Type"], event["Action"]) for event in seen] == [
        ("volume", "create"),
        ("volume", "destroy"),
    ]
    assert [entry["Name"] for entry in listed["Volumes"]] == ["data"]


async def test_command_is_run_inside_with_its_input(client: aiodocker.Docker) -> None:
    container = await client.containers.run({"Image": "busybox", "Cmd": ["sleep", "1000"]}, name="box")

    execution = await container.exec(["cat"], stdin=True)
    async with execution.start() as stream:
        await stream.write_in(b"echo\n")
        answer = await asyncio.wait_for(stream.read_out(), 10)
    shown = await container.show()
    await container.delete(force=True)

    assert answer is not None
    assert answer.data == b"echo\n"
    assert shown["State"]["Running"]


async def test_refusals_carry_status_and_sentence(client: aiodocker.Docker) -> None:
    with pytest.raises(aiodocker.exceptions.DockerError, match="network nothing not found") as refused:
        await (await client.networks.get("nothing")).show()

    assert refused.value.status == 404
