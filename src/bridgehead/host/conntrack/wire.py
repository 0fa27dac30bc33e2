"""ctnetlink's messages as bytes: asking for connections, reading and deleting them. No sockets here."""

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bridgehead.core.model.addresses import Address

ERROR, DONE = 2, 3
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
FAMILIES = {4: 2, 6: 10}
_VERSIONS = {family: version for version, family in FAMILIES.items()}

_GET, _DELETE = 1 << 8 | 1, 1 << 8 | 2
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_HEADER = struct.Struct("=IHHII")
_GENERAL = struct.Struct(">BBH")
_ATTRIBUTE = struct.Struct("=HH")
_NESTED, _KIND_MASK = 0x8000, 0x3FFF

_TUPLE_ORIG, _ID, _ZONE, _FILTER = 1, 12, 18, 25
_TUPLE_IP, _TUPLE_PROTO = 1, 2
_DESTINATIONS = {4: 2, 6: 4}
_NUMBER, _DESTINATION_PORT = 1, 3
_FILTER_ORIG, _FILTER_REPLY = 1, 2
_PORT_HEADER = _ATTRIBUTE.pack(6, _DESTINATION_PORT)
_PORT_PLACES = {FAMILIES[4]: 48, FAMILIES[6]: 72}
# Linux (5.8 to 6.18 at least) shows all but the address asked for when that is an IPv6 one.
_SORTED = {4}
_BY_DESTINATION, _BY_NUMBER, _BY_DESTINATION_PORT = 1 << 1, 1 << 3, 1 << 5


@dataclass(frozen=True, slots=True)
class Question:
    """What the kernel is to sort out for us; None: whatever it is. It may show more: what it shows must be
    compared again.
    """

    version: int
    protocol: int | None = None
    destination: Address | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A tracked connection: where its first packet went. `name` deletes it and no other."""

    version: int
    protocol: int
    destination: bytes
    port: int
    name: bytes


def dump(question: Question, sequence: int) -> bytes:
    family = FAMILIES[question.version]
    return _framed(_GET, _REQUEST | _DUMP, sequence, family, b"".join(_filter(question)))


def delete(entry: Entry, sequence: int) -> bytes:
    return _framed(_DELETE, _REQUEST | _ACK, sequence, FAMILIES[entry.version], entry.name)


def messages(datagram: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(kind, sequence, what follows the netlink header) of each."""
    offset = 0
    while offset + _HEADER.size <= len(datagram):
        length, kind, _, sequence, _ = _HEADER.unpack_from(datagram, offset)
        if length < _HEADER.size or offset + length > len(datagram):
            raise ValueError(f"a netlink message of {length} bytes does not fit its datagram")
        yield kind, sequence, datagram[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def refusal(body: bytes) -> int:
    """The errno of an acknowledgement; 0 is yes."""
    return -int(struct.unpack_from("=i", body)[0]) if len(body) >= 4 else 0


def leads_to(body: bytes, ports: Collection[bytes]) -> bool:
    """Whether to read on: a glance at the place where the kernel writes the port, for tables of 100 000."""
    place = _PORT_PLACES.get(body[0], 0)
    if body[place : place + 4] != _PORT_HEADER:
        return True
    return body[place + 4 : place + 6] in ports


def read(body: bytes) -> Entry | None:
    """None for what has no ports, or is not whole."""
    version = _VERSIONS.get(body[0])
    found = _attributes(body[_GENERAL.size :])
    if version is None or _TUPLE_ORIG not in found:
        return None
    original = _attributes(found[_TUPLE_ORIG])
    protocol = _attributes(original.get(_TUPLE_PROTO, b""))
    if _NUMBER not in protocol or _DESTINATION_PORT not in protocol:
        return None
    return Entry(
        version,
        protocol=protocol[_NUMBER][0],
        destination=_attributes(original[_TUPLE_IP])[_DESTINATIONS[version]],
        port=int.from_bytes(protocol[_DESTINATION_PORT], "big"),
        name=b"".join(
            _attribute(kind | (_NESTED if kind == _TUPLE_ORIG else 0), found[kind])
            for kind in (_TUPLE_ORIG, _ZONE, _ID)
            if kind in found
        ),
    )


def _filter(question: Question) -> Iterator[bytes]:
    version = question.version
    original, ip, protocol = 0, b"", b""
    if question.destination is not None and version in _SORTED:
        original |= _BY_DESTINATION
        ip = _attribute(_DESTINATIONS[version], question.destination.packed)
    if question.protocol is not None:
        original |= _BY_NUMBER
        protocol = _attribute(_NUMBER, bytes([question.protocol]))
    if question.port is not None:
        original |= _BY_DESTINATION_PORT
        protocol += _attribute(_DESTINATION_PORT, question.port.to_bytes(2, "big"))
    if original:
        yield _nested(_TUPLE_ORIG, _nested(_TUPLE_IP, ip) + _nested(_TUPLE_PROTO, protocol))
        flags = _attribute(_FILTER_ORIG, struct.pack("=I", original))
        yield _nested(_FILTER, flags + _attribute(_FILTER_REPLY, struct.pack("=I", 0)))


def _framed(kind: int, flags: int, sequence: int, family: int, body: bytes) -> bytes:
    length = _HEADER.size + _GENERAL.size + len(body)
    return _HEADER.pack(length, kind, flags, sequence, 0) + _GENERAL.pack(family, 0, 0) + body


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def _nested(kind: int, value: bytes) -> bytes:
    return _attribute(kind | _NESTED, value)


def _attributes(body: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    offset = 0
    while offset + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < _ATTRIBUTE.size:
            raise ValueError(f"a netlink attribute of {length} bytes is too short")
        found[kind & _KIND_MASK] = body[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return found
