"""A served driver, asked by our own engine's transport over real sockets."""

import asyncio
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bridgehead.core.model.errors import PluginRefused
from bridgehead.core.remote import protocol as p
from bridgehead.host.plugin.discovery import Folders
from bridgehead.host.plugin.plugins import HostPlugins
from bridgehead.plugin import Serving
from bridgehead.plugin.door import AlreadyServed
from tests.plugin.drivers import Addresses, Network
from tests.support.wait import until


async def _ask(folder: Path, name: str = "tp") -> p.NetworkCapabilities:
    plugins = HostPlugins(Folders((str(folder),), (str(folder),)))
    try:
        return await plugins.call(name, "NetworkDriver.GetCapabilities", None, p.NetworkCapabilities)
    finally:
        await plugins.close()


async def test_calls_reach_the_driver_and_answers_the_engine(tmp_path: Path) -> None:
    network = Network()
    request = p.CreateEndpoint(network_id="n", endpoint_id="e", interface=p.EndpointInterface())
    plugins = HostPlugins(Folders((str(tmp_path),), ()))

    with Serving(network, Addresses(), socket=tmp_path / "tp.sock"):
        created = await plugins.call("tp", "NetworkDriver.CreateEndpoint", request, p.CreatedEndpoint)
        pool = await plugins.call("tp", "IpamDriver.RequestPool", p.RequestPool(address_space="a"), p.Pool)
        with pytest.raises(PluginRefused, match=r"^remote: never$"):
            await plugins.call("tp", "IpamDriver.ReleasePool", p.ReleasePool(pool_id="p"), p.Nothing)
        await plugins.close()

    assert network.asked == [request]
    assert created.interface is not None
    assert (created.interface.mac, str(pool.prefix)) == ("02:00:00:00:00:01", "10.0.0.0/8")


async def test_a_socket_is_private_and_goes_with_its_server(tmp_path: Path) -> None:
    path = tmp_path / "plugins/tp.sock"

    with Serving(Network(), socket=path) as serving:
        mode = path.stat().st_mode
        assert (await _ask(path.parent)).scope == "local"
        assert serving.address == f"unix://{path}"

    assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o600)
    assert list(path.parent.iterdir()) == []


async def test_a_dead_socket_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "tp.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    with Serving(Network(), socket=path):
        assert (await _ask(tmp_path)).scope == "local"
        with pytest.raises(AlreadyServed, match=re.escape(f"another plugin answers at {path}")):
            Serving(Network(), socket=path)
        assert (await _ask(tmp_path)).scope == "local"


def test_what_a_killed_one_left_beside_is_swept(tmp_path: Path) -> None:
    for name in ("tp.sock.123", ".tp.sock.123", ".other.sock.123"):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / name))

    with Serving(Network(), socket=tmp_path / "tp.sock"):
        left = {path.name for path in tmp_path.iterdir()}

    assert left == {"tp.sock", "tp.sock.123", ".other.sock.123"}


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "tp.sock"
    path.write_text("mine")

    with pytest.raises(AlreadyServed, match="is there and is no socket"):
        Serving(Network(), socket=path)

    assert path.read_text() == "mine"


def test_a_successors_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "tp.sock"

    with Serving(Network(), socket=path):
        path.unlink()
        with socket.socket(socket.AF_UNIX) as successor:
            successor.bind(str(path))

    assert path.exists()


async def test_a_port_is_announced_by_a_file(tmp_path: Path) -> None:
    with Serving(Network(), name="tp", tcp="127.0.0.1:0", spec=tmp_path) as serving:
        assert (tmp_path / "tp.spec").read_text() == f"{serving.address}\n"
        assert (await _ask(tmp_path)).scope == "local"

    assert not (tmp_path / "tp.spec").exists()


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({}, "a name is needed, or a socket"),
        ({"name": "../x"}, "'../x' is no name for a plugin"),
        ({"socket": "/x", "tcp": "h:1"}, "either a socket or a port"),
        ({"socket": "/x", "spec": "/etc"}, r"a \.spec file is for a plugin on a port"),
        ({"tcp": "h:1", "spec": "/etc"}, r"a name is needed for the \.spec file"),
        ({"tcp": "h"}, "'h' is not HOST:PORT"),
    ],
)
def test_where_to_listen_must_be_said_clearly(how: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Serving(Network(), **how)


async def test_a_call_under_way_is_answered_before_the_end(tmp_path: Path) -> None:
    begun, going = threading.Event(), threading.Event()

    class Slow(Network):
        def get_capabilities(self) -> p.NetworkCapabilities:
            begun.set()
            going.wait(10)
            return super().get_capabilities()

    serving = Serving(Slow(), socket=tmp_path / "tp.sock")
    call = asyncio.ensure_future(_ask(tmp_path))
    await asyncio.to_thread(begun.wait, 10)
    end = asyncio.ensure_future(asyncio.to_thread(serving.close))
    await asyncio.to_thread(until, lambda: not (tmp_path / "tp.sock").exists(), "the socket gone")
    going.set()

    assert (await call).scope == "local"
    await end


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /Plugin.Activate HTTP/1.1\r\n\r\n", 501),
        (b"POST /Plugin.Activate HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST /Plugin.Activate HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 411),
        (b"POST /Plugin.Activate HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 200),
        (b"POST /NetworkDriver.Nothing HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 404),
    ],
)
def test_a_strangers_words_are_answered_in_http(tmp_path: Path, sent: bytes, status: int) -> None:
    with Serving(Network(), socket=tmp_path / "tp.sock"), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(tmp_path / "tp.sock"))
        client.sendall(sent)

        said = client.recv(65536)

    assert str(status).encode() in said[:80]


_SCRIPT = """
import sys
from bridgehead.plugin import main
from tests.plugin.drivers import Network
main(Network(), name="tp", arguments=sys.argv[1:])
"""


def _start(*words: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, *words], stderr=subprocess.PIPE, text=True, env=environment
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_plugin_ends_when_told_and_starts_anew_after_it_was_killed(tmp_path: Path, number: int) -> None:
    path = tmp_path / "tp.sock"
    killed = _start("--socket", str(path))
    until(path.exists, "the socket")
    killed.kill()
    killed.communicate(timeout=10)

    assert path.exists()
    plugin = _start("--socket", str(path))
    until(lambda: _listens(path), "a socket that listens")
    assert asyncio.run(_ask(tmp_path)).scope == "local"
    plugin.send_signal(number)
    _, log = plugin.communicate(timeout=10)

    assert (plugin.returncode, path.exists()) == (0, False)
    assert 'NetworkDriver.GetCapabilities - -> 200 {"Scope":"local"}' in log


def test_a_plugin_that_cannot_start_says_why(tmp_path: Path) -> None:
    with Serving(Network(), socket=tmp_path / "tp.sock"):
        plugin = _start("--socket", str(tmp_path / "tp.sock"))
        _, log = plugin.communicate(timeout=10)

    assert (plugin.returncode, log) == (1, f"tp: another plugin answers at {tmp_path}/tp.sock\n")


def test_importing_is_light() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, bridgehead.plugin; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
    ).stdout.split()

    assert not {"aiohttp", "asyncio", "http.server", "argparse", "bridgehead.engine"} & {*loaded}


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
