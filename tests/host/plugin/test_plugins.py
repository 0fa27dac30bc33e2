"""Calls over real sockets: what is sent, what is repeated, what a plugin's life is."""

import asyncio
import json
import re
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bridgehead.core.model.errors import (
    NotFound,
    PluginAnswer,
    PluginMissing,
    PluginRefused,
    PluginUnreachable,
)
from bridgehead.core.remote import protocol as p
from bridgehead.engine.world import Plugins
from bridgehead.host.plugin.late import LatePlugins
from bridgehead.host.plugin.limits import Limits
from tests.host.plugin.scripted import BOTH, QUICK, Asked, Scripted, always, asking, http, said

_CREATE = p.CreateNetwork(network_id="n")
_CREATE_BODY = b'{"NetworkID":"n","Options":{},"IPv4Data":[],"IPv6Data":[]}'
_LOCAL = said({"Scope": "local"})


async def test_a_question_is_sent_as_docker_sends_it(tmp_path: Path) -> None:
    async with Scripted(always(said({}))) as plugin, asking(tmp_path) as plugins:
        await plugin.at(tmp_path / "run/tp.sock")

        await plugins.call("tp", "NetworkDriver.CreateNetwork", _CREATE, p.Nothing)

    assert plugin.asked == [
        Asked(
            "Plugin.Activate",
            {
                "Host": "plugin.moby.localhost",
                "Accept": "application/vnd.docker.plugins.v1.2+json",
                "User-Agent": "bridgehead",
                "Content-Length": "0",
            },
            b"",
        ),
        Asked(
            "NetworkDriver.CreateNetwork",
            {
                "Host": "plugin.moby.localhost",
                "Accept": "application/vnd.docker.plugins.v1.2+json",
                "User-Agent": "bridgehead",
                "Content-Length": str(len(_CREATE_BODY)),
            },
            _CREATE_BODY,
        ),
    ]


async def test_connections_are_kept_and_let_go_in_the_end(tmp_path: Path) -> None:
    async with Scripted(always(_LOCAL)) as plugin:
        await plugin.at(tmp_path / "run/tp.sock")
        async with asking(tmp_path) as plugins:
            for _ in range(5):
                await plugins.call("tp", "NetworkDriver.GetCapabilities", None, p.NetworkCapabilities)
            assert (plugin.connections, plugin.open) == (1, 1)

        await asyncio.wait_for(plugin.idle.wait(), 5)


async def test_questions_at_the_same_time_are_answered_each(tmp_path: Path) -> None:
    async def slowly(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.01)
        writer.write(
            said(BOTH) if asked.method == "Plugin.Activate" else http(b'{"Value": {"echo": %s}}' % asked.body)
        )

    async with Scripted(slowly) as plugin, asking(tmp_path) as plugins:
        await plugin.at(tmp_path / "run/tp.sock")

        found = await asyncio.gather(
            *(
                plugins.call(
                    "tp",
                    "NetworkDriver.EndpointOperInfo",
                    p.EndpointOperInfo(network_id="n", endpoint_id=str(number)),
                    p.OperInfo,
                )
                for number in range(40)
            )
        )

    assert [info.value["echo"]["EndpointID"] for info in found] == [str(number) for number in range(40)]
    assert plugin.methods.count("Plugin.Activate") == 1


async def test_a_missing_plugin_fails_at_once(tmp_path: Path) -> None:
    async with asking(tmp_path, Limits()) as plugins:
        start = time.monotonic()

        with pytest.raises(PluginMissing, match=r'plugin "tp" not found: looked for tp\.sock in '):
            await plugins.activate("tp", "NetworkDriver")

    assert time.monotonic() - start < 0.5


