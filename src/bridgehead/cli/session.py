"""A container's standard streams joined to our own, on a hijacked connection.

Input has a thread of its own, because the two directions must not wait for each other: a container that
echoes a large input stops reading until its output is taken. Signals reach the main thread, between reads.
"""

import os
import socket
import sys
from contextlib import closing, suppress
from enum import Enum

from bridgehead.cli.connection import PIECE, Connection
from bridgehead.cli.framing import DEFAULT_DETACH_KEYS, STDERR, Demultiplexer, DetachKeys


class Ending(Enum):
    FINISHED = "finished"
    DETACHED = "detached"


class Session:
    def __init__(self, connection: Connection, *, tty: bool, stdin: bool, keys: str | None) -> None:
        words = DEFAULT_DETACH_KEYS if keys is None else keys
        self._keys = DetachKeys(words if tty else "")
        self._connection = connection
        self._output = Output(tty=tty)
        self._stdin = stdin
        self._ending = Ending.FINISHED

    def hold(self) -> Ending:
        """Until the container's output ends, or the user types the detach keys."""
        with closing(self._connection):
            if self._stdin:
                from threading import Thread

                Thread(target=self._feed_input, daemon=True).start()
            while piece := self._connection.receive():
                self._output.write(piece)
        return self._ending

    def _feed_input(self) -> None:
        wire = self._connection.socket
        with suppress(OSError):  # the container ended first
            while typed := _read(sys.stdin.fileno()):
                passed, detached = self._keys.feed(typed)
                wire.sendall(passed)
                if detached:
                    self._ending = Ending.DETACHED
                    wire.shutdown(socket.SHUT_RDWR)
                    return
            wire.shutdown(socket.SHUT_WR)


class Output:
    """Where a container's output goes: frames to stdout or stderr, a terminal's one stream to stdout."""

    def __init__(self, *, tty: bool) -> None:
        self._frames = None if tty else Demultiplexer()

    def write(self, piece: bytes) -> None:
        if self._frames is None:
            _write(sys.stdout.fileno(), piece)
            return
        for stream, part in self._frames.feed(piece):
            _write((sys.stderr if stream == STDERR else sys.stdout).fileno(), part)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, PIECE)
    except OSError:  # the terminal was hung up: for the container, the end of its input
        return b""


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
