"""Every registry there is: by which doors a repository is reached, and whether a password is right."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bridgehead.core.images.distribution import Credentials
from bridgehead.core.images.reference import Reference, is_domain
from bridgehead.core.images.registries import HUB, HUB_INDEX, RegistryOptions, doors
from bridgehead.core.model.errors import BridgeheadError, HostRefused, InvalidParameter, NotFound
from bridgehead.host.registry.asking import SILENCE_S, Asking, client
from bridgehead.host.registry.repository import HttpRepository


class HttpRegistries:
    """Fits `engine.world.Registries`. `options` are asked for each time, since they may be reloaded."""

    def __init__(self, options: Callable[[], RegistryOptions], *, silence_s: float = SILENCE_S) -> None:
        self._options = options
        self._silence_s = silence_s

    @asynccontextmanager
    async def repository(
        self, name: Reference, credentials: Credentials, *, push: bool = False
    ) -> AsyncIterator[HttpRepository]:
        scope = f"repository:{name.path}:{'pull,push' if push else 'pull'}"
        ways = doors(name.domain, self._options(), push=push)
        async with client(self._silence_s) as session:
            yield HttpRepository(name, [Asking(session, door, credentials, scope) for door in ways])

    async def log_in(self, credentials: Credentials) -> str:
        """An identity token, where the registry gives one in a password's place.

        Raises:
            InvalidParameter: that is no registry's address.
            Unauthorized: the registry does not know them.
            HostRefused, Unavailable: it cannot be asked.
        """
        domain = _domain(credentials.server)
        refused: BridgeheadError = HostRefused(f"no registry at {credentials.server!r}")
        async with client(self._silence_s) as session:
            for door in doors(domain, self._options(), push=True):
                asking = Asking(session, door, credentials, "")
                try:
                    async with asking.ask("GET", "/v2/"):
                        return asking.identity_token
                except (HostRefused, NotFound) as error:
                    refused = error
        raise refused


def _domain(server: str) -> str:
    """`docker login` names Docker Hub by an address of its first years, and others with or without scheme."""
    if not server or server == HUB_INDEX:
        return HUB
    host = server.removeprefix("https://").removeprefix("http://").partition("/")[0]
    if not is_domain(host):
        raise InvalidParameter(f"invalid server address {server!r}: it is no host, with a port or without")
    return HUB if host in {HUB, "index.docker.io", "registry-1.docker.io"} else host
