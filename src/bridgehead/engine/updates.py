"""`docker update`: other limits for a container, at once if it runs, and another restart policy."""

from bridgehead.core import updating
from bridgehead.core.guest_rules import refuse
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.updating import Update
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.lifecycle import Lifecycle
from bridgehead.engine.tasks import Tasks, to_the_end
from bridgehead.engine.world import Runtime


class UpdateUseCases:
    def __init__(
        self, intent: Intent, runtime: Runtime, life: Lifecycle, events: EventBus, tasks: Tasks
    ) -> None:
        self.tasks = tasks
        self._intent = intent
        self._runtime = runtime
        self._life = life
        self._events = events

    @to_the_end
    async def update(self, reference: str, update: Update) -> None:
        """
        Raises:
            NotFound: no such container.
            InvalidParameter, Conflict: it cannot have that; or it is no container.
            HostRefused: the kernel said no, as to less memory than is in use. All is as before.
        """
        container = self._intent.snapshot.find_container(reference)
        refuse(container, "change the limits of")
        updating.check(update.limits)
        async with self._life.changing(container.id):
            before = self._intent.snapshot.find_container(container.id)
            try:
                after = updating.updated(before, update)
                self._intent.commit(self._intent.snapshot.put(after))
                await self._limit(before, after)
            except BridgeheadError as error:
                raise type(error)(f"Cannot update container {container.id}: {error.message}") from error
        self._events.container(after, "update")

    async def _limit(self, before: Container, after: Container) -> None:
        if not after.state.status.has_process or before.spec.limits == after.spec.limits:
            return
        try:
            await self._runtime.limit(after.id, after.spec.limits)
        except BridgeheadError:
            self._take_back(before)
            raise

    def _take_back(self, before: Container) -> None:
        """It may have ended meanwhile: only what was changed here is put back."""
        now = self._intent.snapshot.containers.get(before.id)
        if now is not None:
            self._intent.commit(self._intent.snapshot.put(updating.restored(now, before)))
