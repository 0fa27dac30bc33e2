"""D-Bus messages as bytes, as far as firewalld's calls need them: only strings are sent."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

CALL, ANSWER, REFUSAL = 1, 2, 3
_NO_AUTO_START = 2  # nobody is to be started by being asked
_PATH, _INTERFACE, _MEMBER, _ERROR, _REPLY_SERIAL, _DESTINATION, _SIGNATURE = 1, 2, 3, 4, 5, 6, 8
_HEAD = struct.Struct("=cBBBIII")
HEAD_LENGTH = _HEAD.size
_ORDER = b"l" if struct.pack("=H", 1) == b"\1\0" else b"B"
_ALIGNMENTS = {"s": 4, "o": 4, "u": 4, "b": 4, "a": 4, "{": 8, "(": 8, "v": 1, "g": 1, "y": 1}


@dataclass(frozen=True, slots=True)
class Message:
    """`error`: the name of the refusal, '' for anything else."""

    kind: int
    reply_to: int
    error: str
    values: tuple[Any, ...]


def call(serial: int, destination: str, path: str, method: tuple[str, str], strings: Sequence[str]) -> bytes:
    """`method`: interface and member."""
    body = b""
    for text in strings:
        body = _padded(body, 4) + _string(text)
    fields = b""
    for code, kind, text in (
        (_PATH, "o", path),
        (_INTERFACE, "s", method[0]),
        (_MEMBER, "s", method[1]),
        (_DESTINATION, "s", destination),
    ):
        fields = _padded(fields, 8) + bytes([code]) + _signature(kind) + _string(text)
    if strings:
        fields = _padded(fields, 8) + bytes([_SIGNATURE]) + _signature("g") + _signature("s" * len(strings))
    head = _HEAD.pack(_ORDER, CALL, _NO_AUTO_START, 1, len(body), serial, len(fields))
    return _padded(head + fields, 8) + body


def rest_of(head: bytes) -> int:
    """How many bytes follow the first `HEAD_LENGTH` of a message.

    Raises:
        ValueError: not a message in this machine's byte order, which the bus sends to us.
    """
    order, _, _, version, body, _, fields = _HEAD.unpack(head)
    if order != _ORDER or version != 1:
        raise ValueError("not a D-Bus message")
    return int(fields + -fields % 8 + body)


def parse(raw: bytes) -> Message:
    """
    Raises:
        ValueError: not a message, or one with values of a type that no answer to us has.
    """
    _, kind, _, _, body, _, length = _HEAD.unpack_from(raw)
    try:
        reader = _Reader(raw, HEAD_LENGTH)
        fields = {}
        while reader.at < HEAD_LENGTH + length:
            code, value = reader.value("(yv)")
            fields[code] = value
        # What others tell everybody may have any type; only answers are read.
        signature = fields.get(_SIGNATURE, "") if kind in {ANSWER, REFUSAL} else ""
        values = _Reader(raw[len(raw) - body :], 0).values(signature)
    except (struct.error, IndexError, KeyError) as error:
        raise ValueError(f"a D-Bus message that cannot be read: {error!r}") from error
    return Message(kind, fields.get(_REPLY_SERIAL, 0), fields.get(_ERROR, ""), values)


class _Reader:
    def __init__(self, raw: bytes, at: int) -> None:
        self._raw = raw
        self.at = at

    def values(self, signature: str) -> tuple[Any, ...]:
        return tuple(self.value(kind) for kind in _split(signature))

    def value(self, kind: str) -> Any:
        self.at += -self.at % _ALIGNMENTS[kind[0]]
        match kind[0]:
            case "y":
                self.at += 1
                return self._raw[self.at - 1]
            case "u" | "b":
                return self._number()
            case "s" | "o":
                return self._text(self._number())
            case "g":
                self.at += 1
                return self._text(self._raw[self.at - 1])
            case "v":
                return self.value(self.value("g"))
            case "a":
                return self._array(kind[1:])
            case _:
                return self.values(kind[1:-1])

    def _number(self) -> int:
        (number,) = struct.unpack_from("=I", self._raw, self.at)
        self.at += 4
        return int(number)

    def _text(self, length: int) -> str:
        text = self._raw[self.at : self.at + length].decode()
        self.at += length + 1
        return text

    def _array(self, kind: str) -> Any:
        length = self._number()
        self.at += -self.at % _ALIGNMENTS[kind[0]]
        end, found = self.at + length, []
        while self.at < end:
            found.append(self.value(kind))
        return dict(found) if kind[0] == "{" else found


def _split(signature: str) -> list[str]:
    """The complete types in a signature."""
    found, at = [], 0
    while at < len(signature):
        end = _end(signature, at)
        found.append(signature[at:end])
        at = end
    return found


def _end(signature: str, at: int) -> int:
    if signature[at] == "a":
        return _end(signature, at + 1)
    depth = 0
    while True:
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(signature[at], 0)
        at += 1
        if depth == 0:
            return at


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("=I", len(raw)) + raw + b"\0"


def _signature(text: str) -> bytes:
    return bytes([len(text)]) + text.encode() + b"\0"


def _padded(raw: bytes, alignment: int) -> bytes:
    return raw + b"\0" * (-len(raw) % alignment)
