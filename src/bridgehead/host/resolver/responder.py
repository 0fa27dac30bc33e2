"""What one sandbox is told: from our own names at once, about anything else through the forwarder."""

import os
from collections.abc import Iterator
from itertools import cycle

from bridgehead.core.dns.message import LARGEST_MESSAGE, Query, Record, Rejection, parse, reply
from bridgehead.core.dns.resolver import Answer, Forward, Refuse, resolve
from bridgehead.core.dns.zone import Zone
from bridgehead.core.plan.names import ResolverView
from bridgehead.host.resolver.forwarder import Forwarder, Send

_MOST_READY = 512
_MOST_ROTATIONS = 16


class Responder:
    """`ready` holds whole replies by whole question, both without their id: most packets need no thought.

    Each entry gives its addresses in another order every time. Whoever changes names empties it.
    """

    def __init__(self, zone: Zone, view: ResolverView, forwarder: Forwarder) -> None:
        self._zone = zone
        self._forwarder = forwarder
        self.view = view
        self.ready: dict[bytes, Iterator[bytes]] = {}

    def respond(self, packet: bytes, *, stream: bool, send: Send) -> bool:
        """Call `send` once, now or later; False: the packet deserves no answer."""
        query = parse(packet)
        if query is None:
            return False
        if isinstance(query, Rejection):
            send(query.reply)
            return True
        decision = resolve(self._zone, self.view, query.question)
        match decision:
            case Answer(records):
                send(self._local(query, packet, records, stream=stream))
            case Forward(upstreams):
                self._forwarder.ask(query, packet, upstreams, stream=stream, send=send)
            case Refuse(code):
                send(reply(query, code))
        return True

    def _local(self, query: Query, packet: bytes, records: tuple[Record, ...], *, stream: bool) -> bytes:
        shuffled = tuple(sorted(records, key=lambda _: os.urandom(4)))
        if stream:
            return reply(query, 0, shuffled, LARGEST_MESSAGE)
        if len(self.ready) >= _MOST_READY:
            self.ready.clear()
        bodies = cycle([reply(query, 0, turn, query.udp_size)[2:] for turn in _rotations(shuffled)])
        self.ready[packet[2:]] = bodies
        return packet[:2] + next(bodies)


def _rotations(records: tuple[Record, ...]) -> Iterator[tuple[Record, ...]]:
    """Turns of the list, each beginning elsewhere; the empty list has one turn."""
    step = max(1, -(-len(records) // _MOST_ROTATIONS))
    for start in range(0, max(1, len(records)), step):
        yield records[start:] + records[:start]
