"""Questions about the world outside: to one server after the other, without waiting long for a dead one.

The next server is asked when the one before has been silent for a moment, and from then on whichever
answers first is right. A server that was silent goes to the end of the line for a while.
"""

import socket
from collections import deque
from collections.abc import Callable, Sequence

from bridgehead.core.dns.message import Code, Query, code_of, reply, with_id
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.names import Upstream
from bridgehead.host.companion.loop import Loop, Timer
from bridgehead.host.resolver.attempts import (
    UNREACHABLE,
    Attempt,
    TcpAttempt,
    UdpAttempt,
    family_of,
    outgoing,
)

PATIENCE_S = 0.75
LIMIT_S = 8.0
ROUNDS = 2
MOST_OUTSTANDING = 1024
_QUIET_S = 30.0

Send = Callable[[bytes], None]
OpenSocket = Callable[[Upstream, int, int], socket.socket]


class Forwarder:
    """All questions one sandbox has put to others. `open_socket` takes (upstream, family, type)."""

    def __init__(self, loop: Loop, open_socket: OpenSocket) -> None:
        self.loop = loop
        self.open_socket = open_socket
        self._outstanding: set[Exchange] = set()
        self._quiet_until: dict[Upstream, float] = {}

    def ask(
        self, query: Query, packet: bytes, upstreams: Sequence[Upstream], *, stream: bool, send: Send
    ) -> None:
        """`send` is called once, with the reply for the client; never, if the forwarder is closed before."""
        if len(self._outstanding) >= MOST_OUTSTANDING:
            send(reply(query, Code.REFUSED))
            return
        exchange = Exchange(self, query, packet, self._line(upstreams), stream, send)
        self._outstanding.add(exchange)
        exchange.proceed()

    def close(self) -> None:
        for exchange in self._outstanding:
            exchange.abandon()
        self._outstanding.clear()

    def over(self, exchange: "Exchange") -> None:
        self._outstanding.discard(exchange)

    def heard_from(self, upstream: Upstream) -> None:
        self._quiet_until.pop(upstream, None)

    def silent(self, upstream: Upstream) -> None:
        self._quiet_until[upstream] = self.loop.now() + _QUIET_S

    def _line(self, upstreams: Sequence[Upstream]) -> list[Upstream]:
        now = self.loop.now()
        self._quiet_until = {server: end for server, end in self._quiet_until.items() if end > now}
        return sorted(upstreams, key=self._quiet_until.__contains__)


class Exchange:
    """One question on its way: the servers still to ask, and the attempts that may yet be answered."""

    __slots__ = (
        "_deadline",
        "_forwarder",
        "_left",
        "_open",
        "_packet",
        "_query",
        "_send",
        "_stream",
        "_timer",
    )

    def __init__(
        self,
        forwarder: Forwarder,
        query: Query,
        packet: bytes,
        line: list[Upstream],
        stream: bool,
        send: Send,
    ) -> None:
        self._forwarder = forwarder
        self._query = query
        self._packet = packet
        self._left = deque(line * ROUNDS)
        self._stream = stream
        self._send = send
        self._open: list[Attempt] = []
        self._deadline = forwarder.loop.now() + LIMIT_S
        self._timer: Timer | None = None

    def proceed(self) -> None:
        """Ask the next server that can be reached; with none left, wait for those already asked."""
        while self._left:
            upstream = self._left.popleft()
            try:
                self._open.append(self._attempt(upstream))
                break
            except (*UNREACHABLE, HostRefused):
                self._strike(upstream)
        if self._open:
            self._wait()
        else:
            self._finish(reply(self._query, Code.SERVFAIL))

    def abandon(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for attempt in self._open:
            attempt.close()
        self._open.clear()

    def _attempt(self, upstream: Upstream) -> Attempt:
        kind = socket.SOCK_STREAM if self._stream else socket.SOCK_DGRAM
        door = self._forwarder.open_socket(upstream, family_of(upstream.address), kind)
        make = TcpAttempt if self._stream else UdpAttempt
        question = outgoing(self._query, self._packet)
        attempt = make(self._forwarder.loop, door, upstream, question, self._heard)
        attempt.start()
        return attempt

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        remaining = self._deadline - self._forwarder.loop.now()
        pause = min(PATIENCE_S, remaining) if self._left else remaining
        self._timer = self._forwarder.loop.later(pause, self._patience_ended)

    def _patience_ended(self) -> None:
        for attempt in self._open:
            self._forwarder.silent(attempt.upstream)
        if self._left and self._forwarder.loop.now() < self._deadline:
            self.proceed()
        else:
            self._finish(reply(self._query, Code.SERVFAIL))

    def _heard(self, attempt: Attempt, message: bytes | None) -> None:
        self._open.remove(attempt)
        if message is not None:
            self._forwarder.heard_from(attempt.upstream)
            if code_of(message) not in {Code.SERVFAIL, Code.REFUSED}:
                self._finish(with_id(self._query.id, message))
                return
        self._strike(attempt.upstream)
        if self._left or not self._open:
            self.proceed()

    def _strike(self, upstream: Upstream) -> None:
        self._left = deque(other for other in self._left if other != upstream)

    def _finish(self, message: bytes) -> None:
        self.abandon()
        self._forwarder.over(self)
        self._send(message)
