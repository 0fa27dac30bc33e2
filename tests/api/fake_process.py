"""Processes of the fake engine: small programs in memory, with real streams, terminals and exit codes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bridgehead.core.model.errors import CommandNotExecutable, CommandNotFound

Piece = tuple[int, bytes]
_ROOM = 64  # pieces a client may lie behind before the process is held back


class FakeStream:
    def __init__(self, process: "FakeProcess") -> None:
        self._process = process
        self.pieces: asyncio.Queue[Piece | None] = asyncio.Queue(_ROOM)
        self.closed = False

    async def read(self) -> Piece | None:
        return await self.pieces.get()

    async def write(self, data: bytes) -> None:
        if self._process.input_closed or self._process.ended.done():
            raise BrokenPipeError
        self._process.input += data
        self._process.arrival.set()

    def close_input(self) -> None:
        self._process.input_closed = True
        self._process.arrival.set()

    def close(self) -> None:
        self.closed = True
        self._process.streams.discard(self)
        while not self.pieces.empty():
            self.pieces.get_nowait()


class FakeProcess:
    pid = 4242

    def __init__(self, argv: Sequence[str], *, attach: bool = True) -> None:
        if argv[0] not in PROGRAMS:
            raise CommandNotFound(f'exec: "{argv[0]}": no such program')
        if argv[0] == "locked":
            raise CommandNotExecutable(f'exec: "{argv[0]}": cannot be run')
        self.argv = argv
        self.input = bytearray()
        self.input_closed = False
        self.arrival = asyncio.Event()
        self.streams: set[FakeStream] = set()
        self.size = (0, 0)
        self.signals: list[int] = []
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.stream = self.open() if attach else None
        self.said: list[Piece] = []

    def open(self) -> FakeStream:
        stream = FakeStream(self)
        self.streams.add(stream)
        return stream

    def begin(self) -> None:
        self.task = asyncio.ensure_future(self._run())

    async def wait(self) -> int:
        return await asyncio.shield(self.ended)

    def resize(self, height: int, width: int) -> None:
        self.size = (height, width)

    async def say(self, stream: int, data: bytes) -> None:
        self.said.append((stream, data))
        for client in list(self.streams):
            await client.pieces.put((stream, data))

    async def hear(self) -> bytes:
        while not self.input and not self.input_closed:
            self.arrival.clear()
            await self.arrival.wait()
        heard = bytes(self.input)
        self.input.clear()
        return heard

    def kill(self, signal: int) -> None:
        self.signals.append(signal)
        if signal in (9, 15):
            self.task.cancel()

    async def _run(self) -> None:
        try:
            code = await PROGRAMS[self.argv[0]](self)
        except asyncio.CancelledError:
            code = 128 + (self.signals[-1] if self.signals else 9)
        # A process is over when it is, not when its clients have read all it said.
        if not self.ended.done():
            self.ended.set_result(code)
        for client in list(self.streams):
            await client.pieces.put(None)


async def _cat(process: FakeProcess) -> int:
    while heard := await process.hear():
        await process.say(1, heard)
    return 0


async def _count(process: FakeProcess) -> int:
    """Speaks only after the end of its input."""
    total = 0
    while heard := await process.hear():
        total += len(heard)
    await asyncio.sleep(0.05)
    await process.say(1, f"{total}\n".encode())
    return 0


async def _both(process: FakeProcess) -> int:
    await process.say(1, b"to stdout\n")
    await process.say(2, b"to stderr\n")
    return int(process.argv[1]) if len(process.argv) > 1 else 0


async def _flood(process: FakeProcess) -> int:
    for _ in range(int(process.argv[1])):
        await process.say(1, b"x" * 65536)
    return 0


async def _sleep(_: FakeProcess) -> int:
    await asyncio.Event().wait()
    return 0


async def _deaf(process: FakeProcess) -> int:
    """Closes its input at once, speaks later."""
    process.input_closed = True
    await asyncio.sleep(0.1)
    await process.say(1, b"still here\n")
    return 3


PROGRAMS: dict[str, Callable[[FakeProcess], Awaitable[int]]] = {
    "cat": _cat,
    "count": _count,
    "both": _both,
    "flood": _flood,
    "sleep": _sleep,
    "deaf": _deaf,
    "locked": _sleep,
}
