"""The standard library writes, we read."""

import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.core.images import tar
from bridgehead.core.images.tar import Kind, Overrides
from bridgehead.core.model.errors import InvalidParameter

NOTHING = Overrides()


def block(**fields: object) -> bytes:
    member = tarfile.TarInfo("name")
    for key, value in fields.items():
        setattr(member, key, value)
    return member.tobuf(tarfile.GNU_FORMAT)[:512]


def test_a_header_says_everything() -> None:
    header = block(type=tarfile.BLKTYPE, mode=0o4755, uid=7, gid=8, mtime=9, devmajor=8, devminor=1)

    entry = tar.header(header, NOTHING)

    assert entry == tar.Entry(
        name=b"name",
        kind=Kind.BLOCK_DEVICE,
        mode=0o4755,
        user=7,
        group=8,
        modified=9 * 10**9,
        major=8,
        minor=1,
    )


@given(
    size=st.integers(0, 2**62), user=st.integers(0, 2**55), modified=st.integers(-(2**40), 2**40)
)  # beyond octal: base 256
def test_numbers_of_any_size_survive(size: int, user: int, modified: int) -> None:
    entry = tar.header(block(size=size, uid=user, mtime=modified), NOTHING)

    assert (size, user, modified * 10**9) == (entry.size, entry.user, entry.modified)


@given(content=st.binary(min_size=512, max_size=512))
def test_garbage_is_refused_or_read_but_never_breaks(content: bytes) -> None:
    try:
        entry = tar.header(content, NOTHING)
    except InvalidParameter:
        return
    assert entry.size >= 0


@given(content=st.binary(max_size=200))
def test_garbage_in_pax_records_is_refused_or_read(content: bytes) -> None:
    try:
        tar.pax_records(content)
    except InvalidParameter:
        return


def test_pax_records_speak_last() -> None:
    pax = {
        b"path": b"long",
        b"size": b"5",
        b"mtime": b"1.25",
        b"SCHILY.xattr.user.a": b"\0b",
        b"uid": b"70000",
    }

    entry = tar.header(block(size=3), Overrides(pax=pax, name=b"gnu"))

    assert (entry.name, entry.size, entry.modified, entry.user) == (b"long", 5, 1_250_000_000, 70000)
    assert entry.attributes == {b"user.a": b"\0b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"-1.5", -1_500_000_000), (b"0.123456789999", 123_456_789), (b"3", 3_000_000_000)],
)
def test_pax_times_have_nanoseconds(text: bytes, expected: int) -> None:
    assert expected == tar.header(block(), Overrides(pax={b"mtime": text})).modified


@pytest.mark.parametrize(
    "pax",
    [
        {b"size": b"-1"},
        {b"size": b"9" * 30},
        {b"uid": b"x"},
        {b"mtime": b"9" * 30},
        {b"mtime": b"1.x"},
        {b"path": b"a\0b"},
    ],
)
def test_hostile_pax_values_are_refused(pax: dict[bytes, bytes]) -> None:
    with pytest.raises(InvalidParameter, match="invalid tar header"):
        tar.header(block(), Overrides(pax=pax))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"99 path=a\n", "malformed"),
        (b"0 path=a\n", "malformed"),
        (b"x path=a\n", "malformed"),
        (b"9 path=ab\n", "malformed"),
        (b"8 =abcd\n", "malformed"),
        (b"22 GNU.sparse.major=1\n", "sparse files"),
    ],
)
def test_malformed_pax_records_are_refused(content: bytes, words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        tar.pax_records(content)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"type": b"S"}, "sparse files"),
        ({"type": b"V"}, "unhandled tar header type 86"),
        ({"type": b"x", "size": 2 << 20}, "an extension is too long"),
        ({"size": -1}, "invalid tar header"),
    ],
)
def test_hostile_headers_are_refused(fields: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        tar.header(block(**fields), NOTHING)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"a", b"/a"),
        (b"/etc//x/", b"/etc/x"),
        (b"./a/../b/.", b"/b"),
        (b".", b"/"),
        (b"", b"/"),
        (b"a/...", b"/a/..."),
    ],
)
def test_names_are_rooted(name: bytes, expected: bytes) -> None:
    assert expected == tar.rooted(name)


@pytest.mark.parametrize("name", [b"..", b"../a", b"a/../../b", b"/../a"])
def test_names_that_climb_out_are_refused(name: bytes) -> None:
    with pytest.raises(InvalidParameter, match="is outside of it"):
        tar.rooted(name)
