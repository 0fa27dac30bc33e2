"""Netlink messages taken apart. Only reading: whoever listens never sends."""

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_KIND_MASK = 0x3FFF  # the two high bits say "nested" and "big-endian"

Attributes = dict[int, bytes]


@dataclass(frozen=True, slots=True)
class Message:
    """`sender` is the netlink port of whoever asked for what is announced; 0 is the kernel itself."""

    kind: int
    sender: int
    body: bytes


def messages(datagram: bytes) -> Iterator[Message]:
    offset = 0
    while offset + _HEADER.size <= len(datagram):
        length, kind, _, _, sender = _HEADER.unpack_from(datagram, offset)
        if length < _HEADER.size or offset + length > len(datagram):
            raise ValueError(f"a netlink message of {length} bytes does not fit its datagram")
        yield Message(kind, sender, datagram[offset + _HEADER.size : offset + length])
        offset += (length + 3) & ~3


def attributes(body: bytes, offset: int) -> Attributes:
    found: Attributes = {}
    while offset + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < _ATTRIBUTE.size or offset + length > len(body):
            raise ValueError(f"a netlink attribute of {length} bytes does not fit its message")
        found[kind & _KIND_MASK] = body[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return found


def as_number(value: bytes | None) -> int:
    """A 32-bit number in the machine's order; 0 for an attribute that is not there."""
    return int.from_bytes(value[:4], sys.byteorder) if value else 0


def as_text(value: bytes | None) -> str:
    return value.rstrip(b"\0").decode(errors="replace") if value else ""
