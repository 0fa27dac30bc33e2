"""Everything here happens in memory, time included."""

from collections.abc import Callable, Mapping

from tests.support.jumping import JumpingLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], JumpingLoop]]:
    return {"jumping": JumpingLoop}
