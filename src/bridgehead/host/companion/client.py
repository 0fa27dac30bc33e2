"""The daemon's end of the talk: find the process or start one, ask, and wait with a bound."""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridgehead import __version__
from bridgehead.core.model.errors import HostRefused
from bridgehead.host.companion import wire
from bridgehead.host.companion.wire import Message, NotUnderstood

_START_LIMIT_S = 10.0
_ANSWER_LIMIT_S = 10.0
_PAUSE_S = 0.02
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Companion:
    """A kind of process that lives beside the daemon: how sentences call it, how it is started and met."""

    name: str
    protocol: int
    path: str
    command: tuple[str, ...]

    def __str__(self) -> str:
        return f"the {self.name} at {self.path}"


def command(room: str) -> tuple[str, ...]:
    return (sys.executable, "-P", "-X", "no_debug_ranges", "-m", f"bridgehead.host.{room}")


class Client:
    """A session with a companion. All calls raise HostRefused once it does not answer."""

    def __init__(self, connection: socket.socket, companion: Companion) -> None:
        self._socket = connection
        self._companion = companion
        self._received = bytearray()
        self.pid = 0

    def ask(self, message: Message) -> Message:
        try:
            self._socket.sendall(wire.line(message))
            answer = wire.message(self._line())
        except (OSError, NotUnderstood) as error:
            raise HostRefused(f"{self._companion} does not answer: {error}") from error
        if "error" in answer:
            raise HostRefused(f"{self._companion} refuses: {answer['error']}")
        return answer

    def alive(self) -> bool:
        """Whether the process is still there; it says nothing unasked, so only its end can be read."""
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return not poll.poll(0)

    def replaced(self, command: Sequence[str]) -> bool:
        """Whether the process became what the command says. It says yes by ending the session."""
        try:
            self._socket.sendall(wire.line({"do": "replace", "command": [*command]}))
            self._line()
        except ConnectionError:
            return True
        except OSError as error:
            raise HostRefused(f"{self._companion} does not answer: {error}") from error
        return False

    def wait_for_end(self) -> None:
        try:
            while self._socket.recv(_PIECE):
                pass
        except OSError as error:
            raise HostRefused(f"{self._companion} does not end: {error}") from error

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


def connect(companion: Companion) -> Client | None:
    """A session with the process that listens; None: there is none."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_ANSWER_LIMIT_S)
    try:
        connection.connect(companion.path)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except OSError as error:
        connection.close()
        raise HostRefused(f"cannot reach {companion}: {error}") from error
    return Client(connection, companion)


def own(companion: Companion) -> Client:
    """A session that may change things, with a process of this version, started if there is none.

    Raises:
        HostRefused: it belongs to another daemon, or cannot be started.
    """
    if client := adopt(companion):
        return client
    return _introduced(_started(companion), companion)


def adopt(companion: Companion) -> Client | None:
    """As `own`, but None where no process runs; one of another version is replaced."""
    client = connect(companion)
    if client is None or _introduce(client, companion, owner=True):
        return client
    if client.replaced([*companion.command, "--socket", companion.path]):
        client.close()
        return _introduced(connect(companion) or _started(companion), companion)
    client.ask({"do": "shutdown"})
    client.wait_for_end()
    client.close()
    return _introduced(_started(companion), companion)


def _introduced(client: Client, companion: Companion) -> Client:
    if not _introduce(client, companion, owner=True):
        client.close()
        raise HostRefused(f"{' '.join(companion.command)} starts a {companion.name} of another version")
    return client


def look(companion: Companion) -> Client | None:
    """A session that changes nothing; None: no process of this version answers."""
    client = connect(companion)
    if client is not None and not _introduce(client, companion, owner=False):
        client.close()
        return None
    return client


def _introduce(client: Client, companion: Companion, *, owner: bool) -> bool:
    """Whether it is of our own version."""
    try:
        hello = client.ask({"do": "hello", "own": owner})
        client.pid = wire.number(hello.get("pid"))
    except (HostRefused, NotUnderstood):
        client.close()
        raise
    return hello.get("protocol") == companion.protocol and hello.get("package") == __version__


def _started(companion: Companion) -> Client:
    _start(companion)
    # Another daemon may be starting one at this very moment: its lock is held before it listens.
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline:
        client = connect(companion)
        if client is not None:
            return client
        time.sleep(_PAUSE_S)
    raise HostRefused(f"no {companion.name} listens at {companion.path}: see {_log(companion)}")


def _start(companion: Companion) -> None:
    """Run the command, which ends when the process it leaves behind listens."""
    Path(companion.path).parent.mkdir(parents=True, exist_ok=True)
    log = os.open(_log(companion), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        subprocess.run(
            [*companion.command, "--socket", companion.path],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            timeout=_START_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostRefused(f"cannot start the {companion.name}: {error}") from error
    finally:
        os.close(log)


def _log(companion: Companion) -> str:
    return f"{companion.path}.log"
