"""Bringing the host to what the snapshot says, and knowing how far that went.

One loop applies; requests that arrive meanwhile share the next round (group commit). What was applied is
*believed* until proven otherwise: a failed operation, a restart or a repair observes afresh. Creation,
rollback, recovery and repair are all the same call.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from bridgehead.core.model.errors import BridgeheadError, HostRefused, refusal
from bridgehead.core.plan.diff import Delete, Op, after, diff
from bridgehead.core.plan.explain import explain, summary
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import EVERY_KIND, KernelObject, Kinds, State
from bridgehead.engine.planes import Host

Owner = str
T = TypeVar("T")
Mended = Sequence[tuple[Owner, Op]]
_FIRST_RETRY_S = 1.0
_LAST_RETRY_S = 60.0
_NOBODY = "nobody"  # has what is ours and wanted by no owner, until it is taken away
_log = logging.getLogger("bridgehead.reconcile")


class Reconciler:
    """`desired` computes an owner's fragment of the current intent; `owners` names them all."""

    def __init__(
        self, host: Host, desired: Callable[[Owner], State], owners: Callable[[], Iterable[Owner]]
    ) -> None:
        self._host = host
        self._desired = desired
        self._owners = owners
        self._believed: dict[Owner, State] = {}
        self._waiting: dict[Owner, list[asyncio.Future[None]]] = {}
        self._suspects: Kinds = frozenset()
        self._failed: Mapping[Key, Exception] = {}
        self._unmended: set[Key] = set()
        self._onlookers: list[Callable[[], None]] = []
        self.mended: Callable[[Mended], None] = _log_mended
        self._applying: asyncio.Task[None] | None = None
        self._retrying: asyncio.Task[None] | None = None
        # One thread, so that the kernel sees one writer and planes need no locks.
        self._thread = ThreadPoolExecutor(1, "kernel")

    async def observe(self, kinds: Kinds = EVERY_KIND) -> State:
        _log.debug(
            "looking at the %s", "whole host" if kinds == EVERY_KIND else "suspicious part of the host"
        )
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._host.observe, kinds)

    def plan(self, actual: State) -> list[Op]:
        """What a full reconciliation would do, given what is there."""
        wanted: State = {}
        for owner in self._owners():
            wanted |= self._desired(owner)
        return diff(actual, wanted)

    async def recover(self) -> Mapping[Key, Exception]:
        """Observe everything and repair it; what could not be repaired, by key."""
        actual = await self.observe()
        ops = self.plan(actual)
        for op in ops:
            _log.info("recovering: %s", explain(op))
        failed = await self._apply(ops)
        wanted, _ = self._fragments(self._owners())
        self._believe(after(actual, ops, failed), wanted)
        self._note(failed)
        self._retry_if_suspect()
        return failed

    async def repair(self, kinds: Kinds = EVERY_KIND) -> None:
        """Observe these kinds and mend what differs, in turn with whatever else is asked.

        Raises:
            BridgeheadError: something could not be mended; the first refusal.
        """
        self._suspects |= kinds
        await self.settle(self._owners())

    def believed(self) -> Iterable[KernelObject]:
        return (item for fragment in self._believed.values() for item in fragment.values())

    async def between_rounds(self, look: Callable[[], T]) -> T:
        """What `look` gives, called when nothing is half done: then belief is what the host should show."""
        if self._applying is None:
            return look()
        seen: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._onlookers.append(partial(_answer, seen, look))
        return await seen

    async def settle(self, owners: Iterable[Owner]) -> None:
        """Return when the host shows these owners as the current intent has them.

        Raises:
            BridgeheadError: the host refused one of their objects; the first refusal.
        """
        loop = asyncio.get_running_loop()
        futures = []
        for owner in owners:
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.setdefault(owner, []).append(future)
            futures.append(future)
        if self._applying is None:
            self._applying = loop.create_task(self._run())
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def close(self) -> None:
        if self._retrying is not None:
            self._retrying.cancel()
        if self._applying is not None:
            await self._applying
        self._thread.shutdown()

    async def _run(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                failures = await self._surviving_round(set(waiting))
                self._let_look()
                for owner, futures in waiting.items():
                    _resolve(futures, failures.get(owner))
        finally:
            self._applying = None
            self._retry_if_suspect()

    def _note(self, failed: Mapping[Key, Exception]) -> None:
        """Retries go on for as long as it takes: the log has what is new alone."""
        for key, error in failed.items():
            if str(self._failed.get(key)) != str(error):
                _log.warning("%s: %s", " ".join(key), error)
        self._failed = failed
        if failed:
            self._suspects = EVERY_KIND

    def _let_look(self) -> None:
        onlookers, self._onlookers = self._onlookers, []
        for look in onlookers:
            look()

    def _retry_if_suspect(self) -> None:
        if self._suspects and (self._retrying is None or self._retrying.done()):
            self._retrying = asyncio.get_running_loop().create_task(self._retry())

    async def _retry(self) -> None:
        """What the host refused it may allow later; nobody needs to ask again."""
        pause_s, told = _FIRST_RETRY_S, ""
        while self._suspects:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LAST_RETRY_S)
            try:
                await self.repair()
            except BridgeheadError as error:
                _log.log(
                    logging.DEBUG if told == str(error) else logging.WARNING,
                    "still not as intended: %s",
                    error,
                )
                told = str(error)

    async def _surviving_round(self, owners: set[Owner]) -> Mapping[Owner, Exception]:
        try:
            return await self._round(owners)
        except Exception as error:  # noqa: BLE001 - see below
            # A bug in one round must neither end the loop nor leave anybody waiting for ever.
            _log.exception("a round of reconciliation failed")
            self._suspects = EVERY_KIND
            return dict.fromkeys(owners, refusal(error))

    async def _round(self, owners: set[Owner]) -> Mapping[Owner, Exception]:
        damaged: set[Key] = set()
        # Taken down first: a repair that is asked for meanwhile must find the next round suspicious.
        suspects, self._suspects = self._suspects, frozenset()
        if suspects:
            before = _union(self._believed.values())
            seen = self._host.seen_with(suspects)
            unseen = {key: item for key, item in before.items() if type(item) not in seen}
            found = unseen | await self.observe(suspects)
            damaged = _differing(before, found) - self._failed.keys() | self._unmended
            owners = {*self._owners(), *self._believed, _NOBODY}
            wanted, broken = self._fragments(owners)
            self._believe(found, wanted)
        else:
            wanted, broken = self._fragments(owners)
        actual = _union(self._believed.get(owner, {}) for owner in owners)
        ops = diff(actual, _union(wanted.values()))
        failed = await self._apply(ops)
        reached = after(actual, ops, failed)
        self._note(failed)
        self._unmended = damaged & failed.keys()
        self._tell_mended([op for op in ops if op.object.key in damaged - failed.keys()], wanted)
        for owner in owners:
            kept = {key: reached[key] for key in wanted[owner] if key in reached}
            self._believed[owner] = kept
            if not kept and not wanted[owner]:
                del self._believed[owner]
        refused = {
            owner: error
            for owner in owners
            if failed and (error := _first_failure(failed, ops, wanted[owner])) is not None
        }
        return refused | broken

    def _fragments(self, owners: Iterable[Owner]) -> tuple[dict[Owner, State], dict[Owner, Exception]]:
        """What each should have. One that cannot be told stays as it is believed, and the others do not wait
        for it: (fragments, why one could not be told).
        """
        wanted: dict[Owner, State] = {}
        broken: dict[Owner, Exception] = {}
        for owner in owners:
            try:
                wanted[owner] = self._desired(owner)
            except Exception as error:  # noqa: BLE001 - a bug with one record must not stop all the others
                _log.exception("what %s should have cannot be told", owner)
                wanted[owner] = self._believed.get(owner, {})
                broken[owner] = refusal(error)
        return wanted, broken

    async def _apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        if not ops:
            return {}
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._host.apply, ops)

    def _tell_mended(self, ops: Sequence[Op], wanted: Mapping[Owner, State]) -> None:
        if ops:
            owners = {key: owner for owner, fragment in wanted.items() for key in fragment}
            try:
                self.mended([(owners.get(op.object.key, ""), op) for op in ops])
            except Exception:  # noqa: BLE001 - what was mended is mended, whoever cannot hear of it
                _log.exception("a repair could not be told")

    def _believe(self, actual: State, wanted: Mapping[Owner, State]) -> None:
        """Share an observed state out among the owners; what nobody wants is kept under no owner."""
        rest = dict(actual)
        self._believed = {}
        for owner, fragment in wanted.items():
            keys = fragment.keys() & rest.keys()
            self._believed[owner] = {key: rest.pop(key) for key in keys}
        if rest:
            self._believed[_NOBODY] = rest


def _log_mended(mended: Mended) -> None:
    _log.warning("repaired: %s", summary([op for _, op in mended]))


def _answer(asked: asyncio.Future[T], look: Callable[[], T]) -> None:
    if asked.done():
        return
    try:
        asked.set_result(look())
    except Exception as error:  # noqa: BLE001 - the loop of rounds must not end by it
        asked.set_exception(error)


def _differing(before: State, now: State) -> set[Key]:
    return {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}


def _union(states: Iterable[State]) -> State:
    result: State = {}
    for state in states:
        result |= state
    return result


def _first_failure(failed: Mapping[Key, Exception], ops: Sequence[Op], wanted: State) -> Exception | None:
    for op in ops:
        key = op.object.key
        if key in failed and key in wanted and not isinstance(op, Delete):
            error = failed[key]
            return error if isinstance(error, BridgeheadError) else HostRefused(str(error))
    return None


def _resolve(futures: Iterable[asyncio.Future[None]], error: Exception | None) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
