"""Versions, headers, errors, bad bodies and the listening socket, over raw HTTP."""

import asyncio
import json
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from bridgehead.api import server
from bridgehead.api.identity import Identity
from bridgehead.core.layout import Layout
from bridgehead.core.model.errors import HostRefused
from tests.api.conftest import Api, read_answer
from tests.api.fake_engine import FakeEngine


@pytest.mark.parametrize("path", ["/_ping", "/v1.24/_ping", "/v1.48/_ping"])
@pytest.mark.parametrize(("method", "body"), [("GET", b"OK"), ("HEAD", b"")])
async def test_ping_carries_what_clients_negotiate_by(api: Api, path: str, method: str, body: bytes) -> None:
    answer = await api.ask(method, path)

    assert (200, body) == (answer.status, answer.body)
    assert tuple(answer.headers[name] for name in ("Api-Version", "Ostype", "Swarm")) == (
        "1.48",
        "linux",
        "inactive",
    )
    assert answer.headers["Server"] == "Bridgehead/0.1.0 (linux)"


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        (
            "/v1.23/networks",
            400,
            (
                "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your "
                "client to a newer version"
            ),
        ),
        ("/v1.49/networks", 400, "client version 1.49 is too new. Maximum supported API version is 1.48"),
        ("/v1.48", 404, "page not found"),
        ("/v1.x/networks", 404, "page not found"),
        ("/nowhere", 404, "page not found"),
        ("/networks/nope", 404, "network nope not found"),
        ("/v1.48/containers/nope/json", 404, "No such container: nope"),
        ("/exec/nope/json", 404, "No such exec instance: nope"),
        (
            "/networks/bridge?verbose=zz",
            400,
            'invalid value for verbose: zz: strconv.ParseBool: parsing "zz": invalid syntax',
        ),
        ("/networks/bridge?scope=swarm", 404, "network bridge not found"),
        (
            "/swarm",
            503,
            (
                'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect '
                "this node to swarm and try again."
            ),
        ),
    ],
)
async def test_refusals_have_dockers_statuses_and_words(
    api: Api, path: str, status: int, message: str
) -> None:
    answer = await api.ask("GET", path)

    assert (status, {"message": message}) == (answer.status, answer.json)
    assert answer.headers["Api-Version"] == "1.48"


DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"Name":"x"', "invalid JSON: unexpected end of the document"),
        (b'{"Name":"x"}{}', "unexpected content after JSON"),
        (b'{"Name":7}', "invalid JSON: Name: expected str, got int"),
        (
            b'{"Name":"x","IPAM":{"Config":[{"Subnet":1}]}}',
            "invalid JSON: IPAM.Config[0].Subnet: expected str, got int",
        ),
        (b'{"Name":"x","Labels":{"a":1}}', "invalid JSON: Labels[...]: expected str, got int"),
        (b'["x"]', "invalid JSON: expected object, got array"),
        (DEEP, "invalid JSON: nested too deeply"),
        (b'{"Name":"x","More":' + DEEP, "invalid JSON: nested too deeply"),
        (b"\xff", "invalid JSON: JSON is malformed: invalid character (byte 0)"),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_bad_bodies_are_refused_by_name_and_change_nothing(api: Api, body: bytes, message: str) -> None:
    before = api.engine.snapshot

    answer = await api.ask("POST", "/networks/create", raw=body)

    assert (400, message) == (answer.status, answer.message)
    assert before is api.engine.snapshot


@pytest.mark.parametrize(
    "path",
    [
        "/networks/%ff",
        "/networks?filters=%7B%22name%22%3A%5B%22%28%22%5D%7D",
        "/networks?filters=%ff",
        f"/containers/json?limit={'9' * 5000}",
        f"/containers/json?until={'9' * 400}h",
        f"/containers/cc/logs?stdout=1&tail={'9' * 5000}",
        f"/containers/cc/logs?stdout=1&since={'9' * 400}h",
        "/containers/cc/logs?stdout=1&since=9999-12-31T23:59:59-23:59",
        "/containers/cc/top?ps_args=%27",
        "//",
    ],
    ids=lambda path: path[:50],
)
async def test_odd_words_are_never_our_fault(api: Api, path: str) -> None:
    await api.container("cc", "both", start=True)

    answer = await api.ask("GET", path)

    assert answer.status < 500, answer.body


