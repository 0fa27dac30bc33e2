"""TLS in front of the API, with directions that end independently.

asyncio's own TLS closes the whole connection when the client has no more to say, which is the end of
`echo x | docker run -i`. Here TLS is spoken in memory, and what is inside goes through a pair of unix sockets
to the server that also serves the unix socket: there the end of input is an end of input. A client's
close_notify is that end; a connection that breaks off without one is a client that is gone.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from bridgehead.api.hangup import Hangup
from bridgehead.core.model.errors import InvalidParameter

log = logging.getLogger(__name__)

_PIECE = 65536
_HANDSHAKE_S = 10.0
_LINGER_S = 2.0
_MOST_CONNECTIONS = 1024
_REST_S = 1.0  # after the kernel refused to accept a connection

_PLAIN_HTTP = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files. `authority` is '' where clients need no certificate."""

    certificate: str
    key: str
    authority: str = ""


def context(files: TlsFiles) -> ssl.SSLContext:
    """What the files say, read now.

    Raises:
        InvalidParameter: one of them is missing, makes no sense, or does not fit another.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    # A resumed session would be one that the authority of today has not judged.
    made.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    made.num_tickets = 0
    try:
        made.load_cert_chain(files.certificate, files.key, password=_no_password)
    except (OSError, ValueError) as error:
        raise InvalidParameter(
            f'Could not load X509 key pair (cert: "{files.certificate}", key: "{files.key}"): '
            f"{_reason(error)}. Make sure the key is not encrypted"
        ) from error
    if files.authority:
        made.verify_mode = ssl.CERT_REQUIRED
        try:
            made.load_verify_locations(files.authority)
        except (OSError, ValueError) as error:
            raise InvalidParameter(
                f'Could not read CA certificate "{files.authority}": {_reason(error)}'
            ) from error
    return made


def _no_password() -> str:
    """Else OpenSSL would ask at the terminal."""
    return ""


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "it holds nothing of the kind").lower().replace("_", " ")
    return getattr(error, "strerror", "") or str(error)


class Front:
    """Accepts on `listening`, which is closed with it. Clients meet the `context` of the moment they come."""

    def __init__(
        self, listening: socket.socket, secure: ssl.SSLContext, serve: Callable[[], asyncio.BaseProtocol]
    ) -> None:
        self.context = secure
        self._listening = listening
        self._serve = serve
        self._room = asyncio.Semaphore(_MOST_CONNECTIONS)
        self._connections: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.create_task(self._accept())

    def stop_accepting(self) -> None:
        self._accepting.cancel()
        self._accepting.add_done_callback(lambda _: self._listening.close())

    async def close(self) -> None:
        self.stop_accepting()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(self._accepting, *self._connections, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            try:
                client, address = await loop.sock_accept(self._listening)
            except OSError as error:
                self._room.release()
                log.warning("cannot accept connections: %s", error.strerror)
                await asyncio.sleep(_REST_S)
                continue
            connection = asyncio.create_task(self._meet(client, address[0]))
            self._connections.add(connection)
            connection.add_done_callback(self._forget)

    def _forget(self, connection: asyncio.Task[None]) -> None:
        self._connections.discard(connection)
        self._room.release()

    async def _meet(self, client: socket.socket, address: str) -> None:
        with client:
            session = Session(client, self.context)
            try:
                async with asyncio.timeout(_HANDSHAKE_S):
                    await session.handshake()
            except (OSError, TimeoutError) as error:
                # ssl.SSLError is an OSError: what a client got wrong is its own trouble, but worth a line.
                log.info("TLS handshake error from %s: %s", address, str(error) or "it took too long")
                with contextlib.suppress(OSError):
                    await session.leave()
                return
            with contextlib.suppress(OSError):
                await self._carry(client, session)

    async def _carry(self, client: socket.socket, session: "Session") -> None:
        near, far = socket.socketpair()
        with near:
            near.setblocking(False)
            try:
                await asyncio.get_running_loop().connect_accepted_socket(self._serve, far)
            except BaseException:
                far.close()
                raise
            inward = asyncio.create_task(_inward(client, session, near))
            outward = asyncio.create_task(_outward(session, near))
            try:
                await asyncio.wait({inward, outward}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                inward.cancel()
                outward.cancel()
                await asyncio.gather(inward, outward, return_exceptions=True)
        await session.close()


async def _inward(client: socket.socket, session: "Session", near: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while data := await session.read():
        await loop.sock_sendall(near, data)
    near.shutdown(socket.SHUT_WR)
    gone = asyncio.Event()
    watch = Hangup(client, gone.set)
    try:
        await gone.wait()
    finally:
        watch.close()


async def _outward(session: "Session", near: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(near, _PIECE):
        await session.write(data)


class Session:
    """TLS over one connected, non-blocking socket. One task may read while another writes."""

    def __init__(self, client: socket.socket, secure: ssl.SSLContext) -> None:
        self._client = client
        self._client.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._received, self._unsent = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = secure.wrap_bio(self._received, self._unsent, server_side=True)
        self._sending = asyncio.Lock()

    async def handshake(self) -> None:
        """
        Raises:
            OSError: the client went away, has no certificate we trust, or does not speak TLS.
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._receive()
            except ssl.SSLError as error:
                if error.reason == "HTTP_REQUEST":
                    await self._loop.sock_sendall(self._client, _PLAIN_HTTP)
                await self._flush()  # the alert that tells the client why
                raise
            else:
                await self._flush()
                return

    async def read(self) -> bytes:
        """What the client said; b'' once it has no more to say.

        Raises:
            OSError: the connection broke off.
        """
        while True:
            try:
                return self._tls.read(_PIECE)
            except ssl.SSLWantReadError:
                await self._flush()
                await self._receive()
            except ssl.SSLZeroReturnError:
                return b""

    async def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view) :]
        await self._flush()

    async def close(self) -> None:
        """Say goodbye, and leave."""
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        await self.leave()

    async def leave(self) -> None:
        """Wait a moment for the client to hear all of it: a socket closed on unread words takes ours back."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                await self._flush()
                self._client.shutdown(socket.SHUT_WR)
                while await self._loop.sock_recv(self._client, _PIECE):
                    pass

    async def _receive(self) -> None:
        data = await self._loop.sock_recv(self._client, _PIECE)
        if not data:
            raise ConnectionResetError("the connection broke off")
        self._received.write(data)

    async def _flush(self) -> None:
        async with self._sending:
            while data := self._unsent.read():
                await self._loop.sock_sendall(self._client, data)
