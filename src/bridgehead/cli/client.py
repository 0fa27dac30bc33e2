"""The Engine API as the command line sees it: paths, JSON, and errors as one exception.

Every request has a connection of its own, so that a `wait` can be open while a `start` is sent. Answers are
the API's own JSON; `replies` names the parts the commands read.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from bridgehead.cli.connection import BrokenAnswer, Connection, Head

DEFAULT_HOST = "unix:///run/bridgehead/bridgehead.sock"
API_VERSION = os.environ.get("DOCKER_API_VERSION") or "1.48"
SWITCHING_PROTOCOLS = 101
OK = 200
NOT_MODIFIED = 304
NOT_FOUND = 404
UNAVAILABLE = 503
ERRORS = 400

Body = Mapping[str, object]
Query = Mapping[str, str | int | Sequence[str] | None]


class CommandFailed(Exception):
    """What the user reads on stderr; `code` becomes the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Refused(CommandFailed):
    """The daemon answered with an error."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(f"Error response from daemon: {sentence}")
        self.status = status
        self.sentence = sentence


def reason(error: OSError) -> str:
    """As Go has it: `no such file or directory`."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


class Pending:
    """A request that was sent; its answer is read when it is wanted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def answer(self) -> Any:
        with closing(self._connection):
            return _json(self._connection, _accepted(self._connection))


class Client:
    def __init__(self, host: str) -> None:
        self.host = host
        self._path = _socket_path(host)

    def get(self, path: str, query: Query | None = None) -> Any:
        return self.send("GET", path, query).answer()

    def post(self, path: str, body: Body | None = None, query: Query | None = None) -> Any:
        return self.send("POST", path, query, body).answer()

    def delete(self, path: str, query: Query | None = None) -> Any:
        return self.send("DELETE", path, query).answer()

    def send(self, method: str, path: str, query: Query | None = None, body: Body | None = None) -> Pending:
        return Pending(self._request(method, path, query, body, {"Connection": "close"}))

    def stream(
        self,
        path: str,
        query: Query | None = None,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[bytes]:
        """The answer, piece by piece, for as long as the daemon goes on."""
        connection = self._request(method, path, query, None, {"Connection": "close", **(headers or {})})
        return connection.body(_accepted(connection))

    def head(self, path: str, query: Query) -> Mapping[str, str]:
        """The answer's headers, by their names in small letters."""
        connection = self._request("HEAD", path, query, None, {"Connection": "close"})
        with closing(connection):
            head = connection.head()
            if head.status >= ERRORS:
                raise Refused(head.status, "")
            return head.headers

    def upload(
        self, path: str, pieces: Iterable[bytes], query: Query, *, method: str = "POST"
    ) -> Iterator[bytes]:
        """Send a body of unknown length; the answer, piece by piece."""
        connection = self._connect()
        headers = {"Content-Type": "application/x-tar", "Connection": "close"}
        connection.send(method, _target(path, query), headers, pieces)
        return connection.body(_accepted(connection))

    def hijack(self, path: str, query: Query | None = None, body: Body | None = None) -> Connection:
        """A connection that carries standard streams from here on; the caller closes it."""
        upgrade = {"Connection": "Upgrade", "Upgrade": "tcp"}
        connection = self._request("POST", path, query, body, upgrade)
        head = _accepted(connection)
        if head.status not in {SWITCHING_PROTOCOLS, OK}:
            connection.close()
            raise CommandFailed(f"the daemon did not open a stream (status {head.status})")
        return connection

    def _request(
        self, method: str, path: str, query: Query | None, body: Body | None, headers: Mapping[str, str]
    ) -> Connection:
        connection = self._connect()
        kind = {} if body is None else {"Content-Type": "application/json"}
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        connection.send(method, _target(path, query), {**headers, **kind}, content)
        return connection

    def _connect(self) -> Connection:
        try:
            return Connection(self._path)
        except OSError as error:
            raise CommandFailed(
                f"Cannot connect to the bridgehead daemon at {self.host} ({error.strerror}). Is it running?"
            ) from error


def _socket_path(host: str) -> str:
    scheme, separator, path = host.partition("://")
    if not separator:
        return host
    if scheme != "unix":
        raise CommandFailed(f"cannot reach {host}: only unix:// sockets are supported")
    return path


def _target(path: str, query: Query | None) -> str:
    from urllib.parse import quote, urlencode

    said = {name: int(value) if isinstance(value, bool) else value for name, value in (query or {}).items()}
    words = urlencode({name: value for name, value in said.items() if value is not None}, doseq=True)
    return f"/v{API_VERSION}{quote(path, safe='/:@')}" + (f"?{words}" if words else "")


def _accepted(connection: Connection) -> Head:
    try:
        head = connection.head()
        if head.status < ERRORS:
            return head
        body = b"".join(connection.body(head))
    except (BrokenAnswer, OSError) as error:
        raise CommandFailed(f"error during connect: {error}") from error
    raise Refused(head.status, _sentence(body))


def _sentence(body: bytes) -> str:
    try:
        reply = json.loads(body)
    except ValueError:
        return body.decode(errors="replace").strip()
    return str(reply.get("message", reply)) if isinstance(reply, dict) else str(reply)


def _json(connection: Connection, head: Head) -> Any:
    if head.status == NOT_MODIFIED:
        return None
    try:
        body = b"".join(connection.body(head)).strip()
        return json.loads(body) if body.startswith((b"{", b"[", b"null")) else None
    except (BrokenAnswer, OSError, ValueError) as error:
        raise CommandFailed(f"the daemon's answer broke off: {error}") from error


def pairs(words: Iterable[str]) -> Mapping[str, str]:
    """`key=value` words as a map; a word without '=' is a key with nothing."""
    return {key: value for key, _, value in (word.partition("=") for word in words)}


def platform(text: str | None) -> str | None:
    """`linux/arm/v7` as the API's JSON."""
    if not text:
        return None
    parts = dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))
    return json.dumps(parts, separators=(",", ":"))


def filters(words: Iterable[str]) -> str | None:
    """`key=value` words as the API's JSON; None when there are none."""
    wanted: dict[str, list[str]] = {}
    for word in words:
        key, separator, value = word.partition("=")
        if not separator:
            raise CommandFailed(f'invalid argument "{word}" for "-f, --filter" flag: bad format of filter')
        wanted.setdefault(key.strip().lower(), []).append(value.strip())
    return json.dumps(wanted) if wanted else None
