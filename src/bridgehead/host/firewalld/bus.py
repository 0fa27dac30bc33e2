"""The machine's message bus: one connection, one call at a time. Blocks, but never for long."""

import os
import socket
from typing import Any, Self

from bridgehead.core.model.errors import HostRefused
from bridgehead.host.firewalld.messages import ANSWER, HEAD_LENGTH, REFUSAL, Message, call, parse, rest_of

_USUAL = "unix:path=/run/dbus/system_bus_socket"
_BUS, _BUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"
_LIMIT_S = 5.0


class Refused(Exception):
    """Whom we called said no; `reason` is the sentence."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason or name)
        self.name, self.reason = name, reason


class Bus:
    """A context manager."""

    def __init__(self) -> None:
        """
        Raises:
            HostRefused: there is no bus, or it does not answer.
        """
        self._serial = 0
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._channel.settimeout(_LIMIT_S)
        try:
            self._enter()
        except OSError as error:
            self._channel.close()
            raise HostRefused(f"the system bus cannot be reached: {error}") from error
        except (HostRefused, Refused):
            self._channel.close()
            raise

    def _enter(self) -> None:
        self._channel.connect(_path())
        user = str(os.geteuid()).encode().hex()
        self._channel.sendall(f"\0AUTH EXTERNAL {user}\r\n".encode())
        if not self._channel.recv(256).startswith(b"OK "):
            raise HostRefused("the system bus does not let us in")
        self._channel.sendall(b"BEGIN\r\n")
        self.ask("Hello")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def ask(self, member: str, *strings: str) -> Any:
        """A question to the bus itself."""
        return self.call(_BUS, _BUS_PATH, (_BUS, member), *strings)

    def call(self, destination: str, path: str, method: tuple[str, str], *strings: str) -> Any:
        """The first value of the answer, None if it has none.

        Raises:
            Refused: whom we called said no, or is not there.
            HostRefused: no answer.
        """
        self._serial += 1
        try:
            self._channel.sendall(call(self._serial, destination, path, method, strings))
            answer = self._answer()
        except (OSError, ValueError) as error:
            raise HostRefused(f"no answer from {destination}: {error}") from error
        if answer.kind == REFUSAL:
            raise Refused(answer.error, str(answer.values[0]) if answer.values else "")
        return answer.values[0] if answer.values else None

    def _answer(self) -> Message:
        while True:
            head = self._exactly(HEAD_LENGTH)
            message = parse(head + self._exactly(rest_of(head)))
            if message.kind in {ANSWER, REFUSAL} and message.reply_to == self._serial:
                return message

    def _exactly(self, length: int) -> bytes:
        raw = b""
        while len(raw) < length:
            piece = self._channel.recv(length - len(raw))
            if not piece:
                raise ConnectionResetError("the bus hung up")
            raw += piece
        return raw


def _path() -> str:
    """Of the addresses that the environment names, the first that is a path."""
    addresses = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", _USUAL).split(";")
    paths = (item.removeprefix("unix:path=") for item in addresses if item.startswith("unix:path="))
    return next(paths, _USUAL.removeprefix("unix:path=")).partition(",")[0]
