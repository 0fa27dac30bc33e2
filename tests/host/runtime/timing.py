"""What each step of a container's life costs here: the figures of docs/design/runtime.md.

unshare --net --mount --uts --propagation private .venv/bin/python -m tests.host.runtime.timing
"""

import asyncio
import os
import signal
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeVar

from bridgehead.core.model.container import ProcessSpec
from bridgehead.host.runtime.processes import run
from tests.host.runtime.conftest import Yard, everything

_ROUNDS = 20
_T = TypeVar("_T")

_taken: dict[str, list[float]] = {}


async def timed(name: str, step: Awaitable[_T]) -> _T:
    began = perf_counter()
    result = await step
    _taken.setdefault(name, []).append((perf_counter() - began) * 1000)
    return result


async def executed(yard: Yard, container) -> None:
    process = ProcessSpec(argv=("true",))
    running = await yard.runtime.execute(container, process, attach=True, stdin=False)
    await everything(running.stream)
    await running.wait()


async def killed(yard: Yard, container) -> None:
    await yard.runtime.signal(container, signal.SIGKILL)
    await yard.runtime.exited(container)


async def measure(yard: Yard) -> None:
    await yard.runtime.prepare()
    bundle = yard.bundle("sleep", "60")
    container = bundle.container.id
    for _ in range(_ROUNDS):
        await timed("create", yard.runtime.create(bundle))
        await timed("start", yard.runtime.start(container))
        await timed("exec, attached, to its end", executed(yard, container))
        await timed("kill until the exit is known", killed(yard, container))
        await timed("delete", yard.runtime.delete(container))
        await timed("(a program that does nothing: runc --version)", run(["runc", "--version"]))
    yard.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Yard(Path(folder), f"/bridgehead-test-{os.getpid()}")))
    for name, times in _taken.items():
        print(f"{name:48}{median(times):8.2f} ms  (least {min(times):.2f})")


if __name__ == "__main__":
    main()
