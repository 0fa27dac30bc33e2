"""One question put to one name server, over UDP or TCP, from a socket that asks nothing else.

A socket of its own gives each question a source port of its own: with the random id that is what a forger
outside has to guess.
"""

import errno
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from bridgehead.core.dns.message import Query, answers, with_id
from bridgehead.core.plan.names import Upstream
from bridgehead.host.companion.loop import READABLE, WRITABLE, Loop

PORT = 53
_LARGEST = 65535
_LENGTH = 2

# Beside what the network says: an address that is none, a zone that is too large.
UNREACHABLE = (OSError, ValueError, OverflowError)

SocketAddress = tuple[str, int] | tuple[str, int, int, int]
Heard = Callable[["Attempt", bytes | None], None]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The client's own bytes, with an id that only we and the server know."""

    identifier: int
    packet: bytes
    query: Query

    def answered_by(self, message: bytes) -> bool:
        return answers(message, self.identifier, self.query)


def outgoing(query: Query, packet: bytes) -> Outgoing:
    identifier = int.from_bytes(os.urandom(2), "big")
    return Outgoing(identifier, with_id(identifier, packet), query)


def family_of(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Attempt:
    """`heard` is called once: with the server's reply, or with None when none can come any more."""

    def __init__(
        self, loop: Loop, door: socket.socket, upstream: Upstream, question: Outgoing, heard: Heard
    ) -> None:
        self.upstream = upstream
        self._loop = loop
        self._socket = door
        self._question = question
        self._heard = heard
        door.setblocking(False)

    def start(self) -> None:
        """Send the question, or begin to.

        Raises:
            UNREACHABLE: the question cannot be sent; the socket is closed.
        """
        try:
            self._begin(_socket_address(self.upstream.address))
        except UNREACHABLE:
            self._socket.close()
            raise

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.forget(self._socket.fileno())
            self._socket.close()

    def _begin(self, address: SocketAddress) -> None:
        raise NotImplementedError

    def _end(self, reply: bytes | None) -> None:
        self.close()
        self._heard(self, reply)


class UdpAttempt(Attempt):
    def _begin(self, address: SocketAddress) -> None:
        self._socket.connect(address)
        self._socket.send(self._question.packet)
        self._loop.watch(self._socket.fileno(), self._ready)

    def _ready(self, _events: int) -> None:
        try:
            message = self._socket.recv(_LARGEST)
        except BlockingIOError:
            return
        except OSError:
            self._end(None)
            return
        if self._question.answered_by(message):
            self._end(message)


class TcpAttempt(Attempt):
    def _begin(self, address: SocketAddress) -> None:
        self._unsent = len(self._question.packet).to_bytes(_LENGTH, "big") + self._question.packet
        self._received = bytearray()
        problem = self._socket.connect_ex(address)
        if problem not in {0, errno.EINPROGRESS}:
            raise OSError(problem, os.strerror(problem))
        self._loop.watch(self._socket.fileno(), self._ready, WRITABLE)

    def _ready(self, _events: int) -> None:
        try:
            if self._unsent:
                self._write()
            else:
                self._read()
        except BlockingIOError:
            return
        except OSError:
            self._end(None)

    def _write(self) -> None:
        self._unsent = self._unsent[self._socket.send(self._unsent) :]
        if not self._unsent:
            self._loop.change(self._socket.fileno(), READABLE)

    def _read(self) -> None:
        data = self._socket.recv(_LARGEST)
        self._received += data
        length = int.from_bytes(self._received[:_LENGTH], "big")
        if len(self._received) >= _LENGTH + length and len(self._received) > _LENGTH:
            message = bytes(self._received[_LENGTH : _LENGTH + length])
            self._end(message if self._question.answered_by(message) else None)
        elif not data:
            self._end(None)


def _socket_address(address: str) -> SocketAddress:
    """Numbers only: a name here would be looked up, which takes time and asks whom?"""
    number, _, zone = address.partition("%")
    socket.inet_pton(family_of(number), number)
    if family_of(number) == socket.AF_INET:
        return number, PORT
    scope = int(zone) if zone.isdecimal() else socket.if_nametoindex(zone) if zone else 0
    return number, PORT, 0, scope
