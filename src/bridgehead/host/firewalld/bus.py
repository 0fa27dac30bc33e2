"""The machine's message bus: one connection, one call at a time. Blocks, but never for long."""

from typing import Any, Self

from jeepney import DBusAddress, Message, MessageFlag, new_method_call  # type: ignore[import-untyped]
from jeepney.bus import get_bus  # type: ignore[import-untyped]
from jeepney.io.blocking import DBusConnection, prep_socket  # type: ignore[import-untyped]
from jeepney.wrappers import DBusErrorResponse, unwrap_msg  # type: ignore[import-untyped]

from bridgehead.core.model.errors import HostRefused

_BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
_LIMIT_S = 5.0


class Refused(Exception):
    """Whom we called said no; `reason` is the sentence."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason or name)
        self.name, self.reason = name, reason


class _Connection(DBusConnection):  # type: ignore[misc]
    """Its first question, which the library asks, is not waited for longer than the others."""

    def send_and_get_reply(self, message: Message, *, timeout: float | None = None) -> Message:
        return super().send_and_get_reply(message, timeout=timeout or _LIMIT_S)


class Bus:
    """A context manager."""

    def __init__(self) -> None:
        """
        Raises:
            HostRefused: there is no bus, or it does not answer.
        """
        try:
            channel = prep_socket(get_bus("SYSTEM"), timeout=_LIMIT_S)
        except (OSError, ValueError, RuntimeError) as error:
            raise HostRefused(f"the system bus cannot be reached: {error}") from error
        try:
            self._connection = _Connection(channel)
        except (OSError, ValueError, DBusErrorResponse) as error:
            channel.close()
            raise HostRefused(f"the system bus does not let us in: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, member: str, *strings: str) -> Any:
        """A question to the bus itself."""
        return self.call(_BUS, member, *strings)

    def call(self, address: DBusAddress, member: str, *strings: str) -> Any:
        """The first value of the answer, None if it has none.

        Raises:
            Refused: whom we called said no, or is not there.
            HostRefused: no answer.
        """
        question = new_method_call(address, member, "s" * len(strings) or None, strings)
        question.header.flags = MessageFlag.no_auto_start  # nobody is to be started by being asked
        try:
            values = unwrap_msg(self._connection.send_and_get_reply(question))
        except DBusErrorResponse as error:
            raise Refused(error.name, str(error.data[0]) if error.data else "") from error
        except (OSError, ValueError) as error:
            raise HostRefused(f"no answer from {address.bus_name}: {error}") from error
        return values[0] if values else None
