"""Where the machine's own errors become refusals: the engine takes back what was refused, and only that."""

import functools
import shutil
from collections.abc import Callable, Coroutine
from typing import ParamSpec, TypeVar

import msgspec

from bridgehead.core.model.errors import HostRefused

P = ParamSpec("P")
T = TypeVar("T")
_MACHINE = (OSError, ValueError, KeyError, shutil.Error, msgspec.MsgspecError)


def refusing(
    call: Callable[P, Coroutine[object, object, T]],
) -> Callable[P, Coroutine[object, object, T]]:
    @functools.wraps(call)
    async def whole(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await call(*args, **kwargs)
        except _MACHINE as error:
            raise HostRefused(f"runtime: {str(error) or type(error).__name__}") from error

    return whole
