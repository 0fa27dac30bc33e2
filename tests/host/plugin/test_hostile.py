"""Whatever comes out of a plugin's socket: a value or a promised error, in time, and nothing left open."""

import asyncio
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridgehead.core.model.errors import NotFound, PluginAnswer, PluginRefused, PluginUnreachable
from bridgehead.core.remote import protocol as p
from bridgehead.core.remote.calls import CALLS
from bridgehead.host.plugin.limits import Limits
from bridgehead.host.plugin.plugins import HostPlugins
from tests.host.plugin.scripted import BOTH, Asked, Scripted, folders, said
from tests.support.jumping import JumpingLoop

_LIMITS = Limits(connect_s=1, call_s=0.2, pauses_s=(0.001,), answer_bytes=4096)
_WITH_REQUEST = {
    "NetworkDriver.CreateNetwork": p.CreateNetwork(network_id="n"),
    "NetworkDriver.CreateEndpoint": p.CreateEndpoint(
        network_id="n", endpoint_id="e", interface=p.EndpointInterface(address="10.0.0.2/24")
    ),
    "NetworkDriver.Join": p.Join(network_id="n", endpoint_id="e", sandbox_key="/x"),
    "NetworkDriver.EndpointOperInfo": p.EndpointOperInfo(network_id="n", endpoint_id="e"),
    "IpamDriver.RequestPool": p.RequestPool(address_space="a"),
    "IpamDriver.RequestAddress": p.RequestAddress(pool_id="p"),
}
_METHODS = [*_WITH_REQUEST, "NetworkDriver.GetCapabilities", "IpamDriver.GetCapabilities"]


@dataclass(frozen=True, slots=True)
class Reply:
    """`ending`: close | half | reset | keep. `pieces`: into how many it is cut, with pauses between."""

    content: bytes
    pieces: int
    ending: str

    async def write(self, writer: asyncio.StreamWriter) -> None:
        size = max(1, len(self.content) // self.pieces)
        for start in range(0, len(self.content), size):
            writer.write(self.content[start : start + size])
            await writer.drain()
            if self.pieces > 1:
                await asyncio.sleep(0.002)
        if self.ending == "half":
            writer.write_eof()
        elif self.ending == "reset":
            writer.transport.abort()
        elif self.ending == "close":
            writer.close()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Err", "Error", "Scope", "Interface", "InterfaceName", "Pool", "Address", "Value", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
_bodies = st.one_of(
    st.binary(max_size=60),
    _json.map(lambda document: json.dumps(document).encode()),
    st.sampled_from(
        [b"[" * 3000, b'{"Value":' * 400, b"{}" + b" " * 9000, b"\x00" * 5000, gzip.compress(b"{}")]
    ),
)
_headers = st.lists(
    st.sampled_from(
        [
            *("Content-Length: 5", "Content-Length: -1", "Content-Length: x", "Content-Length: 99999999999"),
            *("Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Content-Encoding: gzip"),
            *(
                "Connection: close",
                "Connection: upgrade\r\nUpgrade: h2c",
                "Location: /NetworkDriver.DeleteNetwork",
            ),
            *(
                "Set-Cookie: a=b",
                "No colon",
                ": no name",
                "X: " + "y" * 9000,
                "X\x00: y",
                " folded",
                "Content-Type: \xe9",
            ),
        ]
    ),
    max_size=3,
)
_statuses = st.sampled_from(
    ["200 OK", "200", "404 X", "500 X", "307 X", "101 X", "100 X", "204 X", "999 X", "2000 X", "x"]
)
_http = st.builds(
    lambda version, status, headers, body: (
        f"{version} {status}\r\n".encode()
        + "".join(f"{line}\r\n" for line in headers).encode("latin-1")
        + b"\r\n"
        + body
    ),
    st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/2", "HTTP/9.9", "ICY"]),
    _statuses,
    _headers,
    _bodies,
)
_sensible = _bodies.map(
    lambda body: f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
)
_contents = st.one_of(
    st.binary(max_size=80),
    _sensible,
    _http,
    st.tuples(_http, st.integers(0, 200)).map(lambda cut: cut[0][: cut[1]]),
    st.just(b"HTTP/1.1 100 Continue\r\n\r\n" * 200),
)
_replies = st.builds(
    Reply, _contents, st.sampled_from([1, 1, 1, 5, 500]), st.sampled_from(["close", "half", "reset", "keep"])
)


def test_no_answer_can_break_a_call_or_the_next_one(tmp_path: Path) -> None:
    hostile: dict[str, Reply] = {}

    async def script(asked: Asked, writer: asyncio.StreamWriter) -> None:
        reply = hostile.get(asked.method)
        if reply is not None:
            await reply.write(writer)
        else:
            writer.write(said(BOTH if asked.method == p.ACTIVATE else {"Scope": "local"}))

    plugin = Scripted(script)
    plugins = HostPlugins(folders(tmp_path), _LIMITS)

    async def one(method: str, reply: Reply) -> None:
        hostile[method] = reply
        if method == p.ACTIVATE:
            await plugins.close()
            await _judged(plugins, "NetworkDriver.GetCapabilities")
        else:
            await _judged(plugins, method)
        hostile.clear()
        # What came too late may still lie in a kept connection, but not for long.
        outcomes = [await _judged(plugins, "NetworkDriver.GetCapabilities") for _ in range(3)]
        assert p.NetworkCapabilities(scope="local") in outcomes, outcomes

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(plugin.at(tmp_path / "run/tp.sock"))

        @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(method=st.sampled_from([p.ACTIVATE, *_METHODS]), reply=_replies)
        def judge(method: str, reply: Reply) -> None:
            runner.run(asyncio.wait_for(one(method, reply), 5))

        before = _descriptors()
        judge()
        runner.run(_quiet(plugins, plugin))
        assert _descriptors() <= before


async def _judged(plugins: HostPlugins, method: str) -> p.Answer | str:
    """The answer, or the words of one of the errors that are promised."""
    kind = CALLS[method].answer
    try:
        found = await plugins.call("tp", method, _WITH_REQUEST.get(method), kind)
    except (NotFound, PluginUnreachable, PluginRefused, PluginAnswer) as error:
        return error.message
    assert type(found) is kind
    return found


async def _quiet(plugins: HostPlugins, plugin: Scripted) -> None:
    await plugins.close()
    await asyncio.wait_for(plugin.idle.wait(), 5)
    await plugin.__aexit__()


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
