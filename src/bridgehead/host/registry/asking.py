"""Requests at one door of a registry, with the proof it wants of who asks.

A registry answers the first request with a challenge: a password, or a token of another server. A token is
good for one repository and what is done there, and is asked for again when it has run out. Where a registry
sends us elsewhere for a blob, aiohttp leaves the proof behind.
"""

import asyncio
import base64
import ssl
import urllib.request
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from yarl import URL

import bridgehead
from bridgehead.core.images.distribution import Challenge, Credentials, challenges
from bridgehead.core.images.registries import Door
from bridgehead.core.model.errors import HostRefused, Unauthorized
from bridgehead.host.registry.answers import beginning, refusal, unreachable
from bridgehead.host.registry.certificates import trusted

_CONNECT_S = 15
SILENCE_S = 60.0
"""A registry that says nothing for so long is given up, or asked again."""

_HEADERS = {"User-Agent": f"bridgehead/{bridgehead.__version__}", "Accept-Encoding": "identity"}
_CLIENT = "bridgehead"
_OK, _ERRORS, _UNAUTHORIZED = 200, 400, 401

Body = bytes | AsyncIterable[bytes] | None


def client(silence_s: float) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        headers=_HEADERS,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=silence_s),
    )


class _Token(msgspec.Struct, frozen=True):
    token: str | None = None
    access_token: str | None = None
    refresh_token: str | None = None


class Asking:
    """`scope`: what tokens are asked for; '' for none but to prove who asks."""

    def __init__(
        self, session: aiohttp.ClientSession, door: Door, credentials: Credentials, scope: str
    ) -> None:
        self.door = door
        self.identity_token = ""
        self._session = session
        self._credentials = Credentials() if door.mirror else credentials
        self._scope = scope
        self._proof = f"Bearer {credentials.registry_token}" if credentials.registry_token else ""

    @asynccontextmanager
    async def ask(
        self,
        method: str,
        path: str | URL,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        accepted: Sequence[int] = (_OK,),
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The registry's answer, if its status is one of `accepted`. A stream as `body` is sent once only.

        Raises:
            NotFound, Unauthorized, Forbidden, Unavailable, HostRefused: in the registry's words.
        """
        url = path if isinstance(path, URL) else URL(self.door.url + path)
        response = await self._sent(method, url, headers or {}, body)
        try:
            if response.status == _UNAUTHORIZED and not isinstance(body, AsyncIterable):
                offered = challenges(response.headers.getall("WWW-Authenticate", []))
                response.release()
                self._proof = await self._prove(offered)
                response = await self._sent(method, url, headers or {}, body)
            if response.status not in accepted:
                raise await refusal(response)
            yield response
        except (aiohttp.ClientError, OSError) as error:
            raise unreachable(method, url, error) from error
        finally:
            response.close()

    async def _sent(
        self, method: str, url: URL, headers: Mapping[str, str], body: Body
    ) -> aiohttp.ClientResponse:
        proof = {"Authorization": self._proof} if self._proof and self._is_door(url) else {}
        context = await self._context()
        try:
            return await self._session.request(
                method, url, headers={**headers, **proof}, data=body, ssl=context, proxy=_proxy(url)
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise unreachable(method, url, error) from error

    def _is_door(self, url: URL) -> bool:
        return url.origin() == URL(self.door.url).origin()

    async def _context(self) -> ssl.SSLContext:
        return await asyncio.to_thread(trusted, self.door)

    async def _prove(self, offered: Sequence[Challenge]) -> str:
        for challenge in offered:
            if challenge.scheme == "bearer":
                return f"Bearer {await self._token(challenge)}"
            if challenge.scheme == "basic" and self._credentials.username:
                return _basic(self._credentials)
        if any(challenge.scheme == "basic" for challenge in offered):
            raise Unauthorized(f'Get "{self.door.url}/v2/": no basic auth credentials')
        raise Unauthorized(f"the registry {self.door.host} asks for a proof that is not known here")

    async def _token(self, challenge: Challenge) -> str:
        realm = self._realm(challenge)
        who = self._credentials
        asked = {"service": challenge.parameters.get("service", ""), "scope": self._scope}
        query = {name: value for name, value in asked.items() if value}
        if who.identity_token:
            form = {**query, "grant_type": "refresh_token", "refresh_token": who.identity_token}
            answer = await self._token_answer("POST", realm, form={**form, "client_id": _CLIENT})
        elif who.username:
            query |= {"account": who.username, "client_id": _CLIENT}
            query |= {} if self._scope else {"offline_token": "true"}
            proof = _basic(who)
            answer = await self._token_answer("GET", realm.update_query(query), proof)
        else:
            answer = await self._token_answer("GET", realm.update_query(query))
        self.identity_token = answer.refresh_token or ""
        if token := answer.token or answer.access_token:
            return token
        raise HostRefused(f"{realm.host} gave no token for the registry {self.door.host}")

    def _realm(self, challenge: Challenge) -> URL:
        try:
            realm = URL(challenge.parameters.get("realm", ""))
        except ValueError:
            realm = URL()
        schemes = {"https"} if self.door.verify else {"https", "http"}
        if realm.scheme not in schemes or not realm.host:
            raise HostRefused(
                f"the registry {self.door.host} wants a token of {str(realm)[:200]!r}, which is not safe"
            )
        return realm

    async def _token_answer(
        self, method: str, url: URL, proof: str = "", form: Mapping[str, str] | None = None
    ) -> _Token:
        context = await self._context()
        headers = {"Authorization": proof} if proof else {}
        try:
            async with self._session.request(
                method, url, headers=headers, data=form, ssl=context, proxy=_proxy(url)
            ) as response:
                if response.status >= _ERRORS:
                    raise await refusal(response)
                return msgspec.json.decode(await beginning(response), type=_Token)
        except msgspec.MsgspecError as error:
            raise HostRefused(f"{url.host} gave no token that can be read") from error
        except (aiohttp.ClientError, OSError) as error:
            raise unreachable(method, url.with_query(None), error) from error


def _basic(who: Credentials) -> str:
    return f"Basic {base64.b64encode(f'{who.username}:{who.password}'.encode()).decode()}"


def _proxy(url: URL) -> str | None:
    """As the environment says; never for this machine itself."""
    host = url.host or ""
    if host in {"localhost", "::1"} or host.startswith("127.") or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(url.scheme)
