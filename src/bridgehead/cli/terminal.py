"""Our own terminal and signals, each changed for a while and always put back."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

PROXIED = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCONT,
)
FATAL = (signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal that would have killed us without giving the terminal back."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def is_terminal(descriptor: int) -> bool:
    from os import isatty

    return isatty(descriptor)


@contextmanager
def raw(descriptor: int) -> Iterator[None]:
    """Every key goes to the container; the line editing, echo and signal keys are its own terminal's."""
    import termios
    import tty

    before = termios.tcgetattr(descriptor)
    with on_signals(FATAL, _interrupt):
        try:
            tty.setraw(descriptor, termios.TCSADRAIN)
            yield
        finally:
            with suppress(termios.error):  # the terminal itself may be gone
                termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _interrupt(number: int) -> None:
    raise Interrupted(number)


def size() -> tuple[int, int]:
    """Rows and columns of the terminal on stdout, else stdin; (0, 0) when neither is one."""
    import os

    for descriptor in (sys.stdout.fileno(), sys.stdin.fileno()):
        with suppress(OSError):
            dimensions = os.get_terminal_size(descriptor)
            return dimensions.lines, dimensions.columns
    return 0, 0


@contextmanager
def on_signals(numbers: tuple[signal.Signals, ...], act: Callable[[int], None]) -> Iterator[None]:
    def caught(number: int, _frame: FrameType | None) -> None:
        act(number)

    before = {number: signal.signal(number, caught) for number in numbers}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
