"""HTTP to one plugin, bounded in everything. What can go wrong is told by how far the question got."""

import asyncio
import errno
import ssl
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from bridgehead.host.plugin.limits import Limits
from bridgehead.host.plugin.location import TLS, Location

_HEADERS = {"Accept": "application/vnd.docker.plugins.v1.2+json", "User-Agent": "bridgehead"}
_NOT_SENT = ("Accept-Encoding", "Content-Type")  # aiohttp would; engines do not
_MOST_CONNECTIONS = 16
_PORT = 80


class Unsent(Exception):
    """Nothing of the question reached the plugin. `lasting`: trying again at once is of no use."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


class Lost(Exception):
    """The plugin may have read the question, but its answer did not come or not all of it."""


class Garbled(Exception):
    """What came is not HTTP, or too much of it."""


class Line:
    """Connections to one plugin, opened when needed and kept for a while."""

    def __init__(self, location: Location, session: aiohttp.ClientSession, limits: Limits) -> None:
        self._location = location
        self._session = session
        self._limits = limits
        self._users = 0
        self._retired = False

    @classmethod
    async def open(cls, location: Location, limits: Limits) -> Self:
        """Connects to nobody yet.

        Raises:
            Unsent: the files for TLS cannot be used.
        """
        connector: aiohttp.BaseConnector
        if location.socket is not None:
            connector = aiohttp.UnixConnector(
                location.socket, limit=_MOST_CONNECTIONS, keepalive_timeout=limits.idle_s
            )
        else:
            context = await asyncio.to_thread(_context, location.tls) if location.tls else False
            connector = aiohttp.TCPConnector(
                ssl=context, limit=_MOST_CONNECTIONS, keepalive_timeout=limits.idle_s
            )
        session = aiohttp.ClientSession(
            connector=connector,
            headers=_HEADERS,
            skip_auto_headers=_NOT_SENT,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_s),
        )
        return cls(location, session, limits)

    async def reach(self) -> None:
        """Make sure that somebody listens, and say nothing. Behind TLS nobody is asked: that would end in a
        broken handshake there.

        Raises:
            Unsent: nobody does.
        """
        if self._location.tls is not None:
            return
        try:
            async with asyncio.timeout(self._limits.connect_s):
                if self._location.socket is not None:
                    _, writer = await asyncio.open_unix_connection(self._location.socket)
                else:
                    url = urlsplit(self._location.url)
                    _, writer = await asyncio.open_connection(url.hostname, url.port or _PORT)
        except OSError as error:
            raise Unsent(_reason(error)) from error
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def post(self, method: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Redirections are answers like any other.

        Raises:
            Unsent, Lost, Garbled
        """
        self._users += 1
        try:
            return await self._post(method, body)
        except aiohttp.ClientSSLError as error:
            raise Unsent(str(error), lasting=True) from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unsent(_reason(error)) from error
        except aiohttp.ClientOSError as error:
            kind = Unsent if error.errno == errno.ENOTCONN else Lost
            raise kind(_reason(error)) from error
        except aiohttp.ClientPayloadError as error:
            raise Lost("it broke off its answer") from error
        except aiohttp.ServerDisconnectedError as error:
            raise Lost("it closed the connection without an answer") from error
        except aiohttp.ClientResponseError as error:
            raise Garbled(
                f"the answer is no HTTP: {error.message.splitlines()[0] or error.status}"
            ) from error
        except aiohttp.ClientError as error:
            raise Lost(str(error) or type(error).__name__) from error
        finally:
            self._users -= 1
            if self._retired and not self._users:
                await self._session.close()

    async def _post(self, method: str, body: bytes) -> tuple[int, bytes]:
        url = f"{self._location.url}/{method}"
        async with self._session.post(url, data=body or None, allow_redirects=False) as response:
            answer = bytearray()
            while piece := await response.content.readany():
                answer += piece
                if len(answer) > self._limits.answer_bytes:
                    response.close()
                    raise Garbled(f"the answer is longer than {self._limits.answer_bytes} bytes")
            return response.status, bytes(answer)

    async def retire(self) -> None:
        """Close it once the calls under way have ended."""
        self._retired = True
        if not self._users:
            await self._session.close()

    async def close(self) -> None:
        await self._session.close()


def _context(tls: TLS) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca_file or None)
        if tls.insecure_skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if tls.cert_file or tls.key_file:
            context.load_cert_chain(tls.cert_file, tls.key_file or None)
    except (OSError, ValueError) as error:
        files = ", ".join(filter(None, (tls.ca_file, tls.cert_file, tls.key_file)))
        raise Unsent(f"its TLS files {files} cannot be used: {error}", lasting=True) from error
    return context


def _reason(error: Exception) -> str:
    inner = getattr(error, "os_error", error)
    if isinstance(inner, TimeoutError):
        return "it does not accept connections"
    return getattr(inner, "strerror", None) or str(error) or type(error).__name__
