import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.api import detach
from bridgehead.core.model.errors import InvalidParameter


@pytest.mark.parametrize(
    ("keys", "sequence"),
    [
        ("", b"\x10\x11"),
        ("ctrl-a", b"\x01"),
        ("a,b", b"ab"),
        ("ctrl-\\,ctrl-@", b"\x1c\x00"),
        ("ctrl-Z", b"\x1a"),
    ],
)
def test_key_names_become_bytes(keys: str, sequence: bytes) -> None:
    assert sequence == detach.parse(keys)


@pytest.mark.parametrize("keys", ["ctrl-", "ctrl-é", "ab", "a,,b"])
def test_unknown_keys_are_refused(keys: str) -> None:
    with pytest.raises(InvalidParameter):
        detach.parse(keys)


@pytest.mark.parametrize(
    ("pieces", "passed", "left"),
    [
        ([b"abc"], b"abc", False),
        ([b"ab\x10", b"\x11never"], b"ab", True),
        ([b"\x10", b"x"], b"\x10x", False),
        ([b"\x10\x10\x11"], b"\x10", True),
        ([b"\x10"], b"", False),
    ],
)
def test_the_sequence_is_found_across_pieces(pieces: list[bytes], passed: bytes, left: bool) -> None:
    keys = detach.DetachKeys(b"\x10\x11")

    found = [keys.feed(piece) for piece in pieces]

    assert (passed, left) == (b"".join(data for data, _ in found), found[-1][1])


@given(st.binary(max_size=30).filter(lambda data: b"\x10\x11" not in data), st.integers(0, 30))
def test_nothing_but_the_sequence_is_ever_lost(data: bytes, cut: int) -> None:
    keys = detach.DetachKeys(b"\x10\x11")

    passed = b"".join(keys.feed(piece)[0] for piece in (data[:cut], data[cut:], b"."))

    assert data + b"." == passed
