"""The real API over the fake engine, on a unix socket of its own, and three ways to speak to it."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bridgehead.api import server
from bridgehead.api.identity import Identity
from bridgehead.core.layout import Layout
from tests.api.fake_engine import FakeEngine

_LIMIT_S = 10.0


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return self.json["message"]


@dataclass
class Done:
    code: int
    out: str
    err: str


@dataclass
class Api:
    """`ask` speaks HTTP, `open` hands out a raw connection, `docker` runs the real client."""

    engine: FakeEngine
    path: Path
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        kind: str = "application/json",
    ) -> Answer:
        payload = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        if payload:
            head += f"Content-Type: {kind}\r\nContent-Length: {len(payload)}\r\n"
        reader, writer = await self.open(head.encode() + b"\r\n" + payload)
        answer = await read_answer(reader)
        writer.close()
        return answer

    async def open(self, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        self.writers.append(writer)
        writer.write(sent)
        await writer.drain()
        return reader, writer

    async def hijack(self, path: str, body: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        reader, writer = await self.open(head.encode() + body)
        answered = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _LIMIT_S)
        assert answered.startswith(b"HTTP/1.1 101 UPGRADED\r\n"), answered
        return reader, writer

    async def docker(self, *words: str, stdin: bytes | None = None) -> Done:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path.parent),
            "DOCKER_HOST": f"unix://{self.path}",
        }
        process = await asyncio.create_subprocess_exec(
            "docker",
            *words,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(stdin), _LIMIT_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        return Done(process.returncode or 0, out.decode(), err.decode())

    async def container(self, name: str, *command: str, start: bool = False, **config: Any) -> str:
        answer = await self.ask(
            "POST", f"/containers/create?name={name}", {"Image": "busybox", "Cmd": list(command), **config}
        )
        assert answer.status == 201, answer.body
        if start:
            assert (await self.ask("POST", f"/containers/{name}/start")).status == 204
        return answer.json["Id"]


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _LIMIT_S)
    first, *lines = head.decode().splitlines()
    headers = dict(line.split(": ", 1) for line in lines if line)
    body = await asyncio.wait_for(reader.read(), _LIMIT_S)
    if headers.get("Transfer-Encoding") == "chunked":
        body = unchunked(body)
    return Answer(int(first.split()[1]), headers, body)


def unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        whole, body = whole + rest[:length], rest[length + 2 :]
    return whole


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    engine = FakeEngine()
    layout = Layout("/var/lib/bridgehead", "/run/bridgehead")
    identity = Identity("0.1.0", "an-engine", "a-host", pools=(("172.17.0.0/12", 16),))
    path = tmp_path / "api.sock"
    runner = await server.serve(server.build(engine, layout, lambda: identity), [str(path)], "no-such-group")
    api = Api(engine, path)
    yield api
    async with asyncio.timeout(_LIMIT_S):
        await runner.cleanup()
        for writer in api.writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
