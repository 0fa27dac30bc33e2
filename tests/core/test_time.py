"""Times as Docker writes them."""

import pytest

from bridgehead.core.time import rfc3339


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (1_500_000_000, "1970-01-01T00:00:01.5Z"),
        (1_700_000_000_551_460_000, "2023-11-14T22:13:20.55146Z"),
    ],
)
def test_a_time_has_no_zeros_at_its_end(nanoseconds: int, text: str) -> None:
    assert text == rfc3339(nanoseconds)
