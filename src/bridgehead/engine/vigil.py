"""Keeping what was built: hears what others do to the host, judges it, and has it repaired.

Notices are collected for a moment, since damage rarely comes as one. They are judged between two rounds of
the reconciler, so that our own doing is never taken for damage; only what contradicts belief is a reason to
look at the host. Others' objects are never touched, but a route of theirs that overlaps a network is told.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bridgehead.core import lowers
from bridgehead.core.desired import HOST
from bridgehead.core.judgement import believed, concerns, suspects
from bridgehead.core.model.errors import BridgeheadError
from bridgehead.core.plan.notice import FirewallChanged, Notice, Overrun, Subject
from bridgehead.core.plan.zones import ZoneMember
from bridgehead.engine.events import EventBus
from bridgehead.engine.intent import Intent
from bridgehead.engine.pace import Pace
from bridgehead.engine.reconcile import Mended
from bridgehead.engine.reports import Reports
from bridgehead.engine.world import Neighbours, Watch

_SILENCE_S = 0.03  # heard once at the end of the first such pause, and nothing more by that of the second
_LONGEST_COLLECTION_S = 0.3
_NEIGHBOURS_REST_S = 2.0
_log = logging.getLogger("bridgehead.vigil")


class Vigil:
    def __init__(self, intent: Intent, events: EventBus, watch: Watch, neighbours: Neighbours) -> None:
        self._intent = intent
        self._reports = Reports(intent, events)
        self._watch = watch
        self._neighbours = neighbours
        self._zones_moved = False
        self._neighbours_moved = False
        self._neighbours_rest_until = 0.0
        self._heard: dict[Subject, Notice] = {}
        self._sound = asyncio.Event()
        self._lowers = lowers.NOTHING
        self._pace = Pace()
        self._owed: dict[Subject, Notice] = {}
        self._due = 0.0
        self._culprits = ""
        self._in_vain = True

    async def keep(self) -> None:
        """Until cancelled."""
        self._intent.reconciler.mended = self._mended
        self._listen()
        try:
            while True:
                try:
                    await self._watch_once()
                except Exception:  # noqa: BLE001 - a bug in one judgement must not leave the host unwatched
                    _log.exception("what was heard could not be judged")
        finally:
            self._turn_away()

    def _listen(self) -> None:
        for descriptor in self._watch.descriptors:
            asyncio.get_running_loop().add_reader(descriptor, self._sounded)

    def _turn_away(self) -> None:
        for descriptor in self._watch.descriptors:
            asyncio.get_running_loop().remove_reader(descriptor)

    def _sounded(self) -> None:
        """Once is enough: what follows waits in the sockets, and costs no request that is under way."""
        self._turn_away()
        self._sound.set()

    async def _watch_once(self) -> None:
        await self._sound.wait()
        await self._collect()
        self._owe(await self._intent.reconciler.between_rounds(self._judge))
        if self._owed and asyncio.get_running_loop().time() >= self._due:
            await self._repair()
        if self._zones_moved:
            await self._look_at_zones()
        if self._neighbours_moved:
            await self._look_at_neighbours()

    def tell(self, notice: Notice) -> None:
        """For what the kernel does not announce, and somebody found out otherwise."""
        self._heard[notice.subject] = notice
        self._sound.set()

    def _hear(self) -> bool:
        """Whether there was anything new."""
        heard = self._watch.drain()
        for notice in heard:
            # The last of a subject counts, and in the order of the last.
            self._heard.pop(notice.subject, None)
            self._heard[notice.subject] = notice
        return bool(heard)

    async def _collect(self) -> None:
        """Until nothing was heard for a moment, but not for ever."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _LONGEST_COLLECTION_S
        self._sound.clear()
        while loop.time() < end:
            await asyncio.sleep(_SILENCE_S)
            if not self._hear():
                break
        self._listen()

    def _judge(self) -> list[Notice]:
        self._hear()
        heard, self._heard = self._heard, {}
        self._reports.around(heard.values())
        if any(isinstance(notice, FirewallChanged | Overrun) for notice in heard.values()):
            self._neighbours_moved = self._zones_moved = True
        ours = believed(self._intent.reconciler.believed(), self._lowers, self._intent.snapshot)
        self._lowers = ours.lan
        return [notice for notice in heard.values() if concerns(notice, ours)]

    def _owe(self, concerning: Sequence[Notice]) -> None:
        """Note what is to be repaired, and when; what others damage meanwhile may make it sooner."""
        if not concerning:
            return
        loop = asyncio.get_running_loop()
        subjects = [notice.subject for notice in concerning]
        due = loop.time() + self._pace.pause_s(loop.time(), subjects)
        later = bool(self._owed) and due >= self._due
        self._owed |= {notice.subject: notice for notice in concerning}
        if later:
            return
        self._due = due
        if due > loop.time():
            loop.call_at(due, self._sound.set)
        if war_s := self._pace.war_s(loop.time(), subjects):
            by = _culprits(concerning)
            _log.warning(
                "what is ours is changed again and again%s; next repair in %g s", by and f" by {by}", war_s
            )

    async def _repair(self) -> None:
        owed, self._owed = self._owed, {}
        self._culprits, self._in_vain = _culprits(owed.values()), True
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            await self._intent.reconciler.repair(suspects(owed.values()))
        except BridgeheadError as error:
            self._in_vain = False
            _log.warning("not repaired yet: %s", error)
        finally:
            self._culprits = ""
            if self._in_vain:
                self._pace.looked_in_vain(clock(), owed, clock() - begun)
            else:
                self._pace.repaired(clock(), owed)

    async def _look_at_zones(self) -> None:
        """A firewalld that starts or reloads has forgotten our bridges, and rejects what they forward."""
        self._zones_moved = False
        before, zoned = self._intent.facts.zoned, await asyncio.to_thread(self._neighbours.zoned)
        if not before and not zoned:
            return
        self._intent.facts = replace(self._intent.facts, zoned=zoned)
        try:
            await self._intent.reconciler.repair(frozenset({ZoneMember}))
        except BridgeheadError as error:
            _log.warning("firewalld does not take our bridges yet: %s", error)

    async def _look_at_neighbours(self) -> None:
        """Somebody who starts to drop what is forwarded must not cut off what our own rules let pass."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._neighbours_rest_until:
            # Some change their rules all the time, and to read them takes processes.
            loop.call_at(self._neighbours_rest_until, self._sound.set)
            return
        self._neighbours_rest_until = loop.time() + _NEIGHBOURS_REST_S
        companions = await asyncio.to_thread(self._neighbours.companions)
        self._neighbours_moved = False
        if companions == self._intent.facts.companions:
            return
        _log.warning("other firewall rules on this host changed: ours now stand beside them")
        self._intent.facts = replace(self._intent.facts, companions=companions)
        try:
            await self._intent.reconciler.settle([HOST])
        except BridgeheadError as error:
            _log.warning("not accommodated yet: %s", error)

    def _mended(self, mended: Mended) -> None:
        self._in_vain = False
        self._reports.repaired(mended, self._culprits)


def _culprits(notices: Iterable[Notice]) -> str:
    return ", ".join(dict.fromkeys(notice.by for notice in notices if notice.by))
