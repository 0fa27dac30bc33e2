"""The process's ear for the daemon: one session may change things, any may look, with none it serves on."""

import os
import socket
import struct
from collections.abc import Callable
from typing import Protocol

from bridgehead import __version__
from bridgehead.host.companion import wire
from bridgehead.host.companion.channel import Channel
from bridgehead.host.companion.loop import Loop
from bridgehead.host.companion.wire import Json, Message, NotUnderstood

_LONGEST_LINE = 64 << 20
_BACKLOG = 256 << 20
_CREDENTIALS = struct.Struct("3i")


class Service(Protocol):
    """What the process is there for. `protocol` is the version of its part of the talk."""

    protocol: int

    @property
    def serving(self) -> bool:
        """Whether anything would end with it."""
        ...

    def observe(self) -> Message: ...

    def change(self, change: Json) -> Json:
        """Why it failed, or None."""
        ...

    def hand_over(self) -> Json:
        """What a successor in this very process needs to go on; what it names by descriptor stays open."""
        ...


Replace = Callable[[list[str]], object]


class Control:
    """`linger_s`: how long a process that serves nobody waits for a daemon before it ends.

    `replace` turns the process into what a command says, and does not return.
    """

    def __init__(
        self, loop: Loop, listening: socket.socket, service: Service, linger_s: float, replace: Replace
    ) -> None:
        self._loop = loop
        self._socket = listening
        self._linger_s = linger_s
        self._sessions: set[Session] = set()
        self.service = service
        self.replace = replace
        self.owner: Session | None = None
        listening.setblocking(False)
        loop.watch(listening.fileno(), self._accept)
        loop.later(linger_s, self._end_if_useless)

    def run(self) -> None:
        """Serve until nobody needs it or somebody says so; then no new session is let in."""
        self._loop.run()
        self._loop.forget(self._socket.fileno())
        self._socket.close()

    def over(self, session: "Session") -> None:
        self._sessions.discard(session)
        if self.owner is session:
            self.owner = None
        # What is held comes and goes with sessions only, so this is the one moment to look.
        self._loop.later(self._linger_s, self._end_if_useless)

    def shut_down(self) -> None:
        self._loop.stop()

    def _accept(self, _events: int) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return
        self._sessions.add(Session(self._loop, connection, self))

    def _end_if_useless(self) -> None:
        if not self._sessions and not self.service.serving:
            self._loop.stop()


class Session:
    def __init__(self, loop: Loop, connection: socket.socket, control: Control) -> None:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        self.pid: int = _CREDENTIALS.unpack(credentials)[0]
        self._control = control
        self._partial = bytearray()
        self._channel = Channel(
            loop, connection, received=self._received, ended=self._close, backlog=_BACKLOG
        )

    def _received(self, data: bytes) -> None:
        self._partial += data
        if b"\n" not in data:
            if len(self._partial) > _LONGEST_LINE:
                self._close()
            return
        *lines, rest = self._partial.split(b"\n")
        self._partial = rest
        for text in lines:
            if self._channel.open:
                self._channel.send(wire.line(self._answer(bytes(text))))

    def _answer(self, text: bytes) -> Message:
        try:
            message = wire.message(text)
            return self._verbs()[wire.text(message.get("do"))](message)
        except NotUnderstood as error:
            return {"error": str(error)}
        except KeyError as error:
            return {"error": f"unknown request {error}"}

    def _verbs(self) -> dict[str, Callable[[Message], Message]]:
        return {
            "hello": self._hello,
            "observe": lambda _: self._control.service.observe(),
            "apply": self._apply,
            "shutdown": self._shut_down,
            "replace": self._replace,
        }

    def _hello(self, message: Message) -> Message:
        owner = self._control.owner
        if message.get("own"):
            if owner is not None and owner is not self:
                return {"error": f"process {owner.pid} feeds it already"}
            self._control.owner = self
        return {"protocol": self._control.service.protocol, "package": __version__, "pid": os.getpid()}

    def _apply(self, message: Message) -> Message:
        if self._control.owner is not self:
            return {"error": "only the daemon that owns this process may change it"}
        change = self._control.service.change
        return {"results": [change(item) for item in wire.items(message.get("changes"))]}

    def _shut_down(self, _message: Message) -> Message:
        if self._control.owner not in {None, self}:
            return {"error": "only the daemon that owns this process may end it"}
        self._control.shut_down()
        return {}

    def _replace(self, message: Message) -> Message:
        if self._control.owner is not self:
            return {"error": "only the daemon that owns this process may replace it"}
        try:
            self._control.replace([*wire.texts(message.get("command"))])
        except OSError as error:
            return {"error": f"it cannot become another: {error}"}
        return {}

    def _close(self) -> None:
        self._channel.close()
        self._control.over(self)