async def test_a_plugin_of_another_kind_is_refused(tmp_path: Path) -> None:
    async with Scripted(lambda _, writer: writer.write(said({"Implements": ["VolumeDriver"]}))) as plugin:
        await plugin.at(tmp_path / "run/tp.sock")
        words = (
            'Plugin does not implement the requested driver: plugin="tp", '
            'requested implementation="NetworkDriver"'
        )
        async with asking(tmp_path) as plugins:
            with pytest.raises(NotFound, match=re.escape(words)):
                await plugins.activate("tp", "NetworkDriver")
            with pytest.raises(NotFound, match=re.escape(words)):
                await plugins.call("tp", "NetworkDriver.CreateNetwork", _CREATE, p.Nothing)

    assert plugin.methods == ["Plugin.Activate"] * 2  # it may have learnt since


async def test_activation_tells_the_number_of_a_life(tmp_path: Path) -> None:
    path = tmp_path / "run/tp.sock"
    async with asking(tmp_path) as plugins:
        async with Scripted(always(_LOCAL)) as plugin:
            await plugin.at(path)
            first = {await plugins.activate("tp", kind) for kind in ("NetworkDriver", "IpamDriver") * 2}
            await plugins.call("tp", "NetworkDriver.GetCapabilities", None, p.NetworkCapabilities)
        path.unlink(missing_ok=True)
        async with Scripted(always(_LOCAL)) as again:
            await again.at(path)
            await plugins.call("tp", "NetworkDriver.GetCapabilities", None, p.NetworkCapabilities)
            second = {await plugins.activate("tp", "NetworkDriver") for _ in range(2)}

    assert (first, second) == ({1}, {2})
    assert plugin.methods == again.methods == ["Plugin.Activate", "NetworkDriver.GetCapabilities"]


async def test_a_plugin_being_started_again_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "run/tp.sock"
    async with asking(tmp_path, Limits(call_s=5, pauses_s=(0.1,) * 20)) as plugins:
        async with Scripted(always(said({}))) as plugin:
            await plugin.at(path)
            await plugins.activate("tp", "NetworkDriver")
        path.unlink(missing_ok=True)

        call = asyncio.ensure_future(plugins.call("tp", "NetworkDriver.CreateNetwork", _CREATE, p.Nothing))
        await asyncio.wait_for(plugin.idle.wait(), 5)  # it was looked for, and its connection given up
        async with Scripted(always(said({}))) as again:
            await again.at(path)
            await call

    assert again.methods == ["Plugin.Activate", "NetworkDriver.CreateNetwork"]


async def test_a_plugin_that_does_not_listen_is_asked_a_few_times(tmp_path: Path) -> None:
    path = tmp_path / "run/tp.sock"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(path))
        async with asking(tmp_path) as plugins:
            with pytest.raises(PluginUnreachable) as caught:
                await plugins.activate("tp", "NetworkDriver")

    assert caught.value.message == f'plugin "tp" at unix://{path} cannot be reached: Connection refused'


