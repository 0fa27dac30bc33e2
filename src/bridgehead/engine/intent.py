"""The current snapshot, and the only way to change it.

Deciding and committing happen in one step without an await, so that no two requests can both take the same
name or address: the event loop is the lock.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from bridgehead.core.desired import dirty, fragment, owners
from bridgehead.core.facts import HostFacts
from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.model.network import Endpoint, Network, Phase
from bridgehead.core.model.snapshot import Record, Snapshot
from bridgehead.core.remote import farewells
from bridgehead.engine.former import FormerAddresses
from bridgehead.engine.planes import Host
from bridgehead.engine.reconcile import Reconciler
from bridgehead.engine.world import Clock, Parents, Random, Store, Surroundings

_log = logging.getLogger("bridgehead.intent")


class StaleDecision(RuntimeError):
    """A bug: something was decided on one snapshot and committed on another, which would lose an update."""


class Intent:
    def __init__(
        self,
        store: Store,
        host: Host,
        facts: HostFacts,
        clock: Clock,
        random: Random,
        surroundings: Surroundings,
        parents: Parents,
    ) -> None:
        self._store = store
        self._snapshot = store.load()
        self.facts = facts
        self.clock = clock
        self.random = random
        self.surroundings = surroundings
        self.parents = parents
        self.former = FormerAddresses()
        self.parted: Callable[[], None] = lambda: None
        self.reconciler = Reconciler(
            host,
            lambda owner: fragment(self._snapshot, owner, self.facts),
            lambda: owners(self._snapshot),
        )

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    def commit(self, new: Snapshot) -> set[str]:
        """Make `new` the intent, durably; the owners whose objects it changes.

        `parted` is called when plugins have something to hear by it.
        """
        if new is self._snapshot:
            return set()
        if new.revision != self._snapshot.revision:
            raise StaleDecision(f"decided on revision {new.revision}, now {self._snapshot.revision}")
        old = self._snapshot
        if owed := farewells.owed(old, new):
            new = new.put(*owed)
        concerned = dirty(old, new)
        self._snapshot = self._store.commit(old, new)
        self.former.note(old, new)
        if owed:
            self.parted()
        return concerned

    def assume(self, new: Snapshot) -> None:
        """Think with `new` without writing it down: for plans, which change nothing."""
        self._snapshot = new

    async def realise(self, new: Snapshot) -> None:
        """Commit, and wait until the host shows it."""
        await self.reconciler.settle(self.commit(new))

    async def attempt(
        self,
        new: Snapshot,
        *born: Record,
        undo: Callable[[Snapshot], Snapshot] | None = None,
        asking: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Commit pending records, wait for whoever is asked about them and for the host, then promise them.

        If any of these refuses, they are gone (or `undo` is done) when the error is raised.
        """
        try:
            concerned = self.commit(new)
            if asking is not None:
                await asking()
            await self.reconciler.settle(concerned)
            # Not written: what stands on disk is finished at the next start anyway, and a second write
            # would only make everybody wait for the disk twice.
            self._snapshot = _promised(self._snapshot, born)
        except BridgeheadError:
            await self._retract(undo or (lambda snapshot: snapshot.drop(*born)))
            raise

    async def _retract(self, undo: Callable[[Snapshot], Snapshot]) -> None:
        try:
            await self.realise(undo(self._snapshot))
        except BridgeheadError as error:
            # The first refusal is what the caller needs to hear; the reconciler stays suspicious and retries.
            _log.warning("taking back: %s", error)


def _promised(snapshot: Snapshot, born: Iterable[Record]) -> Snapshot:
    """With those of `born` that are still there no longer pending."""
    for record in born:
        match record:
            case Network() if record.id in snapshot.networks:
                snapshot = snapshot.put(replace(snapshot.networks[record.id], phase=Phase.READY))
            case Endpoint() if record.id in snapshot.endpoints:
                snapshot = snapshot.put(replace(snapshot.endpoints[record.id], phase=Phase.READY))
            case _:
                pass
    return snapshot
