"""Whether the host's routes or addresses changed since one last asked, by the kernel's own notices.

The kernel queues a notice before whoever made the change goes on, so none is missed; if too many came to be
kept, that counts as a change.
"""

import errno
import socket
import struct
from collections.abc import Collection, Iterator

_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
_GROUPS = (5, 7, 9, 11)  # IPv4 addresses and routes, IPv6 addresses and routes
_NEW_ADDRESS, _DELETED_ADDRESS = 20, 21
_RTA_OIF = 4
_HEADER = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE_SIZE = 12
_ATTRIBUTE = struct.Struct("=HH")
_INDEX = struct.Struct("=I")
_LARGEST = 1 << 16


class AddressChanges:
    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.setblocking(False)
        self._socket.bind((0, 0))
        for group in _GROUPS:
            self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
        self._ours: set[int] = set()

    def concern_others(self, ours: Collection[str]) -> bool:
        """Whether anything happened on another interface than those named. Forgets what it heard."""
        # Each is judged, also after the first that concerns others: what is ours must be known when it goes.
        judged = [self._concerns_others(index, ours) for index in set(self._drain())]
        return any(judged)

    def close(self) -> None:
        self._socket.close()

    def _concerns_others(self, index: int, ours: Collection[str]) -> bool:
        """An interface that is gone was ours if we knew it so; its number may come again."""
        known = index in self._ours
        self._ours.discard(index)
        try:
            name = socket.if_indextoname(index)
        except OSError:
            return not known
        if name in ours:
            self._ours.add(index)
        return name not in ours

    def _drain(self) -> Iterator[int]:
        while True:
            try:
                data = self._socket.recv(_LARGEST)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                yield 0  # some were lost; no interface has this number
                continue
            yield from _interfaces(data)


def _interfaces(data: bytes) -> Iterator[int]:
    """The index of each message's interface, 0 if it names none."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, at)
        body = data[at + _HEADER.size : at + length]
        yield _ADDRESS.unpack_from(body)[4] if kind in {_NEW_ADDRESS, _DELETED_ADDRESS} else _way_out(body)
        at += max((length + 3) & ~3, _HEADER.size)


def _way_out(route: bytes) -> int:
    at = _ROUTE_SIZE
    while at + _ATTRIBUTE.size <= len(route):
        length, kind = _ATTRIBUTE.unpack_from(route, at)
        if kind == _RTA_OIF:
            index: int = _INDEX.unpack_from(route, at + _ATTRIBUTE.size)[0]
            return index
        at += max((length + 3) & ~3, _ATTRIBUTE.size)
    return 0
