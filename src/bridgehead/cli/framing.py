"""The two small languages on a hijacked connection: output frames, and the keys that detach.

Pure: bytes in, values out. Output of a container without a terminal comes in frames, each with a header of
eight bytes: the stream's number, three zeros, and the length (big endian).
"""

from bridgehead.cli.client import CommandFailed

HEADER = 8
STDERR = 2
DEFAULT_DETACH_KEYS = "ctrl-p,ctrl-q"


class Demultiplexer:
    """Parts are handed on as they come; a frame need not be complete."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._stream = 0
        self._missing = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        parts: list[tuple[int, bytes]] = []
        position = 0
        while position < len(data):
            if self._missing:
                part = data[position : position + self._missing]
                parts.append((self._stream, part))
                self._missing -= len(part)
                position += len(part)
            else:
                piece = data[position : position + HEADER - len(self._header)]
                self._header += piece
                position += len(piece)
                self._open_frame()
        return parts

    def _open_frame(self) -> None:
        if len(self._header) == HEADER:
            self._stream = self._header[0]
            self._missing = int.from_bytes(self._header[4:], "big")
            self._header.clear()


class DetachKeys:
    """Watches what is typed for the sequence; the keys of a started sequence wait until it fails."""

    def __init__(self, words: str) -> None:
        self._keys = bytes(_key(word) for word in words.split(",")) if words else b""
        self._seen = 0

    def feed(self, typed: bytes) -> tuple[bytes, bool]:
        """What may go on to the container, and whether the sequence is complete."""
        if not self._keys:
            return typed, False
        passed = bytearray()
        for key in typed:
            if key != self._keys[self._seen]:
                passed += self._keys[: self._seen]
                self._seen = 0
            if key != self._keys[self._seen]:
                passed.append(key)
                continue
            self._seen += 1
            if self._seen == len(self._keys):
                return bytes(passed), True
        return bytes(passed), False


def _key(word: str) -> int:
    if len(word) == 1 and word.isascii():
        return ord(word)
    prefix, _, letter = word.partition("-")
    if prefix == "ctrl" and len(letter) == 1 and "@" <= letter.upper() <= "_":
        return ord(letter.upper()) & 0x1F
    raise CommandFailed(
        f"invalid detach keys ({word}): a key is a character or ctrl-<a-z, @, [, \\, ], ^, _>"
    )
