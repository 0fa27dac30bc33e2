"""Holding a container's streams: our terminal raw, its size followed, our signals passed on, all undone."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from signal import SIGWINCH, Signals

from bridgehead.cli import terminal
from bridgehead.cli.client import Client, CommandFailed, Pending, Query, Refused
from bridgehead.cli.connection import Connection
from bridgehead.cli.replies import ExitReply
from bridgehead.cli.session import Ending, Session

RESIZE_TRIES = 5
RESIZE_PAUSE_S = 0.01


def check_input(*, tty: bool, stdin: bool) -> None:
    if tty and stdin and not sys.stdin.isatty():
        raise CommandFailed("the input device is not a TTY")


@contextmanager
def held(client: Client, container: str, *, tty: bool, stdin: bool, keys: str | None) -> Iterator[Session]:
    """Attached, with our terminal raw where the container has one of its own."""
    query: Query = {"stream": 1, "stdin": stdin, "stdout": 1, "stderr": 1, "detachKeys": keys}
    connection = client.hijack(f"/containers/{container}/attach", query)
    with raw_input(connection, tty=tty, stdin=stdin):
        yield Session(connection, tty=tty, stdin=stdin, keys=keys)


@contextmanager
def raw_input(connection: Connection, *, tty: bool, stdin: bool) -> Iterator[None]:
    with ExitStack() as stack:
        stack.callback(connection.close)
        if tty and stdin and sys.stdin.isatty():
            stack.enter_context(terminal.raw(sys.stdin.fileno()))
        yield


def until_end(
    client: Client, container: str, session: Session, ending: Pending, *, tty: bool, proxy: bool
) -> int:
    """The container's exit code; 0 when the user detached."""
    with _signals(client, container, tty=tty, proxy=proxy):
        if session.hold() is Ending.DETACHED:
            return 0
        reply: ExitReply = ending.answer()
        return reply["StatusCode"]


@contextmanager
def _signals(client: Client, container: str, *, tty: bool, proxy: bool) -> Iterator[None]:
    def forward(number: int) -> None:
        with suppress(Refused):  # it may have ended in the meantime
            client.post(f"/containers/{container}/kill", query={"signal": Signals(number).name})

    if tty:
        with sized(client, f"/containers/{container}/resize"):
            yield
    elif proxy:
        with terminal.on_signals(terminal.PROXIED, forward):
            yield
    else:
        yield


@contextmanager
def sized(client: Client, path: str) -> Iterator[None]:
    """The container's terminal has the size of ours, now and whenever ours changes."""

    def follow(_number: int) -> None:
        with suppress(Refused):
            _resize(client, path)

    with terminal.on_signals((SIGWINCH,), follow):
        for attempt in range(RESIZE_TRIES):
            try:
                _resize(client, path)
                break
            except Refused:  # an exec's terminal may not be there yet
                time.sleep(RESIZE_PAUSE_S * attempt)
        yield


def _resize(client: Client, path: str) -> None:
    rows, columns = terminal.size()
    if rows and columns:
        client.post(path, query={"h": rows, "w": columns})
