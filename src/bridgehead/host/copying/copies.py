"""`ContainerCopies`: starts the children that read and write containers' files, and passes the bytes on.

Nothing is kept: a piece is read from a child only when the last one was taken, and the other way round. A
child whose reader goes away is killed, and all it mounted goes with it.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import cast

import msgspec

from bridgehead.core.model.errors import (
    BridgeheadError,
    Conflict,
    Forbidden,
    HostRefused,
    InvalidParameter,
    NotFound,
)
from bridgehead.core.model.files import Change, ChangeKind, PathFacts, Placement
from bridgehead.core.oci.mounts import INEVITABLE
from bridgehead.core.roots import View
from bridgehead.host.copying import order as orders
from bridgehead.host.copying.order import Difference, Facts, Inner, Order, Verb
from bridgehead.host.copying.sizes import changed_bytes
from bridgehead.host.images import confined

_PIECE = 1 << 18
_LINE = 1 << 20
_CLASSES: dict[int, type[BridgeheadError]] = {
    confined.REFUSED: InvalidParameter,
    orders.GONE: NotFound,
    orders.FORBIDDEN: Forbidden,
    orders.STOPPED: Conflict,
}


class ContainerCopies:
    async def stat(self, view: View, path: str) -> PathFacts:
        async with _child(_order(view, Verb.STAT, path=path)) as child:
            return await _told(child)

    @asynccontextmanager
    async def read(self, view: View, path: str) -> AsyncIterator[tuple[PathFacts, AsyncIterator[bytes]]]:
        """What is at `path`, and an archive of it."""
        async with _child(_order(view, Verb.READ, path=path)) as child:
            yield await _told(child), _pieces(child)

    @asynccontextmanager
    async def export(self, view: View) -> AsyncIterator[AsyncIterator[bytes]]:
        async with _child(_order(view, Verb.EXPORT)) as child:
            yield _pieces(child)

    async def write(self, view: View, where: Placement, content: AsyncIterator[bytes]) -> None:
        """Unpack the archive `content`, which may be compressed, at a path that is a folder."""
        order = _order(
            view,
            Verb.WRITE,
            path=where.path,
            as_user=view.user if where.as_user else None,
            keep_kinds=where.keep_kinds,
        )
        async with _child(order) as child:
            await _feed(child, content)
            await _finished(child)

    async def changes(self, view: View) -> Sequence[Change]:
        async with _child(_order(view, Verb.DIFFER)) as child:
            lines = b"".join([piece async for piece in _pieces(child)]).splitlines()
        found = (msgspec.json.decode(line, type=Difference) for line in lines)
        return [Change(one.path, ChangeKind(one.kind)) for one in found]

    async def size(self, view: View) -> int:
        return await asyncio.to_thread(changed_bytes, view.root.upper)


def _order(
    view: View, verb: Verb, *, path: str = "", as_user: str | None = None, keep_kinds: bool = False
) -> Order:
    binds = (Inner(bind.source, bind.target, bind.read_only) for bind in view.binds)
    files = (Inner(outside, inside) for inside, outside in view.files.items())
    return Order(
        verb=verb,
        target=view.root.target,
        lower=view.root.lower,
        upper=view.root.upper,
        work=view.root.work,
        running=view.running,
        read_only=view.read_only,
        inner=(*binds, *files),
        hidden=INEVITABLE,
        path=path,
        as_user=as_user,
        keep_kinds=keep_kinds,
        parent=os.getpid(),
    )


@asynccontextmanager
async def _child(order: Order) -> AsyncIterator[asyncio.subprocess.Process]:
    try:
        word = msgspec.json.encode(order).decode()
        os.fsencode(word)
    except (UnicodeError, msgspec.MsgspecError):
        raise InvalidParameter("a path in a container must be UTF-8") from None
    if "\\u0000" in word:
        raise InvalidParameter("a path in a container must not hold a zero byte")
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-X", "utf8", "-m", "bridgehead.host.copying.inside", word),
        stdin=asyncio.subprocess.PIPE if order.verb is Verb.WRITE else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
        start_new_session=True,
        limit=_LINE,
    )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def _told(child: asyncio.subprocess.Process) -> PathFacts:
    line = await cast("asyncio.StreamReader", child.stdout).readline()
    if not line:
        await _finished(child)
    facts = msgspec.json.decode(line, type=Facts)
    return PathFacts(facts.name, facts.size, facts.mode, facts.modified, facts.target)


async def _pieces(child: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
    output = cast("asyncio.StreamReader", child.stdout)
    while piece := await output.read(_PIECE):
        yield piece
    await _finished(child)


async def _feed(child: asyncio.subprocess.Process, content: AsyncIterator[bytes]) -> None:
    """A child that stops reading has something to say: that is heard after."""
    pipe = cast("asyncio.StreamWriter", child.stdin)
    async for piece in content:
        if not await _taken(pipe, piece):
            return
    with suppress(BrokenPipeError, ConnectionResetError):
        pipe.close()
        await pipe.wait_closed()


async def _taken(pipe: asyncio.StreamWriter, piece: bytes) -> bool:
    try:
        pipe.write(piece)
        await pipe.drain()
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


async def _finished(child: asyncio.subprocess.Process) -> None:
    """
    Raises:
        InvalidParameter, NotFound, Forbidden, Conflict, HostRefused: in the child's words.
    """
    complaint = await cast("asyncio.StreamReader", child.stderr).read()
    status = await child.wait()
    if not status:
        return
    words = complaint.decode(errors="replace").strip().rpartition("\n")[2]
    kind = _CLASSES.get(status)
    if kind:
        raise kind(words)
    raise HostRefused(f"copying files of a container failed: {words or f'status {status}'}")
