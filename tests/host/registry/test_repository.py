"""Registries that lie, break off, are slow, or want to know who asks, over real sockets."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from bridgehead.core.images import reference as references
from bridgehead.core.images.distribution import Blob, Credentials
from bridgehead.core.images.registries import RegistryOptions
from bridgehead.core.model.errors import (
    BridgeheadError,
    HostRefused,
    InvalidParameter,
    NotFound,
    Unauthorized,
    Unavailable,
)
from bridgehead.host.registry import repository as repositories
from bridgehead.host.registry.registries import HttpRegistries

pytestmark = pytest.mark.host

CONTENT = bytes(range(256)) * 4096
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
NOBODY = Credentials()
BLOB = Blob(DIGEST, len(CONTENT))
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Answer], Awaitable[str]]


@pytest.fixture
async def serve(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serve]:
    monkeypatch.setattr(repositories, "_PAUSE_S", 0.001)
    runners: list[web.AppRunner] = []

    async def serve(answer: Answer) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"127.0.0.1:{runner.addresses[0][1]}"

    yield serve
    for runner in runners:
        await runner.cleanup()


def _registries(silence_s: float = 5) -> HttpRegistries:
    return HttpRegistries(RegistryOptions, silence_s=silence_s)


async def _pulled(
    address: str, blob: Blob = BLOB, credentials: Credentials = NOBODY, silence_s: float = 5
) -> bytes:
    name = references.parse(f"{address}/some/name:1")
    async with _registries(silence_s).repository(name, credentials) as repository:
        await repository.manifest("1")
        return b"".join([piece async for piece in repository.blob(blob)])


def _is_manifest(request: web.Request) -> bool:
    return "/manifests/" in request.path


async def test_a_blob_that_is_another_is_refused(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"{}" if _is_manifest(request) else CONTENT[:-1] + b"?")

    address = await serve(answer)

    with pytest.raises(InvalidParameter, match=f"filesystem layer verification failed for digest {DIGEST}"):
        await _pulled(address)


async def test_no_more_is_read_than_was_promised(serve: Serve) -> None:
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        if _is_manifest(request):
            return web.Response(body=b"{}")
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(CONTENT)
            sent += len(CONTENT)

    address = await serve(answer)

    with pytest.raises(InvalidParameter, match="filesystem layer verification failed"):
        await _pulled(address)
    assert sent < 64 << 20


async def test_a_blob_that_is_too_short_is_refused(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"{}" if _is_manifest(request) else CONTENT[:-1])

    with pytest.raises(InvalidParameter, match="filesystem layer verification failed"):
        await _pulled(await serve(answer))


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without ranges"])
async def test_a_broken_connection_is_taken_up_again(serve: Serve, *, ranges: bool) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        if _is_manifest(request):
            return web.Response(body=b"{}")
        asked.append(request.headers.get("Range", ""))
        begin = int(asked[-1].removeprefix("bytes=").rstrip("-") or 0) if ranges else 0
        response = web.StreamResponse(status=206 if begin else 200)
        response.content_length = len(CONTENT) - begin
        await response.prepare(request)
        if len(asked) > 1:
            await response.write(CONTENT[begin:])
            return response
        await response.write(CONTENT[:1000])
        assert request.transport is not None
        request.transport.close()
        return response

    assert await _pulled(await serve(answer)) == CONTENT
    assert asked == ["", "bytes=1000-"]


async def test_a_registry_that_falls_silent_is_given_up(serve: Serve) -> None:
    asked = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        if _is_manifest(request):
            return web.Response(body=b"{}")
        asked += 1
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    with pytest.raises(Unavailable, match="the registry did not answer in time"):
        await _pulled(await serve(answer), silence_s=0.1)
    assert asked == 5


async def test_a_manifest_too_long_is_refused(serve: Serve) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=bytes(5 << 20))

    with pytest.raises(InvalidParameter, match="invalid manifest: it is longer than 4 MiB"):
        await _pulled(await serve(answer))


async def test_a_manifest_by_digest_must_have_it(serve: Serve) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"{}")

    name = references.parse(f"{await serve(answer)}/name@{DIGEST}")
    async with _registries().repository(name, Credentials()) as repository:
        with pytest.raises(InvalidParameter, match="manifest verification failed for digest"):
            await repository.manifest(DIGEST)


REFUSALS: dict[str, tuple[int, str, type[BridgeheadError], str]] = {
    "unknown": (
        404,
        "MANIFEST_UNKNOWN",
        NotFound,
        "manifest for .*/some/name:1 not found: manifest unknown: no",
    ),
    "no such name": (404, "NAME_UNKNOWN", NotFound, "repository .*/some/name not found: name unknown: no"),
    "denied": (403, "DENIED", NotFound, "pull access denied for .* may require 'docker login': denied: no"),
    "too many": (429, "TOOMANYREQUESTS", Unavailable, "too many requests: no"),
    "broken": (500, "UNKNOWN", HostRefused, "unknown: no"),
}


@pytest.mark.parametrize(("status", "code", "kind", "words"), REFUSALS.values(), ids=REFUSALS)
async def test_refusals_say_what_to_do_next(
    serve: Serve, status: int, code: str, kind: type[BridgeheadError], words: str
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"errors": [{"code": code, "message": "no"}]}, status=status)

    with pytest.raises(kind, match=words):
        await _pulled(await serve(answer))


async def test_an_endless_refusal_is_not_read(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        while True:
            await response.write(CONTENT)

    with pytest.raises(HostRefused, match=r"unexpected answer of the registry .*: 500"):
        await _pulled(await serve(answer))


def _challenge(request: web.Request, realm: str) -> web.Response:
    wanted = f'Bearer realm="{realm}",service="here",scope="repository:some/name:pull"'
    return web.Response(status=401, headers={"WWW-Authenticate": wanted})


async def test_a_token_is_fetched_with_the_password_and_used(serve: Serve) -> None:
    asked: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        proof = request.headers.get("Authorization", "")
        if request.path == "/token":
            asked.append((request.query["scope"], base64.b64decode(proof.removeprefix("Basic ")).decode()))
            return web.json_response({"token": "secret-token"})
        if proof != "Bearer secret-token":
            return _challenge(request, f"http://{request.host}/token")
        return web.Response(body=b"{}" if _is_manifest(request) else CONTENT)

    found = await _pulled(await serve(answer), credentials=Credentials("me", "mine"))

    assert found == CONTENT
    assert asked == [("repository:some/name:pull", "me:mine")]


@pytest.mark.parametrize("realm", ["", "file:///etc/passwd", "gopher://here/", "nothing"])
async def test_no_token_is_fetched_from_strange_places(serve: Serve, realm: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return _challenge(request, realm)

    with pytest.raises(HostRefused, match="which is not safe"):
        await _pulled(await serve(answer), credentials=Credentials("me", "mine"))


async def test_a_password_is_not_carried_to_where_a_blob_is_sent_for(serve: Serve) -> None:
    told: list[str | None] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        told.append(request.headers.get("Authorization"))
        return web.Response(body=CONTENT)

    there = await serve(elsewhere)

    async def answer(request: web.Request) -> web.StreamResponse:
        if "Authorization" not in request.headers:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
        if _is_manifest(request):
            return web.Response(body=b"{}")
        return web.Response(status=307, headers={"Location": f"http://{there}/blob"})

    assert await _pulled(await serve(answer), credentials=Credentials("me", "mine")) == CONTENT
    assert told == [None]


async def test_log_in_judges_a_password(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        good = f"Basic {base64.b64encode(b'me:mine').decode()}"
        if request.headers.get("Authorization") == good:
            return web.Response(text="{}")
        errors = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
        headers = {"WWW-Authenticate": 'Basic realm="x"', "Content-Type": "application/json"}
        return web.Response(status=401, headers=headers, text=json.dumps(errors))

    address = await serve(answer)

    assert await _registries().log_in(Credentials("me", "mine", server=address)) == ""
    with pytest.raises(Unauthorized, match="unauthorized: authentication required"):
        await _registries().log_in(Credentials("me", "guess", server=f"http://{address}/v2/"))


async def test_a_mirror_that_fails_is_passed_by(serve: Serve) -> None:
    async def lacking(_: web.Request) -> web.StreamResponse:
        return web.Response(status=404)

    async def answer(request: web.Request) -> web.StreamResponse:
        assert "Authorization" not in request.headers
        return web.Response(body=b"{}" if _is_manifest(request) else CONTENT)

    mirrors = (f"http://{await serve(lacking)}", f"http://{await serve(answer)}")
    registries = HttpRegistries(lambda: RegistryOptions(mirrors=mirrors))
    name = references.parse("busybox:1")
    async with registries.repository(name, Credentials("me", "mine")) as repository:
        await repository.manifest("1")
        assert b"".join([piece async for piece in repository.blob(BLOB)]) == CONTENT


@pytest.mark.parametrize("server", ["/", "ff:ff:ff", "host:99999", "1000:1000", "[::::]", "a b", "https://"])
async def test_an_address_that_is_none_is_the_clients_mistake(server: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid server address"):
        await _registries().log_in(Credentials("me", "secret", server=server))
