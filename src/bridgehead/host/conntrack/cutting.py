"""Cutting connections off: the next packet of each is judged anew, and goes where the rules say now.

The kernel lets a connection go where its first packet went for as long as packets come: a UDP client that
never pauses would talk to a container that is long gone.
"""

import errno
import logging
import os
import socket
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache

from bridgehead.core.firewall.flows import Flow
from bridgehead.core.model.errors import HostRefused
from bridgehead.host.conntrack.wire import (
    DONE,
    ERROR,
    PROTOCOLS,
    Entry,
    Question,
    delete,
    dump,
    leads_to,
    messages,
    read,
    refusal,
)

_NETLINK_NETFILTER = 12
_RCVBUFFORCE = 33
_BUFFER = 1 << 20
_LARGEST_DATAGRAM = 32768
_BATCH = 64  # the acknowledgements of one send must fit the receive buffer
_SINGLE_QUESTIONS = 8  # beyond this many ports, one look at the whole protocol is cheaper
_PATIENCE_S = 2.0
_log = logging.getLogger("bridgehead.conntrack")

_Likely = Callable[[bytes], bool]
_Wanted = Callable[[Entry], bool]


class Scissors:
    """One socket for life, in the namespace of whoever first cuts. For one thread at a time."""

    def __init__(self) -> None:
        self._channel: socket.socket | None = None
        self._sequence = 0

    def cut(self, flows: Collection[Flow]) -> int:
        """Forget the connections that were begun to these ports of the host; how many there were.

        Raises:
            HostRefused: the kernel does not let us.
        """
        exact = {_key(flow) for flow in flows}
        is_local = cache(_is_local)

        def begun(entry: Entry) -> bool:
            anywhere = bytes(len(entry.destination))
            if (entry.protocol, entry.destination, entry.port) in exact:
                return True
            # What only passes through this host to the same port of another is nobody's published port.
            return (entry.protocol, anywhere, entry.port) in exact and is_local(entry.destination)

        ports = {flow.port.to_bytes(2, "big") for flow in flows}
        return self._cut(_questions(flows), lambda body: leads_to(body, ports), begun)

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _cut(self, questions: Sequence[Question], likely: _Likely, wanted: _Wanted) -> int:
        end, count = time.monotonic() + _PATIENCE_S, 0
        try:
            for question in questions:
                doomed = [entry for entry in self._ask(question, likely, end) if wanted(entry)]
                count += self._delete(doomed, end)
        except TimeoutError:
            # The kernel may still be answering; nobody wants to hear it any more.
            self.close()
            _log.warning("not all old connections could be cut off within %g s", _PATIENCE_S)
        except OSError as error:
            self.close()
            raise HostRefused(f"cannot cut old connections off: {error.strerror or error}") from error
        return count

    def _ask(self, question: Question, likely: _Likely, end: float) -> Iterator[Entry]:
        self._sequence += 1
        self._open().send(dump(question, self._sequence))
        for kind, body in self._answers(self._sequence, self._sequence, end):
            if kind in (DONE, ERROR):
                _raise(refusal(body))
                return
            entry = read(body) if likely(body) else None
            if entry is not None:
                yield entry

    def _delete(self, doomed: Sequence[Entry], end: float) -> int:
        count = 0
        for start in range(0, len(doomed), _BATCH):
            batch = doomed[start : start + _BATCH]
            first, self._sequence = self._sequence + 1, self._sequence + len(batch)
            self._open().send(b"".join(delete(entry, first + place) for place, entry in enumerate(batch)))
            waiting = len(batch)
            for kind, body in self._answers(first, self._sequence, end):
                if kind != ERROR:
                    continue
                code = refusal(body)
                if code != errno.ENOENT:  # it ended by itself
                    _raise(code)
                    count += 1
                waiting -= 1
                if not waiting:
                    break
        return count

    def _answers(self, first: int, last: int, end: float) -> Iterator[tuple[int, bytes]]:
        """Without end: the caller knows what the last answer is."""
        channel = self._open()
        while True:
            left_s = end - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            channel.settimeout(left_s)
            for kind, sequence, body in messages(channel.recv(_LARGEST_DATAGRAM)):
                if first <= sequence <= last:
                    yield kind, body

    def _open(self) -> socket.socket:
        if self._channel is None:
            self._channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
            self._channel.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _BUFFER)
        return self._channel


def _questions(flows: Collection[Flow]) -> list[Question]:
    """One for each port, or one for each protocol when the ports are many."""
    if len(flows) > _SINGLE_QUESTIONS:
        return list({Question(flow.address.version, PROTOCOLS[flow.protocol]) for flow in flows})
    return [
        Question(
            flow.address.version,
            PROTOCOLS[flow.protocol],
            None if flow.address.is_unspecified else flow.address,
            flow.port,
        )
        for flow in flows
    ]


def _key(flow: Flow) -> tuple[int, bytes, int]:
    return PROTOCOLS[flow.protocol], flow.address.packed, flow.port


def _is_local(packed: bytes) -> bool:
    """Whether it is an address of this host: only to those can a socket be bound."""
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((socket.inet_ntop(family, packed), 0))
        except OSError:
            return False
    return True


def _raise(code: int) -> None:
    if code:
        raise OSError(code, os.strerror(code))
