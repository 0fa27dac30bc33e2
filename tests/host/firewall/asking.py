"""Thousands of packets at once: who was reached by each, and whom they saw."""

import errno
import resource
import select
import socket
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import count, product
from pathlib import Path

from bridgehead.core.model.addresses import Address
from bridgehead.host.namespaces.entering import inside

HOST = ""
# Distinct, so that no conversation is taken for a part of another.
_SOURCE_PORTS = count(12000)
_BUFFER = 200
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_ECHO = {4: (8, 0), 6: (128, 129)}  # request, reply
_FILTER = 1  # ICMP_FILTER, ICMPV6_FILTER
_RAW = 255


@dataclass(frozen=True)
class Question:
    """`protocol`: tcp | udp | icmp, whose port is 0. `own`: the address to send from, or as routing says."""

    source: str
    destination: Address
    port: int
    protocol: str = "udp"
    own: Address | None = None


@dataclass(frozen=True)
class Answer:
    """`own`: the address it was sent from. `place` was reached, and saw `seen`; None if nobody both heard and
    was heard. What the host answers to a datagram need not be heard.
    """

    own: Address
    place: str | None = None
    seen: Address | None = None


Seen = dict[int, tuple[str, Address]]


def ask(
    folder: Path, questions: Sequence[Question], servers: Mapping[str, Sequence[int]], *, silence_s: float
) -> dict[Question, Answer]:
    """`servers`: the ports that each place listens on, for tcp and udp; pings too. Done when nothing has come
    for so long.
    """
    with _many_files(), ExitStack() as opened:
        listening: dict[socket.socket, str] = {}
        for place, ports in servers.items():
            wanted = [
                (_listening, protocol, port, version)
                for version in _FAMILIES
                for protocol, port in (("icmp", 0), *product(("tcp", "udp"), ports))
            ]
            made = _sockets(opened, folder, place, wanted)
            listening |= dict.fromkeys(made, place)
        asking: dict[Question, socket.socket] = {}
        for place in dict.fromkeys(item.source for item in questions):
            own = [item for item in questions if item.source == place]
            made = _sockets(opened, folder, place, [(_asking, item) for item in own])
            asking |= dict(zip(own, made, strict=True))
        for question, channel in asking.items():
            _begin(question, channel)
        seen = _seen(listening, silence_s)
        return {question: _answer(question, channel, seen) for question, channel in asking.items()}


def _seen(listening: Mapping[socket.socket, str], silence_s: float) -> Seen:
    seen: Seen = {}
    poll = select.poll()
    channels = {channel.fileno(): channel for channel in listening}
    for descriptor in channels:
        poll.register(descriptor, select.POLLIN)
    while ready := poll.poll(silence_s * 1000):
        for descriptor, _ in ready:
            channel = channels[descriptor]
            number, peer = _heard(channel)
            seen[number] = listening[channel], ip_address(peer)
    return seen


def _heard(channel: socket.socket) -> tuple[int, str]:
    """The number of a question and who asks it; it is answered."""
    if channel.type == socket.SOCK_STREAM:
        connection, peer = channel.accept()
        connection.close()
        return peer[1], peer[0]
    data, peer = channel.recvfrom(_BUFFER)
    if channel.type == socket.SOCK_RAW:  # the kernel itself answers pings
        return _echoed(data), peer[0]
    channel.sendto(data, peer)
    return peer[1], peer[0]


def _answer(question: Question, channel: socket.socket, seen: Seen) -> Answer:
    own, number = ip_address(channel.getsockname()[0]), _number(channel)
    try:
        data = channel.recv(_BUFFER)
        heard = question.protocol != "icmp" or _echoed(data) == number
    except OSError:
        heard = False
    found = seen.get(number)
    unheard = found and found[0] == HOST and question.protocol == "udp"
    return Answer(own, *found) if found and (heard or unheard) else Answer(own)


def _number(channel: socket.socket) -> int:
    """Of the question: its source port, which translating leaves as it is where nobody else has it; or, for a
    ping, a port that nobody has.
    """
    port: int = channel.getsockname()[1]
    return (1 << 16) + channel.fileno() if channel.type == socket.SOCK_RAW else port


def _begin(question: Question, channel: socket.socket) -> None:
    if question.protocol == "tcp":
        assert channel.connect_ex((str(question.destination), question.port)) in {0, errno.EINPROGRESS}
    elif question.protocol == "udp":
        channel.send(b"hello")
    else:
        channel.send(_ping(question.destination.version, _number(channel)))


def _ping(version: int, number: int) -> bytes:
    def message(checksum: int) -> bytes:
        return struct.pack(">BBHHHI", _ECHO[version][0], 0, checksum, number & 0xFFFF, 1, number)

    total = sum(struct.unpack(">6H", message(0)))
    total = (total & 0xFFFF) + (total >> 16)
    return message(~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)  # in IPv6 the kernel puts in its own


def _echoed(data: bytes) -> int:
    return int.from_bytes(data[-4:], "big")


def _sockets(
    opened: ExitStack, folder: Path, place: str, wanted: Sequence[tuple[Callable[..., socket.socket], ...]]
) -> list[socket.socket]:
    def make() -> list[socket.socket]:
        return [opened.enter_context(maker(*words)) for maker, *words in wanted]

    return make() if place == HOST else inside(str(folder / place), make)


def _listening(protocol: str, port: int, version: int) -> socket.socket:
    if protocol == "icmp":
        return _pinging(version, reply=False)
    channel = socket.socket(_FAMILIES[version], _KINDS[protocol] | socket.SOCK_NONBLOCK)
    if version == 6:
        channel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # whatever the last firewall left waiting
    channel.bind(("", port))
    if protocol == "tcp":
        channel.listen(_BUFFER)
    return channel


def _asking(question: Question) -> socket.socket:
    version, own = question.destination.version, str(question.own or "")
    if question.protocol == "icmp":
        channel = _pinging(version, reply=True)
    else:
        channel = socket.socket(_FAMILIES[version], _KINDS[question.protocol] | socket.SOCK_NONBLOCK)
        channel.bind((own, next(_SOURCE_PORTS)))
    if question.protocol != "tcp":
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
