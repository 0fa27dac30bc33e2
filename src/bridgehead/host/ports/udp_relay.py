"""Datagrams to one kept UDP port, carried to a container and back: a socket for each client.

A client's answers leave from the address it wrote to, also where the host has several.
"""

import socket
import struct

from bridgehead.host.companion.loop import Loop, Timer
from bridgehead.host.ports.allowance import Allowance
from bridgehead.host.ports.sockets import family

IDLE_S = 90.0
_LARGEST = 65535
_A_ROUND = 64
_IP_PKTINFO = 8
_INFO4 = struct.Struct("=i4s4s")  # interface, the address we answer from, the address written to
_INFO6 = struct.Struct("=16si")  # the address written to, interface
_ANCILLARY_SPACE = socket.CMSG_SPACE(_INFO6.size)

_buffer = bytearray(_LARGEST)
_view = memoryview(_buffer)

Ancillary = tuple[tuple[int, int, bytes], ...]
Client = tuple[tuple[str | int, ...], Ancillary]


class Session:
    """One client, and when it was last heard of or spoken to."""

    __slots__ = ("client", "socket", "used")

    def __init__(self, client: Client, used: float, target: tuple[str, int]) -> None:
        self.client = client
        self.used = used
        self.socket = socket.socket(family(target[0]), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self.socket.connect(target)
        except OSError:
            self.socket.close()
            raise


class UdpRelay:
    """Sessions are kept least recently used first. When no more are allowed, the first makes room."""

    def __init__(
        self,
        loop: Loop,
        kept: socket.socket,
        target: tuple[str, int],
        allowance: Allowance,
        idle_s: float = IDLE_S,
    ) -> None:
        self._loop = loop
        self._socket = kept
        self._target = target
        self._allowance = allowance
        self._idle_s = idle_s
        self._sessions: dict[Client, Session] = {}
        self._timer: Timer | None = None
        if kept.family == socket.AF_INET:
            kept.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        else:
            kept.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        loop.watch(kept.fileno(), self._ready)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._loop.forget(self._socket.fileno())
        while self._sessions:
            self._drop_oldest()

    def _ready(self, _events: int) -> None:
        for _ in range(_A_ROUND):
            try:
                count, ancillary, _, sender = self._socket.recvmsg_into([_buffer], _ANCILLARY_SPACE)
            except BlockingIOError:
                return
            except OSError:
                # An error of an earlier answer, reported late.
                continue
            session = self._session((sender, _answering(ancillary)))
            if session is not None:
                _send(session.socket, _view[:count])

    def _session(self, client: Client) -> Session | None:
        session = self._sessions.pop(client, None)
        if session is None:
            session = self._new(client)
            if session is None:
                return None
        session.used = self._loop.now()
        self._sessions[client] = session
        return session

    def _new(self, client: Client) -> Session | None:
        if not self._allowance.take(1):
            if not self._sessions:
                return None
            self._drop_oldest()
            self._allowance.take(1)
        try:
            session = Session(client, self._loop.now(), self._target)
        except OSError:
            self._allowance.give_back(1)
            return None
        self._loop.watch(session.socket.fileno(), lambda _: self._answered(session))
        if self._timer is None:
            self._timer = self._loop.later(self._idle_s, self._end_idle)
        return session

    def _answered(self, session: Session) -> None:
        for _ in range(_A_ROUND):
            try:
                count = session.socket.recv_into(_buffer)
            except BlockingIOError:
                break
            except OSError:
                # The container has nobody at that port; it may have later.
                continue
            address, ancillary = session.client
            try:
                self._socket.sendmsg([_view[:count]], ancillary, 0, address)
            except OSError:
                continue
        session.used = self._loop.now()
        self._sessions[session.client] = self._sessions.pop(session.client)

    def _end_idle(self) -> None:
        self._timer = None
        now = self._loop.now()
        while self._sessions:
            idle_s = now - next(iter(self._sessions.values())).used
            if idle_s < self._idle_s:
                self._timer = self._loop.later(self._idle_s - idle_s, self._end_idle)
                return
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        session = self._sessions.pop(next(iter(self._sessions)))
        self._loop.forget(session.socket.fileno())
        session.socket.close()
        self._allowance.give_back(1)


def _answering(ancillary: list[tuple[int, int, bytes]]) -> Ancillary:
    """What goes with an answer to a datagram that came with `ancillary`."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            # Any interface: the way back need not be the way it came.
            _, ours, _ = _INFO4.unpack(data)
            return ((level, kind, _INFO4.pack(0, ours, bytes(4))),)
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            ours, interface = _INFO6.unpack(data)
            local = ours[0] == 0xFE and ours[1] & 0xC0 == 0x80
            return ((level, kind, _INFO6.pack(ours, interface if local else 0)),)
    return ()


def _send(to: socket.socket, data: memoryview) -> None:
    try:
        to.send(data)
    except OSError:
        # Lost, as datagrams may be: no buffer space, or an error of an earlier one reported late.
        return
