"""Times as Docker writes them."""

from datetime import UTC, datetime

_BILLION = 1_000_000_000


def rfc3339(nanoseconds: int) -> str:
    """UTC with nanoseconds and a Z."""
    seconds, fraction = divmod(nanoseconds, _BILLION)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"
