"""Talking to nf_tables: transactions with the verdict on each message, and consistent dumps."""

import errno
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from bridgehead.host.nft.wire import (
    BATCH_BEGIN,
    BATCH_END,
    Attributes,
    Flag,
    Message,
    attributes,
    boundary,
    packed,
    received,
)

NETLINK_NETFILTER = 12
SocketIn = Callable[[str, int, int, int], socket.socket]

_SOL_NETLINK, _CAP_ACK = 270, 10
_SNDBUFFORCE, _RCVBUFFORCE = 32, 33
_BUFFER = 8 << 20  # a thousand networks' elements in one transaction, and as many complaints
_TIMEOUT_S = 10.0
_ERROR, _DONE = 2, 3
_DUMP_INTERRUPTED = 0x10
_GENERAL_HEADER = 4
_DUMP_ATTEMPTS = 20


class Conversation:
    """One netlink socket, in whichever namespace it was opened. Not for use by two threads at once."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._sequence = 0
        channel.setsockopt(_SOL_NETLINK, _CAP_ACK, 1)
        channel.setsockopt(socket.SOL_SOCKET, _SNDBUFFORCE, _BUFFER)
        channel.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _BUFFER)
        channel.settimeout(_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()

    @property
    def port_id(self) -> int:
        """How the kernel names us, in what it tells others about our changes and as the owner of a table."""
        return int(self._channel.getsockname()[0])

    def transact(self, messages: Sequence[Message]) -> Mapping[int, int]:
        """Carry out all messages or none. Gives the errno of each that was refused, by its position."""
        if not messages:
            return {}
        first = self._sequence + 2
        last = first + len(messages) - 1
        self._sequence = last + 1
        parts = [boundary(BATCH_BEGIN, first - 1)]
        parts += [packed(message, first + index) for index, message in enumerate(messages[:-1])]
        # The answers come in order, so the acknowledgement of the last one ends them.
        parts += [packed(messages[-1], last, Flag.ACK), boundary(BATCH_END, last + 1)]
        self._channel.send(b"".join(parts))
        return self._complaints(first, last)

    def _complaints(self, first: int, last: int) -> dict[int, int]:
        complaints: dict[int, int] = {}
        while True:
            for kind, _, sequence, payload in received(self._channel.recv(1 << 16)):
                if kind != _ERROR or not first - 1 <= sequence <= last + 1:
                    continue
                if code := _errno(payload):
                    if not first <= sequence <= last:
                        raise OSError(code, os.strerror(code), "nftables transaction")
                    complaints.setdefault(sequence - first, code)
                if sequence == last:
                    return complaints

    def dump(self, message: Message) -> list[Attributes]:
        """Every object the message asks for (none, if its table is not there), as of one moment."""
        for _ in range(_DUMP_ATTEMPTS):
            found = self._dump_once(message)
            if found is not None:
                return found
        raise OSError(errno.EAGAIN, "nftables rules do not stand still", "nftables dump")

    def _dump_once(self, message: Message) -> list[Attributes] | None:
        self._sequence += 1
        self._channel.send(packed(message, self._sequence, Flag.DUMP))
        found: list[Attributes] = []
        consistent = True
        while True:
            for kind, flags, sequence, payload in received(self._channel.recv(1 << 16)):
                if sequence != self._sequence:
                    continue
                consistent &= not flags & _DUMP_INTERRUPTED
                if kind in (_ERROR, _DONE):
                    code = _errno(payload)
                    if code not in (0, errno.ENOENT):
                        raise OSError(code, os.strerror(code), "nftables dump")
                    return found if consistent else None
                found.append(attributes(payload[_GENERAL_HEADER:]))


def _errno(payload: bytes) -> int:
    return -int.from_bytes(payload[:4], "little", signed=True) if len(payload) >= 4 else 0


def open_here() -> Conversation:
    """A conversation in the calling thread's own network namespace."""
    return Conversation(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER))


def open_in(namespace: str, socket_in: SocketIn) -> Conversation:
    return Conversation(socket_in(namespace, socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER))
