"""Typed fields of set elements: text as nft writes it, to and from the bytes the kernel compares."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network, summarize_address_range

from bridgehead.core.model.addresses import Address

_ADDRESS_TYPES = (7, 8)
_BITS_PER_TYPE = 6  # a concatenation packs the numbers of its types into one
_PADDING = 4
_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "ipv6-icmp": 58}
_FAMILIES = {"ipv4": 2, "ipv6": 10}


@dataclass(frozen=True, slots=True)
class Field:
    """`encode` raises ValueError for text that is no such value."""

    size: int
    encode: Callable[[str], bytes]
    decode: Callable[[bytes], str]

    @property
    def padded(self) -> int:
        return -(-self.size // _PADDING) * _PADDING


Fields = tuple[Field, ...]


def _name(text: str) -> bytes:
    name = text.encode(errors="surrogateescape")
    if len(name) > 15:
        raise ValueError(f"{text!r} is too long for an interface")
    return name.ljust(16, b"\0")


def _read_name(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode(errors="surrogateescape")


def _address(size: int) -> Callable[[str], bytes]:
    def encode(text: str) -> bytes:
        packed = ip_address(text).packed
        if len(packed) != size:
            raise ValueError(f"{text} is of the other family")
        return packed

    return encode


def _read_address(raw: bytes) -> str:
    return str(ip_address(raw))


def _word(words: dict[str, int]) -> Field:
    """One byte with names; a number where there is none."""
    names = {number: word for word, number in words.items()}
    return Field(
        1,
        lambda text: bytes((words[text] if text in words else int(text),)),
        lambda raw: names.get(raw[0], str(raw[0])),
    )


# By the numbers that nft gives its types.
_FIELDS = {
    2: _word(_FAMILIES),
    7: Field(4, _address(4), _read_address),
    8: Field(16, _address(16), _read_address),
    12: _word(_PROTOCOLS),
    13: Field(2, lambda text: int(text).to_bytes(2, "big"), lambda raw: str(int.from_bytes(raw, "big"))),
    41: Field(16, _name, _read_name),
}


def typed(number: int) -> Fields | None:
    """The fields of a set's type, from its number; None if one of them is not among ours."""
    fields: list[Field] = []
    while number:
        field = _FIELDS.get(number & ((1 << _BITS_PER_TYPE) - 1))
        if field is None:
            return None
        fields.insert(0, field)
        number >>= _BITS_PER_TYPE
    return tuple(fields) or None


def holds_addresses(number: int) -> bool:
    """Whether a set of this type has addresses in every field."""
    rest, last = divmod(number, 1 << _BITS_PER_TYPE)
    return last in _ADDRESS_TYPES and (not rest or holds_addresses(rest))


def encoded(fields: Fields, texts: Sequence[str]) -> bytes:
    if len(fields) != len(texts):
        raise ValueError(f"{len(texts)} values for {len(fields)} fields")
    values = [field.encode(text) for field, text in zip(fields, texts, strict=True)]
    if len(values) == 1:
        return values[0]
    return b"".join(value.ljust(field.padded, b"\0") for field, value in zip(fields, values, strict=True))


def decoded(fields: Fields, raw: bytes) -> tuple[str, ...]:
    texts, offset = [], 0
    for field in fields:
        texts.append(field.decode(raw[offset : offset + field.size]))
        offset += field.padded
    return tuple(texts)


def encoded_range(text: str) -> tuple[bytes, bytes | None]:
    """First address of a prefix, or of a range (10.0.0.1-10.0.0.9), and the one after its last, if any."""
    first, last = _ends(text)
    after = int(last) + 1
    return first.packed, None if after >> first.max_prefixlen else after.to_bytes(len(first.packed), "big")


def _ends(text: str) -> tuple[Address, Address]:
    if "/" in text:
        prefix = ip_network(text)
        return prefix[0], prefix[-1]
    low, _, high = text.partition("-")
    return ip_address(low), ip_address(high or low)


def decoded_range(first: bytes, after: bytes | None) -> str:
    beyond = int.from_bytes(after, "big") if after else 1 << (8 * len(first))
    ends = ip_address(first), ip_address((beyond - 1).to_bytes(len(first), "big"))
    return _block(*ends)


def _block(low: Address, high: Address) -> str:
    prefixes = list(summarize_address_range(low, high))
    return str(prefixes[0]) if len(prefixes) == 1 else f"{low}-{high}"


def encoded_block(fields: Fields, texts: Sequence[str]) -> tuple[bytes, bytes]:
    """First and last of what is within a prefix, or a range, in each field."""
    first, last = zip(*map(_ends, texts), strict=True)
    return encoded(fields, [*map(str, first)]), encoded(fields, [*map(str, last)])


def decoded_block(fields: Fields, first: bytes, last: bytes) -> tuple[str, ...]:
    """Each field as a prefix, also where it is a single address; as a range if it is no prefix."""
    pairs = zip(decoded(fields, first), decoded(fields, last), strict=True)
    return tuple(_block(ip_address(low), ip_address(high)) for low, high in pairs)
