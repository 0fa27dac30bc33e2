"""Starting the confined children, feeding them an archive, and hearing how it went."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, cast

from bridgehead.core.model.errors import HostRefused, InvalidParameter
from bridgehead.host.images import confined

_PIECE = 1 << 20
_FINISHING_S = 600
"""A child has at most one pipe's worth left to work on when its input ends, but that may unpack to much."""


def pieces(source: BinaryIO) -> Iterator[bytes]:
    while piece := source.read(_PIECE):
        yield piece


def fed(module: str, *arguments: str, content: Iterable[bytes], output: int | None = None) -> str:
    """Run `module` with `content` as its input; what it printed, unless that went to the file `output`.

    Raises:
        InvalidParameter, HostRefused: in the child's words.
    """
    with _started(module, arguments, subprocess.PIPE if output is None else output) as child:
        try:
            _feed(cast("IO[bytes]", child.stdin), content)
            printed, complaint = child.communicate(timeout=_FINISHING_S)
        except subprocess.TimeoutExpired:
            raise HostRefused("unpacking the archive took too long") from None
        finally:
            child.kill()
    _judge(child.returncode, complaint, "unpacking the archive")
    return (printed or b"").decode()


async def fed_slowly(module: str, *arguments: str, content: AsyncIterator[bytes]) -> str:
    """As `fed`, with content from afar: no thread waits for it, and to be cancelled ends the child.

    Raises:
        InvalidParameter, HostRefused: in the child's words; and whatever `content` raises.
    """
    child = await asyncio.create_subprocess_exec(
        *_command(module, arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
        start_new_session=True,
    )
    try:
        await _feed_slowly(cast("asyncio.StreamWriter", child.stdin), content)
        async with asyncio.timeout(_FINISHING_S):
            printed, complaint = await child.communicate()
    except TimeoutError:
        raise HostRefused("unpacking the archive took too long") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    _judge(child.returncode or 0, complaint, "unpacking the archive")
    return printed.decode()


async def telling_slowly(module: str, *arguments: str) -> AsyncGenerator[bytes]:
    """What `module` prints, piece by piece, no faster than it is taken. To close this ends the child.

    Raises:
        InvalidParameter, HostRefused: in the child's words, at the end.
    """
    child = await asyncio.create_subprocess_exec(
        *_command(module, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
        start_new_session=True,
    )
    try:
        output = cast("asyncio.StreamReader", child.stdout)
        while piece := await output.read(_PIECE):
            yield piece
        complaint = await cast("asyncio.StreamReader", child.stderr).read()
        _judge(await child.wait(), complaint, "packing the layer")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def _feed_slowly(pipe: asyncio.StreamWriter, content: AsyncIterator[bytes]) -> None:
    async for piece in content:
        try:
            pipe.write(piece)
            await pipe.drain()
        except (BrokenPipeError, ConnectionResetError):
            return  # as above
    pipe.close()


@contextmanager
def telling(module: str, *arguments: str, content: bytes) -> Iterator[Iterator[bytes]]:
    """What `module` prints when given `content`, piece by piece; the last is followed by the child's verdict.

    Raises (by the iterator, at its end):
        InvalidParameter, HostRefused: in the child's words.
    """
    with _started(module, arguments, subprocess.PIPE) as child:
        try:
            _feed(cast("IO[bytes]", child.stdin), [content])
            cast("IO[bytes]", child.stdin).close()
            yield _said(child)
        finally:
            child.kill()


def _started(module: str, arguments: Iterable[str], output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        _command(module, arguments),
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.PIPE,
        bufsize=0,
        env={},
        start_new_session=True,
    )


def _command(module: str, arguments: Iterable[str]) -> list[str]:
    return [sys.executable, "-I", "-X", "utf8", "-m", module, *arguments]


def _said(child: subprocess.Popen[bytes]) -> Iterator[bytes]:
    yield from pieces(cast("BinaryIO", child.stdout))
    complaint = cast("IO[bytes]", child.stderr).read()
    _judge(child.wait(_FINISHING_S), complaint, "reading the container's files")


def _feed(pipe: IO[bytes], content: Iterable[bytes]) -> None:
    for piece in content:
        view = memoryview(piece)
        try:
            while view:
                view = view[pipe.write(view) :]
        except BrokenPipeError:
            return  # a child that stops reading has something to say: that is heard later


def _judge(status: int, complaint: bytes, doing: str) -> None:
    words = complaint.decode(errors="replace")
    if status == confined.REFUSED:
        raise InvalidParameter(words)
    if status:
        last = words.strip().rpartition("\n")[2]
        raise HostRefused(f"{doing} failed: {last or f'status {status}'}")
