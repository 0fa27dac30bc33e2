"""The two sockets of a sandbox's 127.0.0.11: packets by UDP, length-prefixed messages by TCP."""

import socket
from functools import partial

from bridgehead.host.companion.channel import Channel
from bridgehead.host.companion.loop import Loop, Timer
from bridgehead.host.resolver.responder import Responder

_LARGEST_QUERY = 4096
_PACKETS_A_TURN = 64
_LOOK_FOR_MORE_EVERY = 16
_CONNECTIONS_A_TURN = 16
_MOST_CONNECTIONS = 128
_PAUSE_WITHOUT_DESCRIPTORS_S = 1.0
_IDLE_S = 10.0
_BACKLOG = 4 * 65535
_LENGTH = 2


class UdpListener:
    def __init__(self, loop: Loop, listening: socket.socket, responder: Responder) -> None:
        self._loop = loop
        self._socket = listening
        self._responder = responder
        self._alone = True
        self._turns = 0
        listening.setblocking(False)
        loop.watch(listening.fileno(), self._drain)

    def close(self) -> None:
        self._loop.forget(self._socket.fileno())
        self._socket.close()

    def _drain(self, _events: int) -> None:
        """Many packets a wake-up, but not for ever: other sandboxes wait too.

        To find that there is no second packet costs a tenth of an answer, so where packets come alone it is
        tried only now and then.
        """
        receive, send, ready = self._socket.recvfrom, self._socket.sendto, self._responder.ready
        self._turns += 1
        most = 1 if self._alone and self._turns % _LOOK_FOR_MORE_EVERY else _PACKETS_A_TURN
        taken = 0
        try:
            while taken < most:
                packet, client = receive(_LARGEST_QUERY)
                taken += 1
                replies = ready.get(packet[2:])
                if replies is not None:
                    send(packet[:2] + next(replies), client)
                else:
                    self._responder.respond(packet, stream=False, send=partial(self._send, client))
        except OSError:
            pass  # nothing more to read, or an answer nobody can take: clients ask again
        self._alone = taken <= 1

    def _send(self, client: tuple[str, int], message: bytes) -> None:
        try:
            self._socket.sendto(message, client)
        except OSError:
            return  # as above


class TcpListener:
    def __init__(self, loop: Loop, listening: socket.socket, responder: Responder) -> None:
        self._loop = loop
        self._socket = listening
        self._responder = responder
        self._connections: set[Connection] = set()
        self._pause: Timer | None = None
        listening.setblocking(False)
        listening.listen(_MOST_CONNECTIONS)
        loop.watch(listening.fileno(), self._accept)

    def close(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        self._loop.forget(self._socket.fileno())
        self._socket.close()
        for connection in list(self._connections):
            connection.close()

    def over(self, connection: "Connection") -> None:
        self._connections.discard(connection)

    def _accept(self, _events: int) -> None:
        for _ in range(_CONNECTIONS_A_TURN):
            try:
                connection, _ = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:
                self._rest()
                return
            if len(self._connections) >= _MOST_CONNECTIONS:
                connection.close()
            else:
                self._connections.add(Connection(self._loop, connection, self._responder, self))

    def _rest(self) -> None:
        """Out of descriptors: the waiting client would wake us without end."""
        self._loop.forget(self._socket.fileno())
        self._pause = self._loop.later(_PAUSE_WITHOUT_DESCRIPTORS_S, self._resume)

    def _resume(self) -> None:
        self._pause = None
        self._loop.watch(self._socket.fileno(), self._accept)


class Connection:
    """One client's stream of questions. Only whole questions count as signs of life."""

    def __init__(
        self, loop: Loop, connection: socket.socket, responder: Responder, listener: TcpListener
    ) -> None:
        self._loop = loop
        self._responder = responder
        self._listener = listener
        self._channel = Channel(
            loop, connection, received=self._received, ended=self._ended, backlog=_BACKLOG
        )
        self._partial = bytearray()
        self._unanswered = 0
        self._at_end = False
        self._last_question = loop.now()
        self._timer = loop.later(_IDLE_S, self._check_idle)

    def close(self) -> None:
        self._timer.cancel()
        self._channel.close()
        self._listener.over(self)

    def _received(self, data: bytes) -> None:
        self._partial += data
        while self._channel.open and len(self._partial) >= _LENGTH:
            length = int.from_bytes(self._partial[:_LENGTH], "big")
            if len(self._partial) < _LENGTH + length:
                return
            packet = bytes(self._partial[_LENGTH : _LENGTH + length])
            del self._partial[: _LENGTH + length]
            self._question(packet)

    def _question(self, packet: bytes) -> None:
        self._last_question = self._loop.now()
        self._unanswered += 1
        if not self._responder.respond(packet, stream=True, send=self._send):
            self.close()

    def _send(self, message: bytes) -> None:
        self._unanswered -= 1
        self._channel.send(len(message).to_bytes(_LENGTH, "big") + message)
        self._close_when_done()

    def _ended(self) -> None:
        self._at_end = True
        self._close_when_done()

    def _close_when_done(self) -> None:
        if self._at_end and not self._unanswered and self._channel.drained:
            self.close()

    def _check_idle(self) -> None:
        idle = self._loop.now() - self._last_question
        if idle >= _IDLE_S:
            self.close()
        else:
            self._timer = self._loop.later(_IDLE_S - idle, self._check_idle)
