"""Doing something inside a network namespace, always in a thread that is thrown away.

The kernel keeps a namespace per thread. A thread that entered one and could not leave again would do the
daemon's work in the wrong place, so no thread ever leaves: it does one thing and ends. What it opened
(a socket, a folder of /proc/sys) belongs to the namespace for good and is used from any thread.
"""

import ctypes
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from bridgehead.core.model.errors import HostRefused

T = TypeVar("T")

CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, path: str | None = None) -> None:
    """Raise the OSError of a C call that returned less than zero."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)


class _Errand(threading.Thread, Generic[T]):
    """A thread with a result."""

    def __init__(self, errand: Callable[[], T]) -> None:
        super().__init__(name="namespace", daemon=True)
        self._errand = errand
        self._results: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._results.append(self._errand())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is awaited
            self._error = error

    def result(self) -> T:
        self.start()
        self.join()
        if self._error is not None:
            raise self._error
        return self._results[0]


def in_own_thread(errand: Callable[[], T]) -> T:
    """Run `errand` in a thread of its own, whose namespace may be changed freely."""
    return _Errand(errand).result()


@contextmanager
def descriptor_of(path: str) -> Iterator[int]:
    """A descriptor of the network namespace that is kept at `path`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def inside(path: str, errand: Callable[[], T]) -> T:
    """Run `errand` in the network namespace that is kept at `path`.

    Raises:
        OSError: the namespace cannot be entered, or what `errand` raised.
    """

    def enter_and_run() -> T:
        with descriptor_of(path) as descriptor:
            checked(libc.setns(descriptor, CLONE_NEWNET), path)
        return errand()

    return in_own_thread(enter_and_run)


def socket_in(path: str, family: int, kind: int, protocol: int = 0) -> socket.socket:
    """A socket that lives in the network namespace kept at `path`; '' is the daemon's own.

    Raises:
        HostRefused: there is no such namespace, or the kernel refused the socket.
    """
    try:
        if not path:
            return socket.socket(family, kind, protocol)
        return inside(path, lambda: socket.socket(family, kind, protocol))
    except OSError as error:
        raise HostRefused(f"cannot open a socket in {path or 'the own namespace'}: {error}") from error
