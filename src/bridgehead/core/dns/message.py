"""DNS messages by hand: read one question, write one reply (RFC 1035, EDNS size of RFC 6891).

Nothing here raises on bytes from outside: a packet is a Query, deserves a ready-made Rejection, or gets
no answer at all (None). The client's id and its spelling of the name come back byte for byte.
"""

import struct
from dataclasses import dataclass, replace
from enum import IntEnum

TTL_SECONDS = 600
PLAIN_UDP_SIZE = 512
LARGEST_UDP_SIZE = 65507
LARGEST_MESSAGE = 65535
LONGEST_LABEL = 63
LONGEST_NAME = 255

_HEADER = struct.Struct(">HHHHHH")
_QUESTION_TAIL = struct.Struct(">HH")
_RECORD_HEAD = struct.Struct(">HHIH")
_IS_REPLY = 0x8000
_OPCODE = 0x7800
_TRUNCATED = 0x0200
_RECURSION_DESIRED = 0x0100
_RECURSION_AVAILABLE = 0x0080
_CHECKING_DISABLED = 0x0010
_RCODE = 0x000F
_DNSSEC_OK = 0x8000
_EDNS_VERSION = 0xFF0000
_BAD_VERSION = 1 << 24  # the upper eight bits of code 16, where EDNS keeps them
_POINTER = 0xC0
_NAME_OF_QUESTION = b"\xc0\x0c"


class Type(IntEnum):
    A = 1
    PTR = 12
    AAAA = 28
    OPT = 41
    ANY = 255


class Code(IntEnum):
    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5


INTERNET = 1


@dataclass(frozen=True, slots=True)
class Question:
    """`name` is lower case without the closing dot; a dot or backslash inside a label is escaped."""

    name: str
    type: int
    cls: int


@dataclass(frozen=True, slots=True)
class Query:
    """`section` is the question as sent; `udp_size` in bytes; `edns` None when the client has none."""

    id: int
    flags: int
    question: Question
    section: bytes
    udp_size: int = PLAIN_UDP_SIZE
    edns: int | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    reply: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """An answer to the question's own name; `data` in wire form."""

    type: int
    data: bytes


def parse(packet: bytes) -> Query | Rejection | None:
    """None: too short to answer, or itself a reply (answering it could make two servers talk for ever)."""
    if len(packet) < _HEADER.size:
        return None
    identifier, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(packet)
    if flags & _IS_REPLY:
        return None
    if flags & _OPCODE:
        return Rejection(_bare(identifier, flags, Code.NOTIMP))
    end = _end_of_question(packet) if questions == 1 else None
    if end is None:
        return Rejection(_bare(identifier, flags, Code.FORMERR))
    section = packet[_HEADER.size : end]
    query = Query(identifier, flags, _question(section), section)
    return _with_options(query, packet, answers + authorities + additionals)


def reply(query: Query, code: int, records: tuple[Record, ...] = (), limit: int = LARGEST_MESSAGE) -> bytes:
    """A whole message of at most `limit` bytes; what does not fit is left out and TC is set."""
    closing = b"" if query.edns is None else _opt_record(query.edns)
    room = limit - _HEADER.size - len(query.section) - len(closing)
    body: list[bytes] = []
    for record in records:
        wire = _NAME_OF_QUESTION + _RECORD_HEAD.pack(record.type, INTERNET, TTL_SECONDS, len(record.data))
        room -= len(wire) + len(record.data)
        if room < 0:
            break
        body.append(wire + record.data)
    flags = _reply_flags(query.flags, code) | (_TRUNCATED if len(body) < len(records) else 0)
    header = _HEADER.pack(query.id, flags, 1, len(body), 0, 1 if closing else 0)
    return b"".join((header, query.section, *body, closing))


def code_of(message: bytes) -> int:
    return message[3] & _RCODE


def with_id(identifier: int, message: bytes) -> bytes:
    return identifier.to_bytes(2, "big") + message[2:]


def answers(message: bytes, identifier: int, query: Query) -> bool:
    """Whether `message` is a reply to `query` as it was sent with `identifier`."""
    if len(message) < _HEADER.size:
        return False
    got, flags, questions, *_ = _HEADER.unpack_from(message)
    if got != identifier or not flags & _IS_REPLY:
        return False
    if questions == 0:
        # Servers that cannot read a query say so without repeating it.
        return bool(flags & _RCODE)
    end = _HEADER.size + len(query.section)
    name, tail = message[_HEADER.size : end - 4], message[end - 4 : end]
    return questions == 1 and tail == query.section[-4:] and name.lower() == query.section[:-4].lower()


def _bare(identifier: int, flags: int, code: int) -> bytes:
    return _HEADER.pack(identifier, _reply_flags(flags, code), 0, 0, 0, 0)


def _reply_flags(asked: int, code: int) -> int:
    echoed = asked & (_OPCODE | _RECURSION_DESIRED | _CHECKING_DISABLED)
    return _IS_REPLY | echoed | _RECURSION_AVAILABLE | code


def _opt_record(flags: int) -> bytes:
    return b"\0" + _RECORD_HEAD.pack(Type.OPT, LARGEST_UDP_SIZE, flags, 0)


def _end_of_question(packet: bytes) -> int | None:
    """Compression has nothing to point at in a question, so a pointer there is an error."""
    at = start = _HEADER.size
    while at < len(packet) and (length := packet[at]):
        if length > LONGEST_LABEL:
            return None
        at += 1 + length
    end = at + 1 + _QUESTION_TAIL.size
    return end if end <= len(packet) and at + 1 - start <= LONGEST_NAME else None


def _question(section: bytes) -> Question:
    labels: list[bytes] = []
    at = 0
    while length := section[at]:
        labels.append(section[at + 1 : at + 1 + length].replace(b"\\", b"\\\\").replace(b".", b"\\."))
        at += 1 + length
    name = b".".join(labels).lower().decode("utf-8", "surrogateescape")
    return Question(name, *_QUESTION_TAIL.unpack_from(section, at + 1))


def _options(packet: bytes, at: int, count: int) -> tuple[int, int] | tuple[()] | None:
    """The EDNS record's (size, version and flags); () without one, None where records are malformed."""
    found: tuple[int, int] | tuple[()] = ()
    for _ in range(count):
        start = _skip_name(packet, at)
        if start is None or start + _RECORD_HEAD.size > len(packet):
            return None
        kind, cls, ttl, length = _RECORD_HEAD.unpack_from(packet, start)
        if kind == Type.OPT:
            if found or start != at + 1:
                return None
            found = (cls, ttl & (_EDNS_VERSION | _DNSSEC_OK))
        at = start + _RECORD_HEAD.size + length
        if at > len(packet):
            return None
    return found


def _skip_name(packet: bytes, at: int) -> int | None:
    while at < len(packet):
        length = packet[at]
        if length == 0:
            return at + 1
        if length >= _POINTER:
            return at + 2
        if length > LONGEST_LABEL:
            return None
        at += 1 + length
    return None


def _with_options(query: Query, packet: bytes, count: int) -> Query | Rejection:
    options = _options(packet, _HEADER.size + len(query.section), count) if count else ()
    if options is None:
        return Rejection(reply(query, Code.FORMERR))
    if not options:
        return query
    size, flags = options
    if flags & _EDNS_VERSION:
        return Rejection(reply(replace(query, edns=_BAD_VERSION | flags & _DNSSEC_OK), Code.NOERROR))
    return replace(query, udp_size=min(max(size, PLAIN_UDP_SIZE), LARGEST_UDP_SIZE), edns=flags)
