"""Letting a created container go.

A container's first process waits in a fifo of the runtime's. `runc start` is a program of 4 to 6 ms that
reads from that fifo and removes it; for runc we do that ourselves, for any other runtime we ask it.
"""

import asyncio
import os
from pathlib import Path

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.model.ids import ContainerID
from bridgehead.host.runtime.failure import creation_failed
from bridgehead.host.runtime.processes import readable, run

_PATIENCE_S = 10.0


def waiting(state: str, container: ContainerID) -> str | None:
    """The fifo of a container that was created and not started."""
    fifo = f"{state}/{container}/exec.fifo"
    return fifo if Path(fifo).exists() else None


async def start(program: str, state: str, container: ContainerID) -> None:
    fifo = waiting(state, container)
    if fifo and Path(program).name.startswith("runc"):
        await _release(fifo, container)
        return
    code, said = await run([program, "--root", state, "start", container])
    if code:
        raise creation_failed(said)


async def _release(fifo: str, container: ContainerID) -> None:
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        await asyncio.wait_for(readable(reader), _PATIENCE_S)
        if not os.read(reader, 1):
            raise HostRefused(f"container {container} ended before it was started")
    except TimeoutError as error:
        raise HostRefused(f"container {container} does not answer to its start") from error
    finally:
        os.close(reader)
    os.unlink(fifo)  # noqa: PTH108 - pathlib's is taken for slow in an async function
