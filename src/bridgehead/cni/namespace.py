"""What stands in a container's network namespace: one interface, its addresses, its routes, its other end.

Read by rtnetlink, from a socket that was opened inside; the process is in there for that moment only.
Source: rtnetlink(7), linux/if_link.h, linux/rtnetlink.h.
"""

import os
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bridgehead.cni.failures import INPUT_FAILED, Failure

_NEW_NET = 0x40000000
_ROUTE = 0
_GET_LINK, _GET_ADDRESS, _GET_ROUTE = 18, 22, 26
_ERROR, _DONE = 2, 3
_REQUEST, _DUMP = 0x1, 0x300
_LINK_ADDRESS, _LINK_NAME, _LINK_MTU, _LINK_PEER = 1, 3, 4, 5
_ADDRESS, _LOCAL = 1, 2
_DESTINATION, _OUT, _GATEWAY = 1, 4, 5
_MAIN_TABLE, _UNICAST = 254, 1
_LIMIT_S = 10.0
_HEADER = struct.Struct("=LHHLL")
_PADDED = 4
_LONGEST = 1 << 18  # bytes of one answer; the kernel sends no more than 32 KiB
_EVERYWHERE: Mapping[int, str] = {socket.AF_INET: "0.0.0.0/0", socket.AF_INET6: "::/0"}

Attributes = Mapping[int, bytes]


class Link(NamedTuple):
    """`number` is the kernel's index; `peer` that of a veth's other end, wherever that is, or 0."""

    number: int
    name: str
    mac: str
    mtu: int
    peer: int


class Route(NamedTuple):
    destination: str
    gateway: str


class Seen(NamedTuple):
    """`addresses` with their prefix lengths; `host` is the other end, when it is where the plugin runs."""

    link: Link
    addresses: tuple[str, ...]
    routes: tuple[Route, ...]
    host: Link | None


def is_own(path: str) -> bool:
    """Does the path name the namespace this process is in?"""
    try:
        return os.path.samefile(path, "/proc/self/ns/net")
    except OSError:
        return False


def same(path: str, other: str) -> bool:
    """Do both name one namespace that is there?"""
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def look(path: str, interface: str) -> Seen | None:
    """None when there is no such interface.

    Raises:
        Failure: there is no network namespace at that path, or the kernel would not tell.
    """
    try:
        with _opened_in(path) as inside, _opened() as here:
            link = next((link for link in _links(inside) if link.name == interface), None)
            if link is None:
                return None
            mirrored = (other for other in _links(here) if other.number == link.peer)
            return Seen(
                link,
                tuple(_addresses(inside, link.number)),
                tuple(_routes(inside, link.number)),
                next((other for other in mirrored if link.peer and other.peer == link.number), None),
            )
    except OSError as error:
        raise Failure(
            INPUT_FAILED, f"cannot look into the network namespace {path}: {error.strerror}"
        ) from error


def _opened() -> socket.socket:
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _ROUTE)
    opened.settimeout(_LIMIT_S)
    return opened


def _opened_in(path: str) -> socket.socket:
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        there = os.open(path, os.O_RDONLY)
        try:
            _enter(there)
        finally:
            os.close(there)
        try:
            return _opened()
        finally:
            _enter(own)
    finally:
        os.close(own)


def _enter(namespace: int) -> None:
    import ctypes  # `os.setns` comes with Python 3.12

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _NEW_NET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _links(kernel: socket.socket) -> Iterator[Link]:
    for body in _dump(kernel, _GET_LINK, struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0)):
        index = struct.unpack_from("=i", body, 4)[0]
        attributes = _attributes(body[16:])
        yield Link(
            number=index,
            name=attributes[_LINK_NAME].rstrip(b"\0").decode(),
            mac=attributes.get(_LINK_ADDRESS, b"").hex(":"),
            mtu=_number(attributes, _LINK_MTU),
            peer=_number(attributes, _LINK_PEER),
        )


def _addresses(kernel: socket.socket, index: int) -> Iterator[str]:
    for body in _dump(kernel, _GET_ADDRESS, struct.pack("=BBBBi", socket.AF_UNSPEC, 0, 0, 0, 0)):
        family, length, _, _, of = struct.unpack_from("=BBBBi", body)
        attributes = _attributes(body[8:])
        if of == index and family in _EVERYWHERE:
            yield f"{_text(family, attributes.get(_LOCAL) or attributes[_ADDRESS])}/{length}"


def _routes(kernel: socket.socket, index: int) -> Iterator[Route]:
    """Those by a gateway: the others follow from the addresses."""
    for body in _dump(kernel, _GET_ROUTE, struct.pack("=BBBBBBBBI", *([0] * 9))):
        family, length, _, _, table, _, _, kind, _ = struct.unpack_from("=BBBBBBBBI", body)
        attributes = _attributes(body[12:])
        ours = table == _MAIN_TABLE and kind == _UNICAST and _number(attributes, _OUT) == index
        if ours and family in _EVERYWHERE and _GATEWAY in attributes:
            to = attributes.get(_DESTINATION)
            destination = f"{_text(family, to)}/{length}" if to else _EVERYWHERE[family]
            yield Route(destination, _text(family, attributes[_GATEWAY]))


def _number(attributes: Attributes, kind: int) -> int:
    found = attributes.get(kind)
    return int.from_bytes(found[:4], "little" if struct.pack("=H", 1)[0] else "big") if found else 0


def _text(family: int, packed: bytes) -> str:
    return socket.inet_ntop(family, packed)


def _dump(kernel: socket.socket, kind: int, body: bytes) -> Sequence[bytes]:
    """Read to its end: what would be left in the socket would be taken for the next answer."""
    kernel.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | _DUMP, 1, 0) + body)
    found: list[bytes] = []
    while True:
        answer = kernel.recv(_LONGEST)
        while len(answer) >= _HEADER.size:
            length, kind, _, _, _ = _HEADER.unpack_from(answer)
            message, answer = answer[_HEADER.size : length], answer[_aligned(length) :]
            if kind == _DONE:
                return found
            if kind == _ERROR:
                number = -struct.unpack_from("=i", message)[0]
                raise OSError(number, os.strerror(number))
            found.append(message)


def _attributes(body: bytes) -> Attributes:
    found = {}
    while len(body) >= _PADDED:
        length, kind = struct.unpack_from("=HH", body)
        if length < _PADDED:
            break
        found[kind & 0x3FFF] = body[_PADDED:length]
        body = body[_aligned(length) :]
    return found


def _aligned(length: int) -> int:
    return (length + _PADDED - 1) & ~(_PADDED - 1)
