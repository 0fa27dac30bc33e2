"""Times as Docker writes them."""

from datetime import UTC, datetime

_BILLION = 1_000_000_000


def rfc3339(nanoseconds: int) -> str:
    """UTC to the nanosecond, without zeros at the end, and a Z."""
    seconds, fraction = divmod(nanoseconds, _BILLION)
    digits = f".{fraction:09d}".rstrip("0").rstrip(".")
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{digits}Z"
