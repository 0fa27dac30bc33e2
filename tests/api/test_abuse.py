"""Requests made to mislead: smuggled, piled up, cut short, too large, never ending, too many."""

import asyncio

import pytest

from bridgehead.api import admission, server
from bridgehead.api.wire import body
from tests.api.conftest import Api
from tests.api.test_stream import INTERACTIVE, frames

_LIMIT_S = 5.0
_HIDDEN = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
_PING = b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n"
_START = b"POST /networks/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


async def everything(api: Api, sent: bytes) -> bytes:
    """All that comes back until the server closes."""
    reader, _writer = await api.open(sent)
    return await asyncio.wait_for(reader.read(), _LIMIT_S)


@pytest.mark.parametrize(
    "sent",
    [
        _START + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _HIDDEN,
        _START + b"Content-Length: 0\r\nContent-Length: 35\r\n\r\n" + _HIDDEN,
        _START + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + _HIDDEN,
        _START + b"Transfer-Encoding: xchunked\r\n\r\n" + _HIDDEN,
        _START + b"Content-Length: +0\r\n\r\n" + _HIDDEN,
        _START + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + _HIDDEN,
        _START + b"A: b\r\n folded\r\nContent-Length: 0\r\n\r\n" + _HIDDEN,
    ],
)
async def test_a_head_that_can_be_read_in_two_ways_is_refused_with_all_behind_it(
    api: Api, sent: bytes
) -> None:
    answer = await everything(api, sent)

    assert answer.split()[1] == b"400"
    assert b"ApiVersion" not in answer


async def test_requests_in_one_packet_are_answered_in_turn(api: Api) -> None:
    answer = await everything(api, _PING * 20 + _HIDDEN[:-2] + b"Connection: close\r\n\r\n")

    assert answer.count(b"HTTP/1.1 200 OK") == 21
    assert answer.rindex(b"\r\n\r\nOK") < answer.index(b"ApiVersion")


async def test_what_follows_a_hijack_is_never_a_request(api: Api) -> None:
    await api.container("c", "cat", start=True, **INTERACTIVE)
    reader, writer = await api.hijack("/containers/c/attach?stream=1&stdin=1&stdout=1")

    writer.write(_HIDDEN)
    writer.write_eof()
    said = b"".join(data for _, data in await frames(reader))

    assert said == _HIDDEN


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/0.9"])
async def test_a_client_of_old_has_streams_that_end_with_the_connection(api: Api, version: bytes) -> None:
    answer = await everything(api, b"GET /events?since=1&until=2 " + version + b"\r\nHost: x\r\n\r\n")

    assert answer.split()[1] == b"200"
    assert b"chunked" not in answer


async def test_a_body_that_comes_late_is_no_input(api: Api) -> None:
    await api.container("c", "cat", start=True, **INTERACTIVE)
    head = b"POST /containers/c/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n"
    upgrade = b"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 10\r\n\r\n"
    reader, writer = await api.open(head + upgrade + b"first")

    await api.ask("GET", "/_ping")
    writer.write(b"later")
    answered = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _LIMIT_S)
    writer.write(b"input")
    writer.write_eof()
    said = await frames(reader)

    assert answered.startswith(b"HTTP/1.1 101")
    assert said == [(1, b"input")]


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (b'{"Name": NaN}', 400),
        (b'{"Name": "n", "Internal": Infinity}', 400),
        (b'{"Name": "n", "IPAM": ' + b"[" * 100_000, 400),
        (b'{"Name": "n", "Labels": {"a": ' + b"9" * 5000 + b"}}", 400),
        (b'{"Name": "n", "Internal": 1e999}', 400),
        (b'{"Name": "\\ud800"}', 400),
        (b'{"Name": "first", "Name": "second"}', 201),
        (b'{"name": "n", "NAME": "second"}', 201),
        (b"\xef\xbb\xbf{}", 400),
        (b"[]", 400),
        (b"null", 400),
    ],
)
async def test_json_at_the_edge_is_read_as_go_reads_it_or_refused(
    api: Api, document: bytes, status: int
) -> None:
    answer = await api.ask("POST", "/networks/create", raw=document)

    assert answer.status == status, answer.body


async def test_a_body_beyond_the_bound_is_refused(api: Api) -> None:
    answer = await api.ask("POST", "/networks/create", raw=b" " * (server.MAXIMUM_JSON_BODY + 1))

    assert answer.status == 413


async def test_a_head_beyond_the_bound_is_refused(api: Api) -> None:
    long = b"X: " + b"a" * 70_000 + b"\r\n"

    answer = await everything(api, b"GET /_ping HTTP/1.1\r\nHost: x\r\n" + long)

    assert answer.split()[1] == b"400"


async def test_a_body_that_does_not_come_is_not_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "_PATIENCE_S", 0.05)

    reader, _writer = await api.open(_START + b"Content-Length: 9\r\n\r\n{")
    answer = await asyncio.wait_for(reader.readuntil(b"did not arrive within 0 s"), _LIMIT_S)

    assert answer.startswith(b"HTTP/1.1 400")


async def test_one_client_too_many_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "_MOST_CONNECTIONS", 2)
    opened = [await api.open(_PING) for _ in range(2)]
    for reader, _ in opened:
        await asyncio.wait_for(reader.readuntil(b"OK"), _LIMIT_S)

    told = await api.ask("GET", "/_ping")

    assert (told.status, told.message.startswith("too many connections")) == (503, True)


@pytest.mark.parametrize(
    "path",
    [
        "/containers/../../etc/passwd/json",
        "/containers/%2e%2e%2f%2e%2e%2fetc%2fpasswd/json",
        "/containers/..%00/json",
        "/images/..%2f..%2f/json",
        "/networks/../containers/json",
        "/exec/../../json",
        "//containers/json",
    ],
)
async def test_a_path_that_climbs_names_nothing(api: Api, path: str) -> None:
    answer = await api.ask("GET", path)

    assert answer.status in {400, 404}, answer.body
