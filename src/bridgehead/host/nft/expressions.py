"""Rules as the kernel runs them: small programs on one register, built from a handful of expressions.

Most of them are the same in every sandbox, so they are packed once.
"""

from enum import IntEnum
from functools import lru_cache

from bridgehead.host.nft.wire import (
    DATA_VALUE,
    DATA_VERDICT,
    LIST_ELEMENT,
    attribute,
    nested,
    number,
    text,
)

_REGISTER = 1
_VERDICT_REGISTER = 0
_EXPRESSION_NAME, _EXPRESSION_DATA = 1, 2
_META_L4_PROTOCOL = 16
_INTERNET_CHECKSUM = 1
_ACCEPT = 1


class Header(IntEnum):
    NETWORK = 1
    TRANSPORT = 2


class Compare(IntEnum):
    EQUAL = 0
    UNEQUAL = 1


@lru_cache
def load(header: Header, offset: int, length: int) -> bytes:
    """Read bytes of the packet."""
    place = number(2, header) + number(3, offset) + number(4, length)
    return _expression("payload", number(1, _REGISTER) + place)


@lru_cache
def load_protocol() -> bytes:
    return _expression("meta", number(2, _META_L4_PROTOCOL) + number(1, _REGISTER))


@lru_cache
def compare(operator: Compare, value: bytes) -> bytes:
    """Leave the rule unless what was read compares so."""
    operand = nested(3, attribute(DATA_VALUE, value))
    return _expression("cmp", number(1, _REGISTER) + number(2, operator) + operand)


def store(header: Header, offset: int, value: bytes, checksum_offset: int) -> bytes:
    """Write bytes into the packet and correct the Internet checksum at `checksum_offset`."""
    constant = number(1, _REGISTER) + nested(2, attribute(DATA_VALUE, value))
    place = number(2, header) + number(3, offset) + number(4, len(value)) + number(5, _REGISTER)
    checksum = number(6, _INTERNET_CHECKSUM) + number(7, checksum_offset)
    return _expression("immediate", constant) + _expression("payload", place + checksum)


@lru_cache
def accept() -> bytes:
    verdict = nested(DATA_VERDICT, number(1, _ACCEPT))
    return _expression("immediate", number(1, _VERDICT_REGISTER) + nested(2, verdict))


def _expression(name: str, data: bytes) -> bytes:
    return nested(LIST_ELEMENT, text(_EXPRESSION_NAME, name), nested(_EXPRESSION_DATA, data))
