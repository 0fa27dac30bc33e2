import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.api.wire import moment
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.time import rfc3339

NOW = 1_000_000_000_000_000_000
S = moment.SECOND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1700000000", 1_700_000_000 * S),
        ("1700000000.5", 1_700_000_000 * S + S // 2),
        ("1700000000.000000001", 1_700_000_000 * S + 1),
        ("10m", NOW - 600 * S),
        ("1h30m", NOW - 5400 * S),
        ("1.5s", NOW - 3 * S // 2),
        ("-5s", NOW + 5 * S),
        ("2023-11-14T22:13:20Z", 1_700_000_000 * S),
        ("2023-11-14T22:13:20.000000007Z", 1_700_000_000 * S + 7),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000 * S),
        ("2023-11-14T22:13:20", 1_700_000_000 * S),
        ("2023-11-14", 1_699_920_000 * S),
    ],
)
def test_every_spelling_of_a_time_is_read(text: str, expected: int) -> None:
    assert expected == moment.parse(text, NOW)


@pytest.mark.parametrize("text", ["zz", "10x", "m", "1h30", "2023-13-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="failed to parse value as time or duration"):
        moment.parse(text, NOW)


@given(st.integers(0, 4_000_000_000 * S))
def test_our_own_stamps_are_read_back_to_the_nanosecond(when: int) -> None:
    assert when == moment.since_epoch(rfc3339(when))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.5, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (120, "2 minutes"),
        (3600, "About an hour"),
        (7200, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (14 * 86400, "2 weeks"),
        (90 * 86400, "3 months"),
        (800 * 86400, "2 years"),
        (-5, "Less than a second"),
    ],
)
def test_spans_are_said_as_people_read_them(seconds: float, words: str) -> None:
    assert words == moment.spoken(int(seconds * S))
