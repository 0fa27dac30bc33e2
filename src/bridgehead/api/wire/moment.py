"""Points in time and spans of it, in the spellings clients send and people read."""

import re
from datetime import UTC, datetime

from bridgehead.core.model.errors import InvalidParameter

SECOND = 1_000_000_000  # ns

_UNITS = {"h": 3600 * SECOND, "m": 60 * SECOND, "s": SECOND, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}
_SPAN_PART = re.compile(r"(\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(h|ms|us|µs|ns|m|s)")
_STAMP = re.compile(r"(\d{1,11})(?:\.(\d{1,9})\d*)?")
_FRACTION = re.compile(r"\.(\d+)")


def parse(text: str, now: int) -> int:
    """Nanoseconds since the epoch, from a Unix time, a span before `now` (10m), or an RFC 3339 time."""
    found = _stamp(text)
    if found is None and (span := _span(text)) is not None:
        found = now - span
    if found is None:
        found = _calendar(text)
    if found is None:
        raise InvalidParameter(f'failed to parse value as time or duration: "{text}"')
    return found


def _stamp(text: str) -> int | None:
    found = _STAMP.fullmatch(text)
    if found is None:
        return None
    return int(found[1]) * SECOND + int((found[2] or "").ljust(9, "0"))


def _span(text: str) -> int | None:
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    parts = _SPAN_PART.findall(body)
    if not parts or "".join(number + unit for number, unit in parts) != body:
        return None
    return sign * sum(int(float(number) * _UNITS[unit]) for number, unit in parts)


def _calendar(text: str) -> int | None:
    fraction = _FRACTION.search(text)
    try:
        when = datetime.fromisoformat(_FRACTION.sub("", text, count=1))
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return int(when.timestamp()) * SECOND + (int(fraction[1][:9].ljust(9, "0")) if fraction else 0)


def since_epoch(stamp: str) -> int:
    """Nanoseconds, from one of our own RFC 3339 stamps; 0 from the zero time or none at all."""
    return 0 if not stamp or stamp.startswith("0001-") else _calendar(stamp) or 0


_STEPS = ((60, 1, "second"), (60 * 60, 60, "minute"), (48 * 3600, 3600, "hour"), (14 * 86400, 86400, "day"))
_LONG_STEPS = ((60 * 86400, 7 * 86400, "week"), (730 * 86400, 30 * 86400, "month"))


def spoken(nanoseconds: int) -> str:
    """A span as `docker ps` says it: "5 minutes", "About an hour"."""
    seconds = max(0, nanoseconds) // SECOND
    if seconds < 1:
        return "Less than a second"
    if 60 <= seconds < 120:
        return "About a minute"
    if 3600 <= seconds < 5400:
        return "About an hour"
    for bound, unit, name in _STEPS + _LONG_STEPS:
        if seconds < bound:
            return _counted(seconds // unit, name)
    return _counted(seconds // (365 * 86400), "year")


def _counted(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"
