import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.core.edits import merged

BASE = "127.0.0.1\tlocalhost\n"


@pytest.mark.parametrize(
    ("name", "present", "expected"),
    [
        ("hosts", f"{BASE}10.0.0.2\tdb\n", f"{BASE}10.0.0.9\tdb\n"),
        ("hosts", f"{BASE}10.0.0.2\tdb\n8.8.8.8\tmine\n", f"{BASE}10.0.0.9\tdb\n8.8.8.8\tmine\n"),
        ("hosts", "8.8.8.8\tmine\n", "8.8.8.8\tmine\n10.0.0.9\tdb\n"),
        ("hosts", "no newline at its end", "no newline at its end\n10.0.0.9\tdb\n"),
        ("resolv.conf", "mine", "mine"),
        ("resolv.conf", f"{BASE}10.0.0.2\tdb\n", f"{BASE}10.0.0.9\tdb\n"),
    ],
    ids=["untouched", "added to", "emptied", "cut off", "another file", "another file, untouched"],
)
def test_only_our_own_lines_are_exchanged(name: str, present: str, expected: str) -> None:
    written, wanted = f"{BASE}10.0.0.2\tdb\n", f"{BASE}10.0.0.9\tdb\n"

    assert expected == merged(name, present=present, written=written, wanted=wanted)


LINES = st.lists(st.sampled_from("abcdefgh"), max_size=6, unique=True).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


@given(present=LINES, written=LINES, wanted=LINES)
def test_an_exchange_cut_off_and_done_again_is_the_same(present: str, written: str, wanted: str) -> None:
    once = merged("hosts", present=present, written=written, wanted=wanted)

    assert once == merged("hosts", present=once, written=written, wanted=wanted)


@given(present=LINES, written=LINES, wanted=LINES)
def test_what_only_the_container_wrote_stays(present: str, written: str, wanted: str) -> None:
    theirs = set(present.splitlines()) - set(written.splitlines())

    assert present in (written, wanted) or theirs <= set(
        merged("hosts", present=present, written=written, wanted=wanted).splitlines()
    )
