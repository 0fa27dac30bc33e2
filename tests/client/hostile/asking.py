"""Sends one random request over a connection of its own and says how it ended."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.client.hostile.requests import Asked

_HEAD_S = 40.0  # a restart may wait ten seconds for its container
_BODY_S = 0.03  # streams do not end by themselves
_MOST = 4 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` 0: closed without an answer."""

    status: int
    body: bytes = b""
    hung: bool = False


async def ask(path: Path, asked: Asked) -> Outcome:
    reader, writer = await asyncio.open_unix_connection(str(path), limit=_MOST)
    try:
        return await _answer(reader, writer, asked)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: Asked) -> Outcome:
    with suppress(OSError):
        writer.write(asked.sent)
        await writer.drain()
        if not asked.wellformed:
            writer.write_eof()
    try:
        async with asyncio.timeout(_HEAD_S):
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"HTTP/1.1 100"):
                head = await reader.readuntil(b"\r\n\r\n")
    except TimeoutError:
        return Outcome(0, hung=True)
    except (asyncio.IncompleteReadError, OSError):
        return Outcome(0)
    return Outcome(int(head.split()[1]), await _body(reader, writer, head.lower()))


async def _body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> bytes:
    if b"content-length:" in head:
        length = int(head.split(b"content-length:")[1].split()[0])
        with suppress(asyncio.IncompleteReadError, OSError):
            async with asyncio.timeout(_HEAD_S):
                return await reader.readexactly(length)
        return b""
    with suppress(TimeoutError, OSError):
        if b"upgrade" in head or b"docker.raw-stream" in head:
            writer.write(b"some input\x10\x11")
        async with asyncio.timeout(_BODY_S):
            return await reader.read(65536)
    return b""
