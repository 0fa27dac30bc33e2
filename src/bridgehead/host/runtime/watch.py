"""Being told by the kernel when files in a folder change (inotify)."""

import ctypes
import os
from contextlib import suppress

from bridgehead.host.runtime.processes import readable

_MODIFIED, _MOVED_IN, _CREATED = 0x002, 0x080, 0x100
_LARGEST = 65536

_libc = ctypes.CDLL(None, use_errno=True)


class Watch:
    def __init__(self, folder: str) -> None:
        self._descriptor: int = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise _refused(folder)
        if _libc.inotify_add_watch(self._descriptor, folder.encode(), _MODIFIED | _MOVED_IN | _CREATED) < 0:
            os.close(self._descriptor)
            raise _refused(folder)

    async def changed(self) -> None:
        """Returns at once if something changed since the last call."""
        await readable(self._descriptor)
        with suppress(BlockingIOError):
            os.read(self._descriptor, _LARGEST)

    def close(self) -> None:
        os.close(self._descriptor)


def _refused(folder: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), folder)
