"""A plugin whose every byte a test decides, on a real socket."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bridgehead.host.plugin.discovery import Folders
from bridgehead.host.plugin.limits import Limits
from bridgehead.host.plugin.plugins import HostPlugins

BOTH = {"Implements": ["NetworkDriver", "IpamDriver"]}
QUICK = Limits(connect_s=2, call_s=5, pauses_s=(0.01, 0.02, 0.03), answer_bytes=64 * 1024)


def http(body: bytes, status: int = 200, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def said(document: Any, status: int = 200) -> bytes:
    return http(json.dumps(document).encode(), status)


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    headers: Mapping[str, str]
    body: bytes


Script = Callable[[Asked, asyncio.StreamWriter], Any]
"""Writes the answer; may be a coroutine. The connection is kept unless it closes it."""


def always(answer: bytes) -> Script:
    def script(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(said(BOTH) if asked.method == "Plugin.Activate" else answer)

    return script


@dataclass
class Scripted:
    """`connections`: how many were accepted; `open`: how many of them still are; `idle`: none is."""

    script: Script
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None

    @property
    def methods(self) -> list[str]:
        return [asked.method for asked in self.asked]

    async def at(self, path: Path) -> Self:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, path)
        return self

    async def on_port(self, context: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> int:
        self._server = await asyncio.start_server(self._serve, address, 0, ssl=context)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.idle.clear()
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while not writer.is_closing():
                    self.asked.append(await _read(reader))
                    outcome = self.script(self.asked[-1], writer)
                    if outcome is not None:
                        await outcome
                    await writer.drain()
        finally:
            self.open -= 1
            writer.close()
            if not self.open:
                self.idle.set()


async def _read(reader: asyncio.StreamReader) -> Asked:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    verb, path, _ = first.split()
    assert verb == "POST"
    headers = dict(line.split(": ", 1) if ": " in line else (line[:-1], "") for line in lines)
    return Asked(path[1:], headers, await reader.readexactly(int(headers["Content-Length"])))


def folders(base: Path) -> Folders:
    return Folders((str(base / "run"),), (str(base / "etc"), str(base / "lib")))


@contextlib.asynccontextmanager
async def asking(base: Path, limits: Limits = QUICK):
    plugins = HostPlugins(folders(base), limits)
    try:
        yield plugins
    finally:
        await plugins.close()
