"""`attach/ws` on a real daemon: a container's streams over a websocket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.client import sandboxes
from tests.client.sandboxes import add
from tests.support.daemon import Daemon

pytestmark = pytest.mark.host

_LIMIT_S = 10
_ALL = "stream=1&stdin=1&stdout=1&stderr=1"


@pytest.fixture
async def session(daemon: Daemon) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.UnixConnector(path=str(daemon.socket))
    async with aiohttp.ClientSession("http://localhost", connector=connector) as session:
        yield session


@pytest.fixture
def box(daemon: Daemon) -> Iterator[str]:
    yield "box"
    daemon.docker.ok("rm", "-f", "box")


async def _heard(socket: aiohttp.ClientWebSocketResponse) -> bytes:
    """All that comes until the daemon closes."""
    heard = b""
    async with asyncio.timeout(_LIMIT_S):
        async for message in socket:
            heard += message.data if message.type is aiohttp.WSMsgType.BINARY else message.data.encode()
    return heard


async def test_streams_go_both_ways_and_end_with_the_container(
    daemon: Daemon, session: aiohttp.ClientSession, box: str
) -> None:
    script = "read line; echo got $line; echo failed >&2"
    daemon.docker.ok("create", "-i", "--name", box, "busybox", "sh", "-c", script)

    async with session.ws_connect(f"/v1.48/containers/{box}/attach/ws?{_ALL}") as socket:
        daemon.docker.ok("start", box)
        await socket.send_bytes(b"wo")
        await socket.send_str("rd\n")
        heard = await _heard(socket)

    assert sorted(heard.splitlines()) == [b"failed", b"got word"]
    assert daemon.docker.ok("wait", box) == "0"


async def test_old_versions_are_told_text(daemon: Daemon, session: aiohttp.ClientSession, box: str) -> None:
    daemon.docker.ok("create", "--name", box, "busybox", "echo", "hello")

    async with session.ws_connect(f"/v1.27/containers/{box}/attach/ws?{_ALL}") as socket:
        daemon.docker.ok("start", box)
        message = await socket.receive(_LIMIT_S)

    assert (message.type, message.data) == (aiohttp.WSMsgType.TEXT, "hello\n")


async def test_what_was_said_comes_first(daemon: Daemon, session: aiohttp.ClientSession, box: str) -> None:
    daemon.docker.ok("run", "--name", box, "busybox", "sh", "-c", "echo out; echo err >&2")

    query = "logs=1&stdout=1"
    async with session.ws_connect(f"/v1.48/containers/{box}/attach/ws?{query}") as socket:
        assert await _heard(socket) == b"out\n"


async def test_a_client_that_leaves_takes_nothing_with_it(
    daemon: Daemon, session: aiohttp.ClientSession, box: str
) -> None:
    daemon.docker.ok("run", "-d", "-t", "--name", box, "busybox", "cat")
    async with session.ws_connect(f"/v1.48/containers/{box}/attach/ws?{_ALL}") as socket:
        await socket.send_bytes(b"x" * 100)

    async with session.ws_connect(f"/v1.48/containers/{box}/attach/ws?{_ALL}") as socket:
        await socket.close()

    assert daemon.docker.ok("inspect", "-f", "{{.State.Status}}", box) == "running"


async def test_keys_detach(daemon: Daemon, session: aiohttp.ClientSession, box: str) -> None:
    daemon.docker.ok("run", "-d", "-t", "-i", "--name", box, "busybox", "cat")

    async with session.ws_connect(f"/v1.48/containers/{box}/attach/ws?{_ALL}&detachKeys=ctrl-x") as socket:
        await socket.send_bytes(b"\x18")
        await _heard(socket)

    assert daemon.docker.ok("inspect", "-f", "{{.State.Status}}", box) == "running"


async def test_too_long_a_message_ends_the_connection_alone(
    daemon: Daemon, session: aiohttp.ClientSession, box: str
) -> None:
    daemon.docker.ok("run", "-d", "-i", "--name", box, "busybox", "sleep", "1000")

    async with session.ws_connect(f"/v1.48/containers/{box}/attach/ws?{_ALL}") as socket:
        with contextlib.suppress(ConnectionError):
            await socket.send_bytes(bytes(2 << 20))
        await _heard(socket)

    assert daemon.docker.ok("inspect", "-f", "{{.State.Status}}", box) == "running"


async def test_what_cannot_be_attached_to_is_said_before_the_handshake(
    daemon: Daemon, session: aiohttp.ClientSession, box: str
) -> None:
    daemon.docker.ok("run", "-d", "--name", box, "busybox", "sleep", "1000")
    plain = daemon.call("GET", f"/containers/{box}/attach/ws")
    daemon.docker.ok("pause", box)

    assert plain[0] == 400
    for name, status in ((box, 409), ("nobody", 404)):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"/v1.48/containers/{name}/attach/ws?{_ALL}")
        assert refused.value.status == status
    daemon.docker.ok("unpause", box)


async def test_a_guest_has_no_streams(daemon: Daemon, session: aiohttp.ClientSession) -> None:
    for lan in sandboxes.lan(daemon):
        add(lan, "guest")

        status, said = lan.call("GET", "/containers/guest/attach/ws")

        assert (status, "no container but a sandbox" in said["message"]) == (409, True), said