@pytest.mark.parametrize(
    ("method", "request_", "kind", "times"),
    [
        ("NetworkDriver.GetCapabilities", None, p.NetworkCapabilities, 4),
        ("NetworkDriver.CreateNetwork", _CREATE, p.Nothing, 1),
    ],
)
async def test_only_what_changes_nothing_is_asked_again_after_it_was_heard(
    tmp_path: Path, method: str, request_: p.Request | None, kind: type[p.Answer], times: int
) -> None:
    def hang_up(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.method == "Plugin.Activate":
            writer.write(said(BOTH))
        else:
            writer.close()

    async with Scripted(hang_up) as plugin, asking(tmp_path) as plugins:
        await plugin.at(tmp_path / "run/tp.sock")
        with pytest.raises(
            PluginUnreachable, match=f"did not answer {method}: it closed the connection without an answer"
        ):
            await plugins.call("tp", method, request_, kind)

    assert plugin.methods.count(method) == times
    assert {asked.body for asked in plugin.asked if asked.method == method} == {
        b"" if request_ is None else _CREATE_BODY
    }


async def test_a_refusal_is_the_plugins_own_words(tmp_path: Path) -> None:
    async with (
        Scripted(always(said({"Err": "http500 requested"}, 500))) as plugin,
        asking(tmp_path) as plugins,
    ):
        await plugin.at(tmp_path / "run/tp.sock")

        with pytest.raises(PluginRefused, match=r"^NetworkDriver\.CreateNetwork: http500 requested$"):
            await plugins.call("tp", "NetworkDriver.CreateNetwork", _CREATE, p.Nothing)


async def test_redirections_are_not_followed(tmp_path: Path) -> None:
    headers = "Location: http://plugin.moby.localhost/NetworkDriver.DeleteNetwork\r\n"
    async with Scripted(always(http(b"", 307, headers))) as plugin, asking(tmp_path) as plugins:
        await plugin.at(tmp_path / "run/tp.sock")

        with pytest.raises(PluginRefused, match="CreateNetwork: status 307"):
            await plugins.call("tp", "NetworkDriver.CreateNetwork", _CREATE, p.Nothing)

    assert plugin.methods == ["Plugin.Activate", "NetworkDriver.CreateNetwork"]


@pytest.mark.parametrize("length", [None, 10**12], ids=["unannounced", "announced"])
async def test_an_endless_answer_is_cut_off(tmp_path: Path, length: int | None) -> None:
    async def flood(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.method == "Plugin.Activate":
            writer.write(said(BOTH))
            return
        told = "" if length is None else f"Content-Length: {length}\r\n"
        writer.write(f"HTTP/1.1 200 OK\r\n{told}\r\n".encode())
        while not writer.is_closing():
            writer.write(b" " * 65536)
            await writer.drain()

    async with Scripted(flood) as plugin, asking(tmp_path) as plugins:
        await plugin.at(tmp_path / "run/tp.sock")

        with pytest.raises(
            PluginAnswer, match=r'plugin "tp": .*CreateNetwork: the answer is longer than 65536'
        ):
            await plugins.call("tp", "NetworkDriver.CreateNetwork", _CREATE, p.Nothing)


@pytest.mark.parametrize("piece", [b"", b" "], ids=["silence", "drips"])
@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["head", "body"])
async def test_a_slow_answer_is_waited_for_only_so_long(tmp_path: Path, head: bytes, piece: bytes) -> None:
    async def drip(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.method == "Plugin.Activate":
            writer.write(said(BOTH))
            return
        writer.write(head or b"HTTP/1.1 200 O")
        while not writer.is_closing():
            writer.write(piece or b"")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with Scripted(drip) as plugin, asking(tmp_path, Limits(call_s=0.3)) as plugins:
        await plugin.at(tmp_path / "run/tp.sock")
        start = time.monotonic()

        with pytest.raises(
            PluginUnreachable, match=r"did not answer NetworkDriver\.CreateNetwork within 0\.3 s"
        ):
            await plugins.call("tp", "NetworkDriver.CreateNetwork", _CREATE, p.Nothing)

    assert time.monotonic() - start < 2


@pytest.mark.parametrize(("bound", "written"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
async def test_a_port_is_as_good_as_a_socket(tmp_path: Path, bound: str, written: str) -> None:
    async with Scripted(always(_LOCAL)) as plugin, asking(tmp_path) as plugins:
        port = await plugin.on_port(address=bound)
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc/tp.spec").write_text(f"tcp://{written}:{port}")

        found = await plugins.call("tp", "NetworkDriver.GetCapabilities", None, p.NetworkCapabilities)

    assert found.scope == "local"
    assert plugin.asked[0].headers["Host"] == f"{written}:{port}"


async def test_an_activation_that_makes_no_sense_is_named_as_one(tmp_path: Path) -> None:
    async with Scripted(lambda _, writer: writer.write(b"nonsense\r\n\r\n")) as plugin:
        await plugin.at(tmp_path / "run/tp.sock")
        async with asking(tmp_path) as plugins:
            with pytest.raises(PluginAnswer, match=r'^plugin "tp": Plugin\.Activate: the answer is no HTTP'):
                await plugins.call("tp", "NetworkDriver.CreateNetwork", _CREATE, p.Nothing)


def _certificate(folder: Path, name: str) -> tuple[str, str]:
    key, certificate = str(folder / f"{name}.key"), str(folder / f"{name}.pem")
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-keyout", key, "-out", certificate, "-subj", f"/CN={name}", "-days", "2"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
        timeout=20,
    )
    return certificate, key


@pytest.mark.parametrize(
    ("trusted", "shown", "complaint"),
    [
        ({"CAFile": "server.pem"}, True, ""),
        ({"InsecureSkipVerify": True}, True, ""),
        ({}, True, "certificate verify failed"),
        ({"CAFile": "client.pem"}, True, "certificate verify failed"),
        ({"CAFile": "server.pem"}, False, "cannot be reached"),
        ({"CAFile": "nowhere.pem"}, True, "its TLS files .*nowhere.pem.* cannot be used: "),
    ],
)
async def test_a_port_may_be_behind_tls(
    tmp_path: Path, trusted: dict[str, str | bool], shown: bool, complaint: str
) -> None:
    server, client = _certificate(tmp_path, "server"), _certificate(tmp_path, "client")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client[0])
    context.load_cert_chain(*server)
    context.verify_mode = ssl.CERT_REQUIRED
    tls = {key: f"{tmp_path}/{value}" if isinstance(value, str) else value for key, value in trusted.items()}
    if shown:
        tls |= {"CertFile": client[0], "KeyFile": client[1]}
    async with Scripted(always(_LOCAL)) as plugin, asking(tmp_path) as plugins:
        port = await plugin.on_port(context)
        (tmp_path / "etc").mkdir()
        document = {"Addr": f"https://127.0.0.1:{port}", "TLSConfig": tls}
        (tmp_path / "etc/tp.json").write_text(json.dumps(document))

        if complaint:
            with pytest.raises(PluginUnreachable, match=complaint):
                await plugins.activate("tp", "NetworkDriver")
        else:
            assert await plugins.activate("tp", "NetworkDriver")


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_nothing_stays_open_whatever_happens(tmp_path: Path) -> None:
    async with Scripted(always(b"nonsense\r\n\r\n")) as plugin, asking(tmp_path, QUICK) as plugins:
        await plugin.at(tmp_path / "run/tp.sock")
        before = _descriptors()

        for _ in range(20):
            with pytest.raises(PluginAnswer, match="the answer is no HTTP"):
                await plugins.call("tp", "NetworkDriver.CreateNetwork", _CREATE, p.Nothing)

        await asyncio.wait_for(plugin.idle.wait(), 5)
        assert _descriptors() <= before + 2


def test_the_code_is_loaded_with_the_first_question() -> None:
    asked_nothing = "import sys; import bridgehead.host.plugin.late; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", asked_nothing], check=True, capture_output=True, text=True, timeout=20
    ).stdout.split()

    assert "bridgehead.host.plugin.late" in loaded
    assert not {"aiohttp", "bridgehead.core.remote.protocol", "bridgehead.host.plugin.plugins"} & {*loaded}


async def test_questions_that_load_the_code_are_answered_as_others() -> None:
    late: Plugins = LatePlugins()
    await late.close()

    assert "nobody-has-this" not in late.known()
    with pytest.raises(PluginMissing, match=r"looked for nobody-has-this\.sock in /run/docker/plugins, "):
        await late.activate("nobody-has-this", "NetworkDriver")
    with pytest.raises(PluginMissing, match=r"in /etc/docker/plugins, /usr/lib/docker/plugins$"):
        await late.call("nobody-has-this", "NetworkDriver.GetCapabilities", None, p.NetworkCapabilities)
    await late.close()
