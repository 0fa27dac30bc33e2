"""Images whose layers nobody looks into."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from bridgehead.core.images.commit import CommitRequest
from bridgehead.core.images.distribution import Credentials, Described, Document, Pull
from bridgehead.core.images.manifest import Platform
from bridgehead.core.images.progress import Progress
from bridgehead.core.images.reference import Reference
from bridgehead.core.model.container import Image
from bridgehead.core.model.errors import HostRefused, NotFound, Unauthorized
from bridgehead.core.model.ids import ImageID
from bridgehead.core.time import rfc3339

if TYPE_CHECKING:
    from tests.api.fake_engine import FakeEngine

IMAGE_CONFIG = (
    '{"architecture":"amd64","os":"linux","config":{"Cmd":["sleep"],"Env":["PATH=/bin"],"Labels":{"kind":"test"}},'
    '"history":[{"created":"2026-01-02T03:04:05Z","created_by":"by hand"}]}'
)


class FakeImages:
    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine
        self.imported: list[tuple[bytes, str, Sequence[str], str]] = []

    async def import_tar(self, archive: BinaryIO, *, tag: str, changes: Sequence[str], message: str) -> Image:
        self.imported.append((await asyncio.to_thread(archive.read), tag, changes, message))
        return self.add(tag)

    async def load(self, archive: BinaryIO) -> list[Image]:
        await asyncio.to_thread(archive.read)
        return [self.add("loaded:1")]

    def add(self, tag: str) -> Image:
        image = Image(
            ImageID(f"sha256:{self._engine.identifier()}"),
            (),
            (tag,) if tag else (),
            rfc3339(time.time_ns()),
            10,
            IMAGE_CONFIG,
        )
        self._engine.put(image)
        self._engine.events.publish("image", "import", image.id, name=tag)
        return image

    async def layer_sizes(self) -> dict[str, int]:
        return {"sha256:00": 1234}

    async def tag(self, reference: str, tag: str) -> None:
        image = self.find(reference)
        self._engine.put(replace(image, tags=(*image.tags, tag)))

    async def remove(self, reference: str, *, force: bool) -> list[tuple[str, str]]:
        image = self.find(reference)
        self._engine.drop(image)
        return [*(("Untagged", tag) for tag in image.tags), ("Deleted", image.id)]

    def find(self, reference: str) -> Image:
        for image in self._engine.snapshot.images.values():
            names = (image.id, *image.tags, *(tag.removesuffix(":latest") for tag in image.tags))
            if reference in names or image.id.startswith(f"sha256:{reference}"):
                return image
        raise NotFound(f"No such image: {reference}")


class FakePulls:
    """A registry that has every image but those called nowhere."""

    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine
        self.asked: list[Pull] = []

    async def pull(self, wanted: Pull) -> AsyncGenerator[Progress]:
        self.asked.append(wanted)
        if wanted.name.repository == "nowhere":
            raise NotFound("pull access denied for nowhere, repository does not exist")
        yield Progress(f"Pulling from {wanted.name.path}", wanted.name.tag)
        yield Progress("Downloading", "0123456789ab", 1, 2)
        if wanted.name.repository == "broken":
            raise HostRefused("the registry broke")
        self._engine.images.add(wanted.name.familiar)
        yield Progress(f"Status: Downloaded newer image for {wanted.name.familiar}")


class FakeDistribution:
    async def log_in(self, credentials: Credentials) -> str:
        if credentials.password != "mine":
            raise Unauthorized("unauthorized: authentication required")
        return "a-token"

    async def describe(self, name: Reference, credentials: Credentials) -> Described:
        document = Document("application/vnd.oci.image.index.v1+json", b"{}", f"sha256:{'0' * 64}")
        return Described(document, (Platform("arm64", "linux", "v8"),))


class FakeCommits:
    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine
        self.asked: list[CommitRequest] = []

    async def commit(self, reference: str, request: CommitRequest) -> Image:
        self._engine.snapshot.find_container(reference)
        self.asked.append(request)
        return self._engine.images.add(request.name)
