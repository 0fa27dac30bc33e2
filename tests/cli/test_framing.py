import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.cli.client import CommandFailed
from bridgehead.cli.framing import Demultiplexer, DetachKeys

frames = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=20)), max_size=8)


@given(frames, st.lists(st.integers(1, 12), min_size=1, max_size=40))
def test_frames_come_out_the_same_however_the_wire_cuts_them(sent, cuts):
    wire = b"".join(struct.pack(">BxxxL", stream, len(part)) + part for stream, part in sent)
    frames = Demultiplexer()

    parts = [part for piece in _cut(wire, cuts) for part in frames.feed(piece)]

    for stream in (1, 2):
        assert b"".join(part for number, part in sent if number == stream) == b"".join(
            part for number, part in parts if number == stream
        )


def _cut(wire, cuts):
    position = 0
    while position < len(wire):
        step = cuts[position % len(cuts)]
        yield wire[position : position + step]
        position += step


@pytest.mark.parametrize(
    ("typed", "passed", "detached"),
    [
        (b"ls\r", b"ls\r", False),
        (b"\x10\x11", b"", True),
        (b"ls\x10\x11rest", b"ls", True),
        (b"\x10x", b"\x10x", False),
        (b"\x10\x10\x11", b"\x10", True),
        (b"\x11\x10", b"\x11", False),
    ],
)
def test_detach_keys_are_found_and_all_else_goes_on(typed, passed, detached):
    assert (passed, detached) == DetachKeys("ctrl-p,ctrl-q").feed(typed)


def test_detach_keys_are_found_across_two_reads():
    keys = DetachKeys("ctrl-p,ctrl-q")

    assert keys.feed(b"a\x10") == (b"a", False)
    assert keys.feed(b"\x11") == (b"", True)


def test_keys_of_a_broken_sequence_are_not_lost():
    keys = DetachKeys("a,b,c")
    keys.feed(b"ab")

    assert keys.feed(b"x") == (b"abx", False)


def test_no_keys_never_detach():
    assert DetachKeys("").feed(b"\x10\x11") == (b"\x10\x11", False)


def test_unknown_keys_are_refused():
    with pytest.raises(CommandFailed, match="invalid detach keys"):
        DetachKeys("ctrl-p,shift-q")
