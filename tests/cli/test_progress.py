import io
import json

import pytest

from bridgehead.cli.client import CommandFailed
from bridgehead.cli.progress import Display, bar, follow, messages

PULL = [
    {"status": "Pulling from library/busybox", "id": "latest"},
    {"status": "Downloading", "id": "ab12", "progressDetail": {"current": 50, "total": 100}},
    {"status": "Pull complete", "id": "ab12", "progressDetail": {}},
    {"status": "Status: Downloaded newer image"},
]


def wire(said):
    return b"".join(json.dumps(message).encode() + b"\r\n" for message in said)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_messages_come_whole_however_they_were_cut(size):
    text = wire(PULL)
    pieces = [text[start : start + size] for start in range(0, len(text), size)]

    assert list(messages(pieces)) == PULL


def test_without_a_terminal_there_are_lines_and_no_bars():
    out = io.StringIO()

    follow([wire(PULL)], out)

    assert out.getvalue() == (
        "latest: Pulling from library/busybox\nab12: Pull complete\nStatus: Downloaded newer image\n"
    )


def test_on_a_terminal_every_layer_has_its_line():
    out = io.StringIO()
    display = Display(out, bars=True)

    for message in (
        {"status": "Waiting", "id": "a"},
        {"status": "Waiting", "id": "b"},
        {"status": "Done", "id": "a"},
    ):
        display.show(message)

    lines = ["\n\033[1A\r\033[2Ka: Waiting\r\033[1B", "\n\033[1A\r\033[2Kb: Waiting\r\033[1B"]
    assert out.getvalue() == "".join(lines) + "\033[2A\r\033[2Ka: Done\r\033[2B"


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({}, ""),
        ({"current": 1500}, "    1.5kB"),
        ({"current": 0, "total": 100}, f" [>{' ' * 49}]       0B/100B"),
        ({"current": 50, "total": 100}, f" [{'=' * 25}>{' ' * 24}]      50B/100B"),
        ({"current": 100, "total": 100}, f" [{'=' * 50}]     100B/100B"),
    ],
)
def test_bars_show_the_part_that_is_done(monkeypatch, detail, expected):
    monkeypatch.setattr("bridgehead.cli.progress.terminal_size", lambda: (0, 0))

    assert expected == bar(detail)


def test_an_error_in_the_middle_is_one():
    out = io.StringIO()

    with pytest.raises(CommandFailed, match=r"^no space$"):
        follow([wire([*PULL[:1], {"error": "no space", "errorDetail": {"message": "no space"}}])], out)

    assert out.getvalue() == "latest: Pulling from library/busybox\n"
