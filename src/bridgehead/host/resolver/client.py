"""The daemon's end of the talk: find the resolver process or start one, ask, and wait with a bound."""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bridgehead import __version__
from bridgehead.core.model.errors import HostRefused
from bridgehead.host.resolver import wire
from bridgehead.host.resolver.wire import Message, NotUnderstood

COMMAND = (sys.executable, "-P", "-X", "no_debug_ranges", "-m", "bridgehead.host.resolver")

_START_LIMIT_S = 10.0
_ANSWER_LIMIT_S = 10.0
_PAUSE_S = 0.02
_PIECE = 1 << 20


class Client:
    """A session with the resolver at `path`. All calls raise HostRefused once it does not answer."""

    def __init__(self, connection: socket.socket, path: str) -> None:
        self._socket = connection
        self._path = path
        self._received = bytearray()
        self.pid = 0

    def ask(self, message: Message) -> Message:
        try:
            self._socket.sendall(wire.line(message))
            answer = wire.message(self._line())
        except (OSError, NotUnderstood) as error:
            raise HostRefused(f"the resolver at {self._path} does not answer: {error}") from error
        if "error" in answer:
            raise HostRefused(f"the resolver at {self._path} refuses: {answer['error']}")
        return answer

    def alive(self) -> bool:
        """Whether the process is still there; it says nothing unasked, so only its end can be read."""
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return not poll.poll(0)

    def wait_for_end(self) -> None:
        try:
            while self._socket.recv(_PIECE):
                pass
        except OSError as error:
            raise HostRefused(f"the resolver at {self._path} does not end: {error}") from error

    def close(self) -> None:
        self._socket.close()

    def _line(self) -> bytes:
        while (end := self._received.find(b"\n")) < 0:
            data = self._socket.recv(_PIECE)
            if not data:
                raise ConnectionResetError("it has ended")
            self._received += data
        answer = bytes(self._received[:end])
        del self._received[: end + 1]
        return answer


def connect(path: str) -> Client | None:
    """A session with the resolver that listens at `path`; None: there is none."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_ANSWER_LIMIT_S)
    try:
        connection.connect(path)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except OSError as error:
        connection.close()
        raise HostRefused(f"cannot reach the resolver at {path}: {error}") from error
    return Client(connection, path)


def own(path: str, command: Sequence[str]) -> Client:
    """A session that may change things, with a resolver of this version, started if there is none.

    Raises:
        HostRefused: it belongs to another daemon, or cannot be started.
    """
    if client := adopt(path, command):
        return client
    return _introduced(_started(path, command), command)


def adopt(path: str, command: Sequence[str]) -> Client | None:
    """As `own`, but None where no resolver runs; one of another version is replaced."""
    client = connect(path)
    if client is None or _introduce(client, owner=True):
        return client
    client.ask({"do": "shutdown"})
    client.wait_for_end()
    client.close()
    return _introduced(_started(path, command), command)


def _introduced(client: Client, command: Sequence[str]) -> Client:
    if not _introduce(client, owner=True):
        client.close()
        raise HostRefused(f"{' '.join(command)} starts a resolver of another version")
    return client


def look(path: str) -> Client | None:
    """A session that changes nothing; None: no resolver of this version answers."""
    client = connect(path)
    if client is not None and not _introduce(client, owner=False):
        client.close()
        return None
    return client


def _introduce(client: Client, *, owner: bool) -> bool:
    """Whether it is of our own version."""
    try:
        hello = client.ask({"do": "hello", "own": owner})
        client.pid = wire.number(hello.get("pid"))
    except (HostRefused, NotUnderstood):
        client.close()
        raise
    return hello.get("protocol") == wire.PROTOCOL and hello.get("package") == __version__


def _started(path: str, command: Sequence[str]) -> Client:
    _start(path, command)
    # Another daemon may be starting one at this very moment: its lock is held before it listens.
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline:
        client = connect(path)
        if client is not None:
            return client
        time.sleep(_PAUSE_S)
    raise HostRefused(f"no resolver listens at {path}: see {_log(path)}")


def _start(path: str, command: Sequence[str]) -> None:
    """Run the command, which ends when the resolver it leaves behind listens."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    log = os.open(_log(path), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        subprocess.run(
            [*command, "--socket", path],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            timeout=_START_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostRefused(f"cannot start the resolver: {error}") from error
    finally:
        os.close(log)


def _log(path: str) -> str:
    return f"{path}.log"
