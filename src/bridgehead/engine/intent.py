"""The current snapshot, and the only way to change it.

Deciding and committing happen in one step without an await, so that no two requests can both take the same
name or address: the event loop is the lock.
"""

from bridgehead.core.desired import HostFacts, dirty, fragment, owners
from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.model.snapshot import Record, Snapshot
from bridgehead.engine.reconcile import Host, Reconciler
from bridgehead.engine.world import Clock, Random, Store


class Intent:
    def __init__(self, store: Store, host: Host, facts: HostFacts, clock: Clock, random: Random) -> None:
        self._store = store
        self._snapshot = store.load()
        self.facts = facts
        self.clock = clock
        self.random = random
        self.reconciler = Reconciler(
            host,
            lambda owner: fragment(self._snapshot, owner, facts),
            lambda: owners(self._snapshot),
        )

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    def commit(self, new: Snapshot) -> set[str]:
        """Make `new` the intent, durably; the owners whose objects it changes."""
        concerned = dirty(self._snapshot, new)
        self._snapshot = self._store.commit(self._snapshot, new)
        return concerned

    def assume(self, new: Snapshot) -> None:
        """Think with `new` without writing it down: for plans, which change nothing."""
        self._snapshot = new

    async def realise(self, new: Snapshot) -> None:
        """Commit, and wait until the host shows it."""
        await self.reconciler.settle(self.commit(new))

    async def attempt(self, new: Snapshot, *born: Record) -> None:
        """Commit records and wait for the host; if it refuses, they are gone when the error is raised."""
        try:
            await self.realise(new)
        except BridgeheadError:
            await self._retract(born)
            raise

    async def _retract(self, born: tuple[Record, ...]) -> None:
        try:
            await self.realise(self._snapshot.drop(*born))
        except BridgeheadError:
            # The first refusal is what the caller needs to hear; the reconciler stays suspicious and retries.
            return
