"""`docker cp`, `docker export`, `docker diff`.

While files of a container that does not run are read or written, nobody starts or removes it: its root is
mounted for that alone, and two mounts of one root would not know of each other. One that runs is not held up:
stopping it must not wait for a client that reads slowly.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bridgehead.core import roots
from bridgehead.core.guest_rules import refuse
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import NotFound
from bridgehead.core.model.files import Change, PathFacts, Placement
from bridgehead.core.roots import View
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.lifecycle import Lifecycle
from bridgehead.engine.storage import Copies


class FileUseCases:
    def __init__(self, intent: Intent, copies: Copies, life: Lifecycle, events: EventBus) -> None:
        self._intent = intent
        self._copies = copies
        self._life = life
        self._events = events

    async def stat(self, reference: str, path: str) -> PathFacts:
        """
        Raises:
            NotFound: no such container, or no such path in it.
            Conflict: it is no container.
        """
        async with self._still(reference, "copy from") as container:
            with _naming(reference, path):
                return await self._copies.stat(self._furnished(container), path)

    @asynccontextmanager
    async def read(self, reference: str, path: str) -> AsyncIterator[tuple[PathFacts, AsyncIterator[bytes]]]:
        async with self._still(reference, "copy from") as container:
            with _naming(reference, path):
                async with self._copies.read(self._furnished(container), path) as found:
                    self._events.container(container, "archive-path")
                    yield found

    async def write(self, reference: str, where: Placement, content: AsyncIterator[bytes]) -> None:
        async with self._still(reference, "copy to") as container:
            with _naming(reference, where.path):
                await self._copies.write(self._furnished(container), where, content)
            self._events.container(container, "extract-to-dir")

    @asynccontextmanager
    async def export(self, reference: str) -> AsyncIterator[AsyncIterator[bytes]]:
        async with self._still(reference, "export") as container:
            async with self._copies.export(self._bare(container)) as content:
                yield content
            self._events.container(container, "export")

    async def changes(self, reference: str) -> Sequence[Change]:
        container = self._ours(reference, "list the changes of")
        return await self._copies.changes(self._bare(container))

    async def size(self, reference: str) -> int:
        container = self._intent.snapshot.find_container(reference)
        return 0 if container.guest else await self._copies.size(self._bare(container))

    def _ours(self, reference: str, what: str) -> Container:
        container = self._intent.snapshot.find_container(reference)
        refuse(container, what)
        return container

    @asynccontextmanager
    async def _still(self, reference: str, what: str) -> AsyncIterator[Container]:
        """The container: as it runs, or not to be started meanwhile."""
        container = self._ours(reference, what)
        if container.state.status.has_process:
            yield container
            return
        async with self._life.changing(container.id):
            await self._life.cleaned(container.id)
            yield self._ours(container.id, what)

    def _bare(self, container: Container) -> View:
        return roots.bare(self._intent.snapshot, container, self._intent.facts.layout)

    def _furnished(self, container: Container) -> View:
        snapshot, layout = self._intent.snapshot, self._intent.facts.layout
        return roots.furnished(snapshot, container, layout, self._lender(container))

    def _lender(self, container: Container) -> str:
        """The folder of whose hosts, resolv.conf and hostname it has."""
        lender = container.spec.joins
        known = lender if lender in self._intent.snapshot.containers else None
        return self._intent.facts.layout.container(known or container.id)


class _naming:  # noqa: N801 - used as a statement
    """A path that is not there is told with the container it is not in."""

    def __init__(self, reference: str, path: str) -> None:
        self._reference = reference
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, NotFound):
            raise NotFound(f"Could not find the file {self._path} in container {self._reference}") from None