async def test_a_body_of_another_kind_is_refused(api: Api) -> None:
    answer = await api.ask("POST", "/networks/create", raw=b"{}", kind="text/plain")

    assert (
        answer.status,
        answer.message,
    ) == (400, "unsupported Content-Type header (text/plain): must be 'application/json'")


async def test_a_body_beyond_bounds_is_refused(api: Api) -> None:
    answer = await api.ask(
        "POST", "/networks/create", raw=b'{"Name":"' + b"x" * server.MAXIMUM_JSON_BODY + b'"}'
    )

    assert (answer.status, answer.message) == (413, "the request body is too large")


@pytest.mark.parametrize("path", ["/networks/create", "/images/load", "/images/create?fromSrc=-&repo=x"])
async def test_a_client_lost_half_way_changes_nothing(api: Api, path: str) -> None:
    before = api.engine.snapshot

    _, writer = await api.open(
        f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode()
        + b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n"
        + json.dumps({"Name": "x"}).encode()
    )
    await asyncio.sleep(0.02)
    writer.close()
    await asyncio.sleep(0.05)

    assert before is api.engine.snapshot


@pytest.mark.parametrize(
    "body",
    [
        {"name": "n", "LABELS": {"k": "v"}, "Unknown": [1]},
        {
            "Name": "n",
            "Labels": {"k": "v"},
            "IPAM": None,
            "ConfigFrom": None,
            "Options": None,
            "EnableIPv6": None,
        },
    ],
)
async def test_go_clients_spelling_and_nulls_are_taken(api: Api, body: dict[str, Any]) -> None:
    answer = await api.ask("POST", "/networks/create", body)

    assert answer.status == 201, answer.body
    assert api.engine.snapshot.find_network("n").labels == {"k": "v"}


async def test_names_may_hold_slashes(api: Api) -> None:
    await api.ask("POST", "/networks/create", {"Name": "a/b"})

    answer = await api.ask("GET", "/networks/a/b")
    removed = await api.ask("DELETE", "/networks/a%2Fb")

    assert (answer.json["Name"], removed.status) == ("a/b", 204)


async def test_a_bug_is_told_and_the_next_request_served(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: str) -> None:
        raise RuntimeError("our own")

    api.engine.images.find = broken  # type: ignore[method-assign,assignment]

    failed = await api.ask("GET", "/images/x/json")
    served = await api.ask("GET", "/_ping")

    assert (failed.status, failed.message) == (500, "internal error: RuntimeError: our own")
    assert "Traceback" in caplog.text
    assert served.status == 200


async def test_one_connection_serves_many_requests(api: Api) -> None:
    reader, writer = await api.open(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
    first = await reader.readuntil(b"\n}" if False else b'not found"}\n')
    writer.write(b"GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    second = await read_answer(reader)
    writer.close()

    assert first.startswith(b"HTTP/1.1 404")
    assert second.body == b"OK"


def _app() -> Any:
    return server.build(FakeEngine(), Layout("/a", "/b"), lambda: Identity("1", "e", "h"))


async def test_the_socket_is_for_its_group_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"

    runner = await server.serve(_app(), [str(path)], "root")
    mode = stat.S_IMODE(path.stat().st_mode)
    await runner.cleanup()

    assert mode == 0o660
    assert not path.exists()


async def test_a_living_daemon_is_not_pushed_aside(tmp_path: Path) -> None:
    path = tmp_path / "s"
    first = await server.serve(_app(), [str(path)], "root")

    with pytest.raises(HostRefused, match="another daemon answers there"):
        await server.serve(_app(), [str(path)], "root")

    assert path.exists()
    await first.cleanup()


async def test_a_dead_daemons_socket_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    stale, plain = tmp_path / "stale", tmp_path / "plain"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(stale))
    plain.write_text("kept")

    runner = await server.serve(_app(), [str(stale)], "root")
    await runner.cleanup()
    with pytest.raises(HostRefused, match="no socket"):
        await server.serve(_app(), [str(plain)], "root")

    assert plain.read_text() == "kept"
