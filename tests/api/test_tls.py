"""TLS on the API's own terms: who gets in, directions that end by themselves, clients that misbehave."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from bridgehead.api import server, tls
from bridgehead.api.identity import Identity
from bridgehead.api.tls import TlsFiles
from bridgehead.core.layout import Layout
from bridgehead.core.model.errors import InvalidParameter
from tests.api.conftest import Api
from tests.api.fake_engine import FakeEngine
from tests.api.test_stream import INTERACTIVE, until
from tests.support.certificates import Authority

_LIMIT_S = 10.0
Found = TypeVar("Found")
_PING = b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Secured:
    api: Api
    served: server.Served
    authority: Authority
    ours: Path
    client: Path

    @property
    def port(self) -> int:
        return self.served.ports[0]

    @property
    def files(self) -> TlsFiles:
        return files_of(self.ours)


def files_of(folder: Path) -> TlsFiles:
    return TlsFiles(str(folder / "cert.pem"), str(folder / "key.pem"), str(folder / "ca.pem"))


def trusting(authority: Authority, folder: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if folder is not None:
        context.load_cert_chain(str(folder / "cert.pem"), str(folder / "key.pem"))
    return context


class Client:
    """TLS in memory over a blocking socket, so that it can end its own direction and still listen."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_LIMIT_S)
        self._received, self._unsent = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._unsent, server_hostname="127.0.0.1")
        try:
            self._repeat(self._tls.do_handshake)
        except OSError:
            self.socket.close()
            raise

    def _repeat(self, step: Callable[[], Found]) -> Found:
        while True:
            try:
                found = step()
            except ssl.SSLWantReadError:
                self._flush()
                if data := self.socket.recv(65536):
                    self._received.write(data)
                else:
                    self._received.write_eof()
                continue
            self._flush()
            return found

    def _flush(self) -> None:
        self.socket.sendall(self._unsent.read())

    def send(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def half_close(self) -> None:
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._flush()

    def read(self) -> bytes:
        """A piece; b'' once the server said goodbye."""
        try:
            return self._repeat(lambda: self._tls.read(65536))
        except ssl.SSLZeroReturnError:
            return b""

    def until(self, mark: bytes) -> bytes:
        seen = b""
        while mark not in seen and (piece := self.read()):
            seen += piece
        return seen

    def rest(self) -> bytes:
        return b"".join(iter(self.read, b""))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def secured(tmp_path: Path, authority: Authority) -> AsyncIterator[Secured]:
    ours = authority.issue(tmp_path / "ours", purpose="serverAuth")
    client = authority.issue(tmp_path / "client", purpose="clientAuth")
    engine, path = FakeEngine(), tmp_path / "api.sock"
    app = server.build(engine, Layout("/a", "/b"), lambda: Identity("1", "e", "h"))
    tcp = server.Tcp([("127.0.0.1", 0)], files_of(ours))
    served = await server.serve(app, [str(path)], "no-such-group", tcp)
    yield Secured(Api(engine, path), served, authority, ours, client)
    async with asyncio.timeout(_LIMIT_S):
        await served.cleanup()


def asked(port: int, context: ssl.SSLContext) -> bytes:
    client = Client(port, context)
    with client.socket:
        client.send(_PING)
        return client.until(b"OK")


async def test_a_client_with_a_certificate_is_served(secured: Secured) -> None:
    answer = await asyncio.to_thread(asked, secured.port, trusting(secured.authority, secured.client))

    assert answer.startswith(b"HTTP/1.1 200 OK")


async def test_a_client_without_a_certificate_is_not(secured: Secured) -> None:
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
        await asyncio.to_thread(asked, secured.port, trusting(secured.authority, None))


async def test_a_certificate_of_another_authority_is_not_enough(secured: Secured, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other").issue(tmp_path / "stranger", purpose="clientAuth")

    with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):
        await asyncio.to_thread(asked, secured.port, trusting(secured.authority, stranger))


async def test_a_servers_certificate_lets_no_client_in(secured: Secured) -> None:
    with pytest.raises(ssl.SSLError, match=r"UNSUPPORTED_CERTIFICATE|CERTIFICATE_UNKNOWN"):
        await asyncio.to_thread(asked, secured.port, trusting(secured.authority, secured.ours))


async def test_a_client_that_speaks_no_tls_is_told(secured: Secured) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", secured.port)
    writer.write(_PING)

    answer = await asyncio.wait_for(reader.read(), _LIMIT_S)

    assert b"Client sent an HTTP request to an HTTPS server." in answer
    writer.close()


async def test_output_still_comes_after_the_client_has_no_more_to_say(secured: Secured) -> None:
    def talk() -> tuple[bytes, bytes]:
        client = attached(secured)
        with client.socket:
            head = client.until(b"\r\n\r\n")
            client.send(b"1234\n")
            client.half_close()
            return head, client.rest()

    await secured.api.container("c", "count", start=True, **INTERACTIVE)
    head, said = await asyncio.to_thread(talk)

    assert head.startswith(b"HTTP/1.1 101")
    assert said.endswith(b"5\n")


async def test_a_client_that_breaks_off_leaves_nothing_behind(secured: Secured) -> None:
    await secured.api.container("c", "cat", start=True, **INTERACTIVE)
    before = descriptors()
    client = await asyncio.to_thread(attached, secured)
    await asyncio.to_thread(client.until, b"\r\n\r\n")
    assert descriptors() > before

    client.socket.close()

    await until(lambda: descriptors() <= before)


async def test_renewed_files_are_for_the_clients_to_come(secured: Secured, tmp_path: Path) -> None:
    old = trusting(secured.authority, secured.client)
    other = Authority(tmp_path / "other")
    other.issue(secured.ours, purpose="serverAuth")
    newcomer = other.issue(tmp_path / "newcomer", purpose="clientAuth")

    secured.served.renew(files_of(secured.ours))

    answer = await asyncio.to_thread(asked, secured.port, trusting(other, newcomer))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        await asyncio.to_thread(asked, secured.port, old)


async def test_files_that_make_no_sense_leave_those_in_force(secured: Secured) -> None:
    (secured.ours / "cert.pem").write_text("no certificate\n")

    with pytest.raises(InvalidParameter, match="Could not load X509 key pair"):
        secured.served.renew(files_of(secured.ours))

    answer = await asyncio.to_thread(asked, secured.port, trusting(secured.authority, secured.client))
    assert answer.startswith(b"HTTP/1.1 200 OK")


async def test_a_handshake_that_never_ends_is_ended(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_HANDSHAKE_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", secured.port)
    writer.write(b"\x16\x03")

    assert await asyncio.wait_for(reader.read(), _LIMIT_S) == b""
    writer.close()


def test_an_encrypted_key_is_refused_and_asked_nobody_for(authority: Authority, tmp_path: Path) -> None:
    ours = authority.issue(tmp_path / "ours", purpose="serverAuth")
    words = ("openssl", "ec", "-aes256", "-in", "key.pem", "-out", "key.pem", "-passout", "pass:secret")
    subprocess.run(words, cwd=ours, check=True, capture_output=True, timeout=20)

    with pytest.raises(InvalidParameter, match="Make sure the key is not encrypted"):
        tls.context(files_of(ours))


def test_a_missing_authority_is_named(authority: Authority, tmp_path: Path) -> None:
    ours = authority.issue(tmp_path / "ours", purpose="serverAuth")
    (ours / "ca.pem").unlink()

    with pytest.raises(InvalidParameter, match=r'CA certificate ".*ca\.pem": No such file or directory'):
        tls.context(files_of(ours))


def attached(secured: Secured) -> Client:
    client = Client(secured.port, trusting(secured.authority, secured.client))
    path = "/containers/c/attach?stream=1&stdin=1&stdout=1&stderr=1"
    client.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n".encode())
    return client


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
