"""The key sequence by which a terminal leaves a container that goes on running. Pure."""

from bridgehead.core.model.errors import InvalidParameter

DEFAULT = "ctrl-p,ctrl-q"

_CONTROL = {**{chr(97 + i): i + 1 for i in range(26)}, "@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


def parse(keys: str) -> bytes:
    """The bytes of "ctrl-p,ctrl-q" or "a,b"; the default's for ''."""
    return bytes(_byte(key, keys) for key in (keys or DEFAULT).split(","))


def _byte(key: str, keys: str) -> int:
    name = key.removeprefix("ctrl-")
    if name != key and name.lower() in _CONTROL:
        return _CONTROL[name.lower()]
    if len(key) == 1 and key.isascii():
        return ord(key)
    raise InvalidParameter(f"Invalid detach keys ({keys}): unknown key {key!r}")


class DetachKeys:
    """Watches input that arrives in pieces; the start of the sequence is held back until it is clear."""

    def __init__(self, sequence: bytes) -> None:
        self._sequence = sequence
        self._matched = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What may be passed on, and whether the sequence is complete; what follows it is dropped."""
        passed = bytearray()
        for byte in data:
            if byte != self._sequence[self._matched]:
                passed += self._sequence[: self._matched]
                self._matched = 0
            if byte != self._sequence[self._matched]:
                passed.append(byte)
                continue
            self._matched += 1
            if self._matched == len(self._sequence):
                self._matched = 0
                return bytes(passed), True
        return bytes(passed), False
