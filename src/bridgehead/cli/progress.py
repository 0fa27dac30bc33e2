"""What the daemon says while it pulls, pushes or loads: bars on a terminal, plain lines elsewhere."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO, TypedDict

from bridgehead.cli.client import CommandFailed
from bridgehead.cli.format import size
from bridgehead.cli.terminal import size as terminal_size

BAR = 50
NARROW = 110


class Detail(TypedDict, total=False):
    current: int
    total: int


class Message(TypedDict, total=False):
    id: str
    status: str
    stream: str
    error: str
    progressDetail: Detail
    aux: dict[str, object]


def messages(pieces: Iterable[bytes]) -> Iterator[Message]:
    """One by one, as they come.

    Raises:
        CommandFailed: the daemon reports an error after it had begun to answer.
    """
    unread = b""
    for piece in pieces:
        *lines, unread = (unread + piece).split(b"\n")
        for line in filter(bytes.strip, lines):
            yield _checked(json.loads(line))
    if unread.strip():
        yield _checked(json.loads(unread))


def _checked(message: Message) -> Message:
    if "error" in message:
        raise CommandFailed(message["error"])
    return message


def follow(pieces: Iterable[bytes], out: TextIO | None = None, *, quiet: bool = False) -> None:
    """Show it all, on stdout unless `out` is another stream; only read it to its end when `quiet`."""
    sink = out or sys.stdout
    display = Display(sink, bars=sink.isatty())
    for message in messages(pieces):
        if not quiet:
            display.show(message)


class Display:
    """Every layer has a line of its own, which is written anew as it comes on."""

    def __init__(self, out: TextIO, *, bars: bool) -> None:
        self._out, self._bars = out, bars
        self._lines: dict[str, int] = {}

    def show(self, message: Message) -> None:
        detail = message.get("progressDetail") or {}
        if "stream" in message:
            self._out.write(message["stream"])
        elif not message.get("status"):
            return
        elif self._bars and message.get("id"):
            self._rewrite(message["id"], f"{line(message)}{bar(detail)}")
        elif not (detail.get("current") or detail.get("total")):
            self._lines.clear()
            self._out.write(f"{line(message)}\n")
        self._out.flush()

    def _rewrite(self, layer: str, text: str) -> None:
        if layer not in self._lines:
            self._lines[layer] = len(self._lines)
            self._out.write("\n")
        up = len(self._lines) - self._lines[layer]
        self._out.write(f"\033[{up}A\r\033[2K{text}\r\033[{up}B")


def line(message: Message) -> str:
    layer = message.get("id")
    return f"{layer}: {message['status']}" if layer else message["status"]


def bar(detail: Detail) -> str:
    """`[====>   ]  1.2MB/3.4MB`; without a total, only how much it is."""
    current, total = detail.get("current", 0), detail.get("total", 0)
    if not current and not total:
        return ""
    if not total:
        return f" {size(current, 4):>8}"
    amounts = f" {size(current, 4):>8}/{size(total, 4)}"
    columns = terminal_size()[1]
    if columns and columns < NARROW:
        return amounts
    done = min(BAR * current // total, BAR)
    head = ">" if done < BAR else ""
    return f" [{'=' * done}{head}{' ' * (BAR - done - len(head))}]{amounts}"
