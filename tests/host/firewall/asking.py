"""Thousands of packets at once: who was reached by each, and whom they saw."""

import resource
import select
import socket
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import count
from pathlib import Path

from bridgehead.core.model.addresses import Address
from bridgehead.host.namespaces.entering import inside

HOST = ""
PING = 0  # instead of a port
# Distinct, so that no conversation is taken for a part of another.
_SOURCE_PORTS = count(12000)
_BUFFER = 200
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_ECHO = {4: (8, 0), 6: (128, 129)}  # request, reply
_FILTER = 1  # ICMP_FILTER, ICMPV6_FILTER
_RAW = 255


@dataclass(frozen=True)
class Question:
    """A datagram, or a ping. `own`: the address to send from, None: what the sender's own routing says."""

    source: str
    destination: Address
    port: int
    own: Address | None = None


@dataclass(frozen=True)
class Answer:
    """`own`: the address it was sent from. `place` was reached, and saw `seen`; None if nobody both heard and
    was heard. The host's own answers need not be heard.
    """

    own: Address
    place: str | None = None
    seen: Address | None = None


Seen = dict[int, tuple[str, Address]]


def ask(
    folder: Path, questions: Sequence[Question], servers: Mapping[str, Sequence[int]], *, silence_s: float
) -> dict[Question, Answer]:
    """`servers`: the ports that each place listens on. Done when nothing has come for so long."""
    with _many_files(), ExitStack() as opened:
        listening: dict[socket.socket, str] = {}
        for place, ports in servers.items():
            wanted = [(_listening, port, version) for port in ports for version in _FAMILIES]
            made = _sockets(opened, folder, place, wanted)
            listening |= dict.fromkeys(made, place)
        asking: dict[Question, socket.socket] = {}
        for place in dict.fromkeys(item.source for item in questions):
            own = [item for item in questions if item.source == place]
            made = _sockets(opened, folder, place, [(_asking, item) for item in own])
            asking |= dict(zip(own, made, strict=True))
        for number, (question, channel) in enumerate(asking.items()):
            channel.send(_message(question, number))
        seen = _seen(listening, silence_s)
        return {
            question: _answer(channel, number, seen)
            for number, (question, channel) in enumerate(asking.items())
        }


def _seen(listening: Mapping[socket.socket, str], silence_s: float) -> Seen:
    seen: Seen = {}
    poll = select.poll()
    channels = {channel.fileno(): channel for channel in listening}
    for descriptor in channels:
        poll.register(descriptor, select.POLLIN)
    while ready := poll.poll(silence_s * 1000):
        for descriptor, _ in ready:
            channel = channels[descriptor]
            data, peer = channel.recvfrom(_BUFFER)
            seen[_number(data)] = listening[channel], ip_address(peer[0])
            if channel.type != socket.SOCK_RAW:  # the kernel itself answers pings
                channel.sendto(data, peer)
    return seen


def _answer(channel: socket.socket, number: int, seen: Seen) -> Answer:
    own = ip_address(channel.getsockname()[0])
    try:
        heard = _number(channel.recv(_BUFFER)) == number
    except OSError:
        heard = False
    found = seen.get(number)
    return Answer(own, *found) if found and (heard or found[0] == HOST) else Answer(own)


def _message(question: Question, number: int) -> bytes:
    content = f" {number}".encode()
    if question.port != PING:
        return content
    kind, _ = _ECHO[question.destination.version]
    content += b" " * (len(content) % 2)

    def message(checksum: int) -> bytes:
        return struct.pack(">BBHHH", kind, 0, checksum, number, 1) + content

    total = sum(struct.unpack(f">{len(message(0)) // 2}H", message(0)))
    total = (total & 0xFFFF) + (total >> 16)
    return message(~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)  # in IPv6 the kernel puts in its own


def _number(data: bytes) -> int:
    return int(data.rstrip().rpartition(b" ")[2])


def _sockets(
    opened: ExitStack, folder: Path, place: str, wanted: Sequence[tuple[Callable[..., socket.socket], ...]]
) -> list[socket.socket]:
    def make() -> list[socket.socket]:
        return [opened.enter_context(maker(*words)) for maker, *words in wanted]

    return make() if place == HOST else inside(str(folder / place), make)


def _listening(port: int, version: int) -> socket.socket:
    if port == PING:
        return _pinging(version, reply=False)
    channel = socket.socket(_FAMILIES[version], socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    if version == 6:
        channel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    channel.bind(("", port))
    return channel


def _asking(question: Question) -> socket.socket:
    version, own = question.destination.version, str(question.own or "")
    if question.port == PING:
        channel = _pinging(version, reply=True)
    else:
        channel = socket.socket(_FAMILIES[version], socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        channel.bind((own, next(_SOURCE_PORTS)))
    channel.connect((str(question.destination), question.port))
    return channel


def _pinging(version: int, *, reply: bool) -> socket.socket:
    """Hears requests, or replies, and no other message."""
    protocol = socket.IPPROTO_ICMP if version == 4 else socket.IPPROTO_ICMPV6
    channel = socket.socket(_FAMILIES[version], socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
    blocked = ~(1 << _ECHO[version][reply]) & ((1 << 256) - 1)
    if version == 4:
        channel.setsockopt(_RAW, _FILTER, struct.pack("=I", blocked & 0xFFFFFFFF))
    else:
        channel.setsockopt(protocol, _FILTER, blocked.to_bytes(32, "little"))
    return channel


@contextmanager
def _many_files() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
