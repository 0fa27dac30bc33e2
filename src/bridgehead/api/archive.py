"""A request's body as a blocking file, for code that reads archives in a thread.

Nothing is kept on disk, and the client is read no faster than the archive is. A body that ends early raises
instead of looking like the end of the archive: half an image must never pass for a whole one.
"""

import asyncio
import concurrent.futures
import io
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aiohttp import web

from bridgehead.core.model.errors import InvalidParameter

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER = 1 << 20  # bytes
_PATIENCE_S = 600.0  # between two pieces


class Archive(io.BufferedReader):
    """Made and closed on the event loop; read from another thread."""

    def __init__(self, request: web.Request) -> None:
        self._body = _Body(request, asyncio.get_running_loop())
        super().__init__(self._body, _BUFFER)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A thread may still hold the buffer's lock: only the source is closed, which ends its reading.
        self._body.abandon()


class _Body(io.RawIOBase):
    def __init__(self, request: web.Request, loop: asyncio.AbstractEventLoop) -> None:
        self._content = request.content
        self._loop = loop
        self._rest = memoryview(b"")
        self._abandoned = False
        self._waiting: concurrent.futures.Future[bytes] | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer).cast("B")
        if not self._rest:
            self._rest = memoryview(self._next())
        taken = self._rest[: len(target)]
        target[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)

    def abandon(self) -> None:
        self._abandoned = True
        if self._waiting is not None:
            self._waiting.cancel()

    def _next(self) -> bytes:
        if self._abandoned:
            raise InvalidParameter("the archive is no longer wanted")
        self._waiting = asyncio.run_coroutine_threadsafe(self._content.readany(), self._loop)
        try:
            return self._waiting.result(_PATIENCE_S)
        except (concurrent.futures.CancelledError, ConnectionError, web.RequestPayloadError) as error:
            raise InvalidParameter("the archive ended early: the client went away") from error
        except TimeoutError as error:
            self._waiting.cancel()
            raise InvalidParameter("the archive ended early: the client sent nothing for too long") from error
