"""Sandboxes that are no containers: a namespace that somebody else made joins our networks under a name.

Its record is a container's, with the namespace in place of image and process. So names, addresses, ports,
links and events are the same ones, and `network connect` needs to know nothing of it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from bridgehead.core.guest_rules import NO_NETWORK, check, check_networks, check_new, found, in_own_words
from bridgehead.core.images.config import ImageDefaults
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import Conflict
from bridgehead.core.model.guest import Guest, GuestRequest
from bridgehead.core.model.ids import ContainerID, ImageID
from bridgehead.core.model.network import SandboxKind
from bridgehead.core.model.requests import ContainerRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.engine import creation
from bridgehead.engine.containers import ContainerUseCases
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.lifecycle import Lifecycle
from bridgehead.engine.tasks import Tasks, to_the_end
from bridgehead.engine.world import Namespaces

IMAGE = "(namespace)"


class GuestUseCases:
    def __init__(
        self,
        intent: Intent,
        namespaces: Namespaces,
        life: Lifecycle,
        containers: ContainerUseCases,
        events: EventBus,
        tasks: Tasks,
    ) -> None:
        self.tasks = tasks
        self._intent = intent
        self._namespaces = namespaces
        self._life = life
        self._containers = containers
        self._events = events

    @to_the_end
    async def create(self, where: GuestRequest, request: ContainerRequest) -> tuple[Container, list[str]]:
        """
        Raises:
            InvalidParameter: there is no such network namespace, or the request asks what none can have.
            Conflict: the name is taken, or the namespace already has a place here; its holder is named.
        """
        guest, kept = await asyncio.to_thread(self._look, where, self._intent.snapshot)
        container = self._decided(guest, kept, request)
        await self._intent.attempt(self._intent.snapshot.put(container), container)
        self._events.container(container, "create")
        async with self._life.changing(container.id):
            with in_own_words(container.guest, self._intent.facts.layout):
                await self._life.launch(container.id)
        return container, []

    @to_the_end
    async def remove(self, reference: str) -> None:
        await self._containers.remove(found(self._intent.snapshot, reference).id, force=True)

    def _look(self, where: GuestRequest, snapshot: Snapshot) -> tuple[Guest, Mapping[int, ContainerID]]:
        """What is there, and whose the namespaces are that we made ourselves."""
        guest = self._namespaces.recognise(where)
        if guest.inode == self._namespaces.own():
            raise Conflict(
                f"{guest.spoken} is in the daemon's own network namespace, which cannot be a sandbox"
            )
        made = [box for box in snapshot.sandboxes.values() if box.kind is not SandboxKind.HOST]
        layout = self._intent.facts.layout
        inodes = [(self._namespaces.kept(layout.namespace(box.namespace)), box.container) for box in made]
        return guest, {inode: container for inode, container in inodes if inode is not None}

    def _decided(self, guest: Guest, kept: Mapping[int, ContainerID], request: ContainerRequest) -> Container:
        check(request)
        check_new(self._intent.snapshot, guest, kept)
        asked = replace(request, image=IMAGE, entrypoint=None, command=(guest.source,), auto_remove=True)
        container = creation.record(self._intent, asked, ImageID(""), ImageDefaults())
        check_networks(container.networks)
        joined = {} if request.network_mode == NO_NETWORK else container.networks
        return replace(container, guest=guest, networks=joined)
