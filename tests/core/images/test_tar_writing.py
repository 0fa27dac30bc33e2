"""What we write is read by the standard library and by ourselves."""

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.core.images import tar
from bridgehead.core.images.tar import Entry, Kind
from bridgehead.core.images.tar_writing import END, headers
from bridgehead.host.images.stream import Members

NAMES = st.binary(min_size=1, max_size=300).map(lambda text: text.replace(b"\0", b"x"))
ENTRIES = st.builds(
    Entry,
    name=NAMES,
    kind=st.sampled_from((Kind.DIRECTORY, Kind.SYMBOLIC_LINK, Kind.HARD_LINK)),
    target=NAMES,
    mode=st.integers(0, 0o7777),
    user=st.integers(0, 2**32 - 2),
    group=st.integers(0, 2**32 - 2),
    modified=st.integers(-(2**33), 2**34).map(lambda second: second * 10**9),
    attributes=st.dictionaries(
        st.sampled_from((b"user.a", b"user.b", b"security.capability")), st.binary(min_size=1, max_size=200)
    ),
)


class Bytes:
    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def skip(self, size: int) -> None:
        self._file.read(size)


@given(ENTRIES)
def test_what_is_written_is_read_again(entry: Entry) -> None:
    found = list(Members(Bytes(headers(entry) + END)))

    assert found == [entry]


@given(ENTRIES)
def test_the_standard_library_reads_it(entry: Entry) -> None:
    with tarfile.open(fileobj=io.BytesIO(headers(entry) + END), errors="surrogateescape") as archive:
        found = archive.getmembers()

    assert [(member.uid, member.gid, member.mtime, member.mode) for member in found] == [
        (entry.user, entry.group, entry.modified // 10**9, entry.mode)
    ]


@pytest.mark.parametrize("length", range(90, 120))
def test_a_pax_record_counts_its_own_digits(length: int) -> None:
    entry = Entry(b"n", Kind.FILE, attributes={b"user.a": b"v" * length})

    block = headers(entry)

    first = tar.header(block[:512], tar.Overrides())
    records = tar.pax_records(block[512 : 512 + first.size])
    assert records == {b"SCHILY.xattr.user.a": b"v" * length}


def test_files_of_more_than_eight_gigabytes_have_their_size() -> None:
    entry = Entry(b"huge", Kind.FILE, size=9 << 30)

    block = headers(entry)

    extension = tar.header(block[:512], tar.Overrides())
    overrides = tar.extended(tar.Overrides(), extension, block[512 : 512 + extension.size])
    assert tar.header(block[-512:], overrides).size == 9 << 30
