"""What is asked of registries without pulling anything: who one is there, and what an image is."""

from bridgehead.core.images import config, distribution
from bridgehead.core.images.distribution import Credentials, Described
from bridgehead.core.images.manifest import Platform
from bridgehead.core.images.reference import Reference
from bridgehead.engine.registries import Registries


class DistributionUseCases:
    def __init__(self, registries: Registries) -> None:
        self._registries = registries

    async def log_in(self, credentials: Credentials) -> str:
        """An identity token, where the registry gives one in a password's place; else ''.

        Raises:
            Unauthorized: the registry does not know them.
            HostRefused, Unavailable: it cannot be asked.
        """
        return await self._registries.log_in(credentials)

    async def describe(self, name: Reference, credentials: Credentials) -> Described:
        """What the registry has under this name, and for which machines.

        Raises:
            NotFound, InvalidParameter, Unavailable, HostRefused.
        """
        async with self._registries.repository(name, credentials) as repository:
            top = await repository.manifest(name.digest or name.tag or "latest")
            if distribution.is_index(top):
                return Described(top, tuple(distribution.platforms(top)))
            wanted = distribution.contents(top).config
            document = b"".join([piece async for piece in repository.blob(wanted)])
            found = config.parse(document)
            platform = Platform(found.architecture or "", found.os or "linux", found.variant or "")
            return Described(top, (platform,))
