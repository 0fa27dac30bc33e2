"""One rtnetlink socket: requests out in one send, answers matched by sequence number."""

import errno
import itertools
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from bridgehead.host.netlink.codec import (
    NLM_F_ACK,
    NLM_F_DUMP,
    NLM_F_DUMP_INTR,
    NLMSG_DONE,
    NLMSG_ERROR,
    Message,
    Request,
    messages,
    refusal,
)

_SOL_NETLINK = 270
_NETLINK_CAP_ACK = 10
_NETLINK_EXT_ACK = 11
_NETLINK_GET_STRICT_CHK = 12

_LARGEST_DATAGRAM = 32768  # the kernel fills a dump's datagrams up to this, whatever is offered
_BATCH = 64  # the acknowledgements of one send must fit the receive buffer
_PATIENCE = struct.pack("@ll", 10, 0)  # seconds, microseconds


@dataclass(frozen=True, slots=True)
class Reply:
    """`error` None: done. `message` is what the kernel sent besides the acknowledgement (get, echo)."""

    error: OSError | None
    message: Message | None = None


class RouteSocket:
    """Wraps a socket, which lives in the namespace it was opened in. For one thread at a time."""

    def __init__(self, raw: socket.socket) -> None:
        self._raw = raw
        self._sequences = itertools.count(1)
        for option in (_NETLINK_CAP_ACK, _NETLINK_EXT_ACK, _NETLINK_GET_STRICT_CHK):
            raw.setsockopt(_SOL_NETLINK, option, 1)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _PATIENCE)

    def exchange(self, requests: Sequence[Request]) -> list[Reply]:
        """Send all, in order, and wait for every answer. One refused request does not stop the others.

        Raises:
            OSError: the socket itself failed.
        """
        replies: list[Reply] = []
        for start in range(0, len(requests), _BATCH):
            replies += self._exchange(requests[start : start + _BATCH])
        return replies

    def ask(self, request: Request) -> Message:
        """The one message that answers `request`.

        Raises:
            OSError: the kernel's refusal.
        """
        (reply,) = self.exchange([request])
        if reply.error is not None:
            raise reply.error
        if reply.message is None:
            raise OSError(errno.ENODATA, "the kernel acknowledged a question without answering it")
        return reply.message

    def dump(self, request: Request) -> list[Message]:
        """Every object the request asks for; asked again when the kernel says it changed meanwhile."""
        while (found := self._dump(request)) is None:
            pass
        return found

    def close(self) -> None:
        self._raw.close()

    def _exchange(self, requests: Sequence[Request]) -> list[Reply]:
        waiting = {next(self._sequences): place for place, request in enumerate(requests)}
        replies = [Reply(None)] * len(requests)
        packed = [
            Request(request.kind, request.flags | NLM_F_ACK, request.body).pack(sequence)
            for sequence, request in zip(waiting, requests, strict=True)
        ]
        self._raw.send(b"".join(packed))
        while waiting:
            for message in messages(self._raw.recv(_LARGEST_DATAGRAM)):
                place = waiting.get(message.sequence)
                if place is None:
                    continue
                if message.kind == NLMSG_ERROR:
                    replies[place] = Reply(refusal(message), replies[place].message)
                    del waiting[message.sequence]
                else:
                    replies[place] = Reply(None, message)
        return replies

    def _dump(self, request: Request) -> list[Message] | None:
        sequence = next(self._sequences)
        self._raw.send(Request(request.kind, request.flags | NLM_F_DUMP, request.body).pack(sequence))
        found: list[Message] = []
        whole = True
        while True:
            for message in messages(self._raw.recv(_LARGEST_DATAGRAM)):
                if message.sequence != sequence:
                    continue
                whole = whole and not message.flags & NLM_F_DUMP_INTR
                if message.kind in (NLMSG_DONE, NLMSG_ERROR):
                    if (error := refusal(message)) is not None:
                        raise error
                    return found if whole else None
                found.append(message)
