"""Signals by name or number, as Docker takes them."""

import signal

from bridgehead.core.model.errors import InvalidParameter

_NUMBERS = {item.name: int(item) for item in signal.Signals}
_LARGEST = 64


def number(text: str) -> int:
    """`KILL`, `SIGKILL`, `9`, `RTMIN+3`.

    Raises:
        InvalidParameter: there is no such signal.
    """
    if text.isdecimal() and 0 < int(text) <= _LARGEST:
        return int(text)
    name, plus, offset = text.upper().partition("+")
    name = name if name.startswith("SIG") else f"SIG{name}"
    if name in _NUMBERS and (not plus or offset.isdecimal()):
        value = _NUMBERS[name] + int(offset or 0)
        if value <= _LARGEST:
            return value
    raise InvalidParameter(f"invalid signal: {text}")
