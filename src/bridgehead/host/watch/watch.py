"""The two sockets that listen: rtnetlink and nf_tables, in the namespace of whoever opens them."""

import errno
import logging
import os
import socket
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

from bridgehead.core.plan.notice import Notice, Overrun
from bridgehead.host.watch.firewall import GROUP as FIREWALL_GROUP
from bridgehead.host.watch.firewall import FirewallReader
from bridgehead.host.watch.messages import Message, messages
from bridgehead.host.watch.routing import GROUPS as ROUTE_GROUPS
from bridgehead.host.watch.routing import RouteReader

_log = logging.getLogger("bridgehead.watch")
_NETLINK_NETFILTER = 12
_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
_RCVBUFFORCE = 33
_BUFFER = 4 << 20  # a thousand networks made or flushed at once
_LARGEST_DATAGRAM = 32768
_MOST_DATAGRAMS = 512  # of one socket before anybody else's turn comes


class KernelWatch:
    """Hears from the moment it is made. `own_firewall_ports` are the netlink ports of our own firewall work.

    What rtnetlink announces of our own doing is told like anybody else's: it is as we believe.
    """

    def __init__(self, own_firewall_ports: Callable[[], Collection[int]]) -> None:
        self._own = own_firewall_ports
        self._routes = _listening(socket.NETLINK_ROUTE, ROUTE_GROUPS)
        self._firewall = _listening(_NETLINK_NETFILTER, (FIREWALL_GROUP,))
        self._callers: dict[int, str] = {}
        self._route_reader = RouteReader(dict(socket.if_nameindex()), self._named)
        self._firewall_reader = FirewallReader()

    @property
    def descriptors(self) -> tuple[int, int]:
        """Readable when there is something to drain."""
        return self._routes.fileno(), self._firewall.fileno()

    def drain(self) -> Sequence[Notice]:
        """What was announced since the last time, in order for each subject. Does not wait."""
        own = self._own()
        notices = [*self._told(self._routes, self._route_reader.read)]
        notices += self._told(self._firewall, lambda message: self._firewall_reader.read(message, own))
        self._callers.clear()  # process ids are used again
        return notices

    def close(self) -> None:
        self._routes.close()
        self._firewall.close()

    def _told(self, listener: socket.socket, read: Callable[[Message], Iterable[Notice]]) -> Iterator[Notice]:
        for _ in range(_MOST_DATAGRAMS):
            try:
                for message in messages(listener.recv(_LARGEST_DATAGRAM)):
                    yield from read(message)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                yield self._begin_again()
            except (ValueError, struct.error, IndexError) as error:
                # What cannot be understood may have said anything.
                _log.warning("an announcement of the kernel cannot be read: %s", error)
                yield self._begin_again()

    def _begin_again(self) -> Overrun:
        self._route_reader.learn(socket.if_nameindex())
        self._firewall_reader.forget()
        return Overrun()

    def _named(self, port: int) -> str:
        """Most programs use one socket, and the kernel names that after the process."""
        if port in (0, os.getpid()):
            return ""
        if port not in self._callers:
            self._callers[port] = _process(port)
        return self._callers[port]


def _process(pid: int) -> str:
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
    return f"{name} (pid {pid})"


def _listening(protocol: int, groups: Sequence[int]) -> socket.socket:
    listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
    listener.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _BUFFER)
    listener.bind((0, 0))
    for group in groups:
        listener.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
    return listener
