"""Deleting links, and knowing it as early as possible.

The kernel acknowledges a deletion only once no processor can still be reading the link: some 17 ms. It
announces it as soon as nothing can use the link any more: under 1 ms. So the request is sent from a
thread that may wait, and the announcement is what counts; the acknowledgement brings refusals.
"""

import errno
import os
import select
import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from bridgehead.host.netlink.codec import messages
from bridgehead.host.netlink.doors import Door
from bridgehead.host.netlink.links import RTM_DELLINK, Link, delete_link, read_link
from bridgehead.host.netlink.marks import LINK_GROUPS
from bridgehead.host.netlink.route_socket import RouteSocket

_LINK_ANNOUNCEMENTS = 1
_LARGEST_DATAGRAM = 32768
_THREADS = 8
_PATIENCE_S = 5.0
_GLANCE_MS = 20  # how often acknowledgements are looked at while no announcement comes

_Acknowledgement = Future[OSError | None]


def _route_socket() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)


class Reaper:
    """Deletes links, several at once; of the daemon's own namespace unless something else is said."""

    def __init__(self, host: Door) -> None:
        self._host = host
        self._threads = ThreadPoolExecutor(_THREADS, "reaper")

    def delete(self, names: Iterable[str]) -> dict[str, OSError]:
        """Refusals by name. What is not there, or no longer ours, counts as deleted."""
        return self.delete_found(self._host.find_all(names).values())

    def delete_found(
        self, links: Iterable[Link], opened: Callable[[], socket.socket] = _route_socket
    ) -> dict[str, OSError]:
        """The same for links that were looked up just now, where `opened` gives route sockets."""
        doomed = {link.index: link for link in links if link.group in LINK_GROUPS}
        return self._reap(doomed, opened) if doomed else {}

    def close(self) -> None:
        self._threads.shutdown()

    def _reap(self, doomed: dict[int, Link], opened: Callable[[], socket.socket]) -> dict[str, OSError]:
        with opened() as announcements:
            announcements.bind((0, 1 << (_LINK_ANNOUNCEMENTS - 1)))
            pending = {index: self._threads.submit(_delete, RouteSocket(opened()), index) for index in doomed}
            refusals = _wait(announcements, pending)
        return {doomed[index].name: error for index, error in refusals.items()}


def _wait(announcements: socket.socket, pending: dict[int, _Acknowledgement]) -> dict[int, OSError]:
    """Until each deletion was announced or acknowledged; the refusals by index."""
    refusals: dict[int, OSError] = {}
    readable = select.poll()
    readable.register(announcements, select.POLLIN)
    end = time.monotonic() + _PATIENCE_S
    while pending and time.monotonic() < end:
        if readable.poll(_GLANCE_MS):
            for index in _announced(announcements):
                pending.pop(index, None)
        for index in [index for index, acknowledgement in pending.items() if acknowledgement.done()]:
            if (error := pending.pop(index).result()) is not None:
                refusals[index] = error
    late = OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    return refusals | dict.fromkeys(pending, late)


def _announced(announcements: socket.socket) -> list[int]:
    """Indexes of deleted links. When announcements were lost, the acknowledgements have to do."""
    try:
        datagram = announcements.recv(_LARGEST_DATAGRAM)
    except OSError as error:
        if error.errno == errno.ENOBUFS:
            return []
        raise
    links = [read_link(message) for message in messages(datagram) if message.kind == RTM_DELLINK]
    # A link that leaves its bridge is announced in nearly the same words, under the bridge's family.
    return [link.index for link in links if link.family == socket.AF_UNSPEC]


def _delete(link_socket: RouteSocket, index: int) -> OSError | None:
    try:
        (reply,) = link_socket.exchange([delete_link(index)])
    except OSError as error:
        return error
    finally:
        link_socket.close()
    return None if reply.error is None or reply.error.errno == errno.ENODEV else reply.error
