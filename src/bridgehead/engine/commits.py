"""`docker commit`: an image of what a container is now."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import bridgehead
from bridgehead.core.guest_rules import refuse
from bridgehead.core.images import commit
from bridgehead.core.images import reference as references
from bridgehead.core.images.commit import CommitRequest, Step
from bridgehead.core.model.container import Container, Image
from bridgehead.core.model.errors import Conflict
from bridgehead.core.model.ids import ContainerID
from bridgehead.core.oci.mounts import destinations
from bridgehead.core.time import rfc3339
from bridgehead.engine.events import EventBus
from bridgehead.engine.freezing import Freezer
from bridgehead.engine.images import ImageUseCases
from bridgehead.engine.intent import Intent
from bridgehead.engine.lifecycle import Lifecycle
from bridgehead.engine.storage import Images
from bridgehead.engine.tasks import Tasks, to_the_end


class CommitUseCases:
    def __init__(
        self,
        intent: Intent,
        store: Images,
        shelf: ImageUseCases,
        life: Lifecycle,
        freezer: Freezer,
        events: EventBus,
        tasks: Tasks,
    ) -> None:
        self.tasks = tasks
        self._intent = intent
        self._store = store
        self._shelf = shelf
        self._life = life
        self._freezer = freezer
        self._events = events

    @to_the_end
    async def commit(self, reference: str, request: CommitRequest) -> Image:
        """
        Raises:
            NotFound: no such container.
            Conflict: it was removed meanwhile, or is no container.
            InvalidParameter: the name, a change, or a file in the container is none an image can have.
        """
        name = references.tag_name(request.name) if request.name else ""
        container = self._intent.snapshot.find_container(reference)
        refuse(container, "make an image of")
        # Nobody may start, stop or remove it meanwhile: its files would change or go under our eyes. Its turn
        # is waited for first, since a stop may take long and other images must not wait for that.
        async with self._life.changing(container.id):
            image = await self._shelf.adopt(lambda: self._made(container.id, request), [name] if name else [])
        if name:
            self._events.image(image.id, "tag", name)
        self._events.container(container, "commit", comment=request.comment, imageID=image.id, imageRef=name)
        return image

    async def _made(self, identifier: ContainerID, request: CommitRequest) -> Image:
        async with AsyncExitStack() as held:
            container = self._intent.snapshot.find_container(identifier)
            if request.pause:
                await held.enter_async_context(self._freezer.held(identifier))
            image = await asyncio.to_thread(self._written, container, request)
            if identifier not in self._intent.snapshot.containers:
                raise Conflict(f"container {identifier} was removed while its files were read")
            return image

    def _written(self, container: Container, request: CommitRequest) -> Image:
        parent = self._intent.snapshot.images[container.image]
        own = commit.container_config(container, parent)
        config = commit.new_config(request, own)
        created = rfc3339(self._intent.clock.now())
        step = Step(container, created, request.author, request.comment, bridgehead.__version__)
        image = self._store.commit(
            f"{self._intent.facts.layout.container(container.id)}/upper",
            below=parent.layers,
            mounted=destinations(container.spec),
            document=lambda layer: commit.document(parent, config, own, step, layer),
        )
        return replace(image, parent=parent.id)
