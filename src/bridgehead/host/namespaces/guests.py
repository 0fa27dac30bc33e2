"""Namespaces that somebody else made: telling them apart for good, and noticing their end.

A namespace has no event that tells its end, and its file may be unmounted where we hear nothing. So each is
looked at once a second; a process's end is heard at once, by a descriptor of it.
"""

import asyncio
import errno
import fcntl
import os
import socket
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.guest import Guest, GuestRequest
from bridgehead.host.namespaces.entering import CLONE_NEWNET, descriptor_of, inside
from bridgehead.host.namespaces.files import identity

_NS_GET_NSTYPE = 0xB703
_SO_NETNS_COOKIE = 71
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_OWN = "/proc/self/ns/net"
_PERIOD_S = 1.0
_START_TIME = 19  # in /proc/PID/stat, counted from behind the command's name, which may hold anything


class KernelNamespaces:
    """Fits `engine.world.Namespaces`."""

    def recognise(self, request: GuestRequest) -> Guest:
        if bool(request.path) == bool(request.pid):
            raise InvalidParameter(
                "say where the network namespace is: a path or a process id, one of the two"
            )
        if request.path:
            if not request.path.startswith("/"):
                raise InvalidParameter(f"the path of a network namespace must be absolute: {request.path}")
            if "\0" in request.path:
                raise InvalidParameter(f"a path of a network namespace has no NUL in it: {request.path!r}")
            found = Guest(_inode(request.path), _boot(), path=request.path)
            return _looked_into(found)
        started = _started(request.pid)
        if started is None:
            raise InvalidParameter(f"there is no process {request.pid}")
        guest = Guest(_inode(f"/proc/{request.pid}/ns/net"), _boot(), pid=request.pid, started=started)
        guest = _looked_into(guest)
        if _started(request.pid) != started:
            raise InvalidParameter(f"process {request.pid} has ended")
        return guest

    def own(self) -> int:
        return _inode(_OWN)

    def kept(self, path: str) -> int | None:
        return identity(path)

    def still(self, guest: Guest) -> bool:
        try:
            return self._there(guest) and inside(guest.source, _cookie) == guest.cookie
        except OSError:
            return False

    def _there(self, guest: Guest) -> bool:
        """As far as one can tell from outside. While we keep it, no other can have its inode."""
        if _boot() != guest.boot or (guest.pid and _started(guest.pid) != guest.started):
            return False
        try:
            return identity(guest.source) == guest.inode
        except OSError:
            return False

    async def gone(self, guest: Guest) -> None:
        ended = asyncio.Event()
        with ExitStack() as held:
            if guest.pid:
                _listen(guest.pid, ended, held)
            while self._there(guest):
                try:
                    await asyncio.wait_for(ended.wait(), _PERIOD_S)
                except TimeoutError:
                    continue
                return


def _listen(pid: int, ended: asyncio.Event, held: ExitStack) -> None:
    """Whose process it is must be looked at after this: from here on its end cannot be missed."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return  # gone already, or no process but a thread: the next look tells
    held.callback(os.close, descriptor)
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    held.callback(loop.remove_reader, descriptor)


def _inode(path: str) -> int:
    """
    Raises:
        InvalidParameter: what is there is no network namespace.
    """
    try:
        found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise InvalidParameter(f"{path} is no network namespace: {error.strerror}") from None
    try:
        # Only what lies on the kernel's own file system of namespaces is opened: nothing there can wait.
        inode = identity(f"/proc/self/fd/{found}")
        if inode is None or not _is_network(f"/proc/self/fd/{found}"):
            raise InvalidParameter(f"{path} is no network namespace")
        return inode
    finally:
        os.close(found)


def _looked_into(guest: Guest) -> Guest:
    """With what can only be told from inside."""
    try:
        links, cookie = inside(guest.source, lambda: (socket.if_nameindex(), _cookie()))
    except OSError as error:
        raise InvalidParameter(f"{guest.source} cannot be entered: {error.strerror}") from None
    return replace(guest, interfaces=tuple(name for _, name in links), cookie=cookie)


def _cookie() -> int:
    """Of the namespace that the calling thread is in. The kernel has them since 5.14."""
    try:
        with socket.socket(socket.AF_UNIX) as inside_it:
            return int.from_bytes(inside_it.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8), sys.byteorder)
    except OSError as error:
        if error.errno == errno.ENOPROTOOPT:
            return 0
        raise


def _is_network(path: str) -> bool:
    try:
        with descriptor_of(path) as descriptor:
            return fcntl.ioctl(descriptor, _NS_GET_NSTYPE) == CLONE_NEWNET
    except OSError as error:
        if error.errno == errno.ENOTTY:  # another kind of file of that file system
            return False
        raise


def _boot() -> str:
    return _BOOT.read_text(encoding="ascii").strip()


def _started(pid: int) -> int | None:
    """When the process began; None if there is none, or it has ended and is only not waited for yet."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else int(fields[_START_TIME - 1])
