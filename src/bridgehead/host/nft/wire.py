"""nf_tables messages as bytes: headers, nested attributes, and the numbers of linux/netfilter/nf_tables.h."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

SUBSYSTEM = 10
BATCH_BEGIN, BATCH_END = 16, 17
LIST_ELEMENT = 1
DATA_VALUE, DATA_VERDICT = 1, 2
INET, IPV4 = 1, 2

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_GENERAL = struct.Struct(">BBH")
_NESTED = 0x8000
_TYPE_MASK = 0x3FFF
HEADERS = _HEADER.size + _GENERAL.size

Attributes = dict[int, bytes]


class Kind(IntEnum):
    NEW_TABLE, GET_TABLE, DEL_TABLE = 0, 1, 2
    NEW_CHAIN, GET_CHAIN, DEL_CHAIN = 3, 4, 5
    NEW_RULE, GET_RULE, DEL_RULE = 6, 7, 8
    NEW_SET, GET_SET, DEL_SET = 9, 10, 11
    NEW_ELEMENT, GET_ELEMENT, DEL_ELEMENT = 12, 13, 14


class Flag(IntEnum):
    REQUEST = 0x1
    ACK = 0x4
    DUMP = 0x300
    EXCLUSIVE = 0x200
    CREATE = 0x400
    APPEND = 0x800


@dataclass(frozen=True, slots=True)
class Message:
    kind: Kind
    family: int
    body: bytes
    flags: int = 0


def packed(message: Message, sequence: int, extra_flags: int = 0) -> bytes:
    general = _GENERAL.pack(message.family, 0, 0)
    flags = Flag.REQUEST | message.flags | extra_flags
    return _framed(SUBSYSTEM << 8 | message.kind, flags, sequence, general + message.body)


def boundary(kind: int, sequence: int) -> bytes:
    return _framed(kind, Flag.REQUEST, sequence, _GENERAL.pack(0, 0, SUBSYSTEM))


def _framed(kind: int, flags: int, sequence: int, payload: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(payload), kind, flags, sequence, 0) + payload


def received(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """(type, flags, sequence, payload after the netlink header) of each message in a datagram."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(data, offset)
        yield kind, flags, sequence, data[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def attribute(kind: int, payload: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(payload)
    return _ATTRIBUTE.pack(length, kind) + payload + bytes(-length % 4)


def nested(kind: int, *children: bytes) -> bytes:
    return attribute(kind | _NESTED, b"".join(children))


def text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def number(kind: int, value: int) -> bytes:
    """A 32-bit number in network order; negative ones in two's complement."""
    return attribute(kind, (value & 0xFFFFFFFF).to_bytes(4, "big"))


def read_number(payload: bytes) -> int:
    return int.from_bytes(payload, "big")


def children(payload: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _ATTRIBUTE.size <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, offset)
        yield kind & _TYPE_MASK, payload[offset + _ATTRIBUTE.size : offset + length]
        offset += (max(length, _ATTRIBUTE.size) + 3) & ~3


def attributes(payload: bytes) -> Attributes:
    return dict(children(payload))


def read_text(payload: bytes) -> str:
    return payload.rstrip(b"\0").decode(errors="surrogateescape")
