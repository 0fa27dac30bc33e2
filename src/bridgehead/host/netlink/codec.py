"""Netlink's grammar: messages, attributes and acknowledgements as bytes, both ways. No sockets here.

A message is a 16-byte header and a body; a body is a fixed structure and attributes; an attribute is a
length, a kind and a value, padded to four bytes, and may hold attributes itself.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

NLM_F_REQUEST = 0x1
NLM_F_MULTI = 0x2
NLM_F_ACK = 0x4
NLM_F_ECHO = 0x8
NLM_F_DUMP_INTR = 0x10
NLM_F_DUMP = 0x300
NLM_F_REPLACE = 0x100
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_APPEND = 0x800
NLM_F_ACK_TLVS = 0x200
NLM_F_CAPPED = 0x100

NLMSG_ERROR = 2
NLMSG_DONE = 3

_NLMSGERR_ATTR_MSG = 1
_KIND_MASK = 0x3FFF  # the two high bits say "nested" and "big-endian"

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_U32 = struct.Struct("=I")
_ERROR = struct.Struct("=i")

Attributes = dict[int, bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """A message without its sequence number, which the socket gives. `body` ends on four bytes."""

    kind: int
    flags: int
    body: bytes

    def pack(self, sequence: int) -> bytes:
        flags = self.flags | NLM_F_REQUEST
        return _HEADER.pack(_HEADER.size + len(self.body), self.kind, flags, sequence, 0) + self.body


@dataclass(frozen=True, slots=True)
class Message:
    kind: int
    flags: int
    sequence: int
    body: bytes


def attribute(kind: int, value: bytes) -> bytes:
    padding = -len(value) % 4
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(padding)


def u32(kind: int, value: int) -> bytes:
    return attribute(kind, _U32.pack(value))


def text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def messages(datagram: bytes) -> Iterator[Message]:
    offset = 0
    while offset + _HEADER.size <= len(datagram):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(datagram, offset)
        if length < _HEADER.size or offset + length > len(datagram):
            raise ValueError(f"a netlink message of {length} bytes does not fit its datagram")
        yield Message(kind, flags, sequence, datagram[offset + _HEADER.size : offset + length])
        offset += _aligned(length)


def attributes(body: bytes, offset: int = 0) -> Attributes:
    """Attributes by kind, from `offset` to the end of `body`; of repeated ones the last."""
    found: Attributes = {}
    while offset + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < _ATTRIBUTE.size or offset + length > len(body):
            raise ValueError(f"a netlink attribute of {length} bytes does not fit its message")
        found[kind & _KIND_MASK] = body[offset + _ATTRIBUTE.size : offset + length]
        offset += _aligned(length)
    return found


def as_u32(value: bytes | None) -> int:
    """0 for an attribute that is not there."""
    return int(_U32.unpack_from(value)[0]) if value else 0


def as_text(value: bytes | None) -> str:
    return value.rstrip(b"\0").decode(errors="replace") if value else ""


def refusal(message: Message) -> OSError | None:
    """What an acknowledgement says: None is yes. The text is the kernel's own, when it gave one."""
    number = -_ERROR.unpack_from(message.body)[0]
    if number == 0:
        return None
    return OSError(number, _explanation(message) or os.strerror(number))


def _explanation(message: Message) -> str:
    if not message.flags & NLM_F_ACK_TLVS:
        return ""
    offset = _ERROR.size + _HEADER.size
    if not message.flags & NLM_F_CAPPED:
        (length, *_) = _HEADER.unpack_from(message.body, _ERROR.size)
        offset = _ERROR.size + _aligned(length)
    return as_text(attributes(message.body, offset).get(_NLMSGERR_ATTR_MSG))


def _aligned(length: int) -> int:
    return (length + 3) & ~3
