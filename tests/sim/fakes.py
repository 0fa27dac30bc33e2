"""A machine in memory: it cascades and refuses as Linux does, and breaks where a test says so.

`tests/host` checks the real planes against the same expectations.
"""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

from bridgehead.core.model.errors import HostRefused, InvalidParameter
from bridgehead.core.model.guest import Guest, GuestRequest
from bridgehead.core.model.ids import ContainerID
from bridgehead.core.model.process import Bundle, Exit
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.diff import Create, Delete, Op
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import KernelObject, State


class PowerCut(BaseException):
    """The process is gone at this point: nothing after it happens."""


class Switch:
    """Counts effects, and fails or cuts the power at one of them."""

    def __init__(self) -> None:
        self.effects = 0
        self.refuse_at = -1
        self.cut_before = -1
        self.dark = False

    def effect(self) -> None:
        self.effects += 1
        self.dark = self.dark or self.effects == self.cut_before
        if self.dark:
            raise PowerCut
        if self.effects == self.refuse_at:
            raise HostRefused("the test said no")


class Machine:
    """One plane for every kind. Survives the engine, as a kernel survives a daemon."""

    kinds = frozenset(get_args(KernelObject))

    def __init__(self, switch: Switch) -> None:
        self.present: State = {}
        self.refused: Key | None = None  # an object that this machine never lets come to be
        self._switch = switch

    def observe(self) -> State:
        return dict(self.present)

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        failed: dict[Key, Exception] = {}
        for op in ops:
            try:
                self._switch.effect()
                self._carry_out(op)
            except HostRefused as error:
                failed[op.object.key] = error
        return failed

    def _carry_out(self, op: Op) -> None:
        if isinstance(op, Delete):
            self._delete(op.object)
            return
        if op.object.key == self.refused:
            raise HostRefused("the test said no")
        parent = op.object.parent
        if parent not in {None, ("namespace", "")} and parent not in self.present:
            raise HostRefused(f"{op.object.key}: there is no {parent}")
        if isinstance(op, Create) and self.present.get(op.object.key, op.object) != op.object:
            raise HostRefused(f"{op.object.key} exists")
        self.present[op.object.key] = op.object

    def _delete(self, item: KernelObject) -> None:
        self.present.pop(item.key, None)
        for child in [child for child in self.present.values() if child.parent == item.key]:
            self._delete(child)


class Disk:
    """A store whose commits are durable the moment they return."""

    def __init__(self, switch: Switch) -> None:
        self.snapshot = Snapshot()
        self._switch = switch

    def load(self) -> Snapshot:
        return self.snapshot

    def commit(self, old: Snapshot, new: Snapshot) -> Snapshot:
        assert old.revision == self.snapshot.revision, "two writers"
        self._switch.effect()
        self.snapshot = replace(new, revision=old.revision + 1)
        return self.snapshot


class Processes:
    """A runtime whose containers live in this object; `die` ends one."""

    def __init__(self, switch: Switch) -> None:
        self.alive_: dict[ContainerID, asyncio.Future[Exit] | None] = {}
        self.ended: dict[ContainerID, Exit] = {}
        self._switch = switch
        self._pids = itertools.count(100)

    async def create(self, bundle: Bundle) -> int:
        self._switch.effect()
        self.alive_[bundle.container.id] = None
        return next(self._pids)

    async def start(self, container: ContainerID) -> None:
        self._switch.effect()

    async def signal(self, container: ContainerID, number: int) -> None:
        self.die(container, 128 + number)

    def die(self, container: ContainerID, code: int) -> None:
        if container not in self.alive_:
            return
        waiting = self.alive_.pop(container)
        self.ended[container] = Exit(container, code, out_of_memory=False)
        if waiting is not None and not waiting.done():
            waiting.set_result(self.ended[container])

    async def pause(self, container: ContainerID, *, frozen: bool) -> None: ...

    async def delete(self, container: ContainerID) -> None:
        self._switch.effect()
        self.alive_.pop(container, None)
        self.ended.pop(container, None)

    async def exited(self, container: ContainerID) -> Exit:
        if container in self.ended:
            return self.ended[container]
        future: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self.alive_[container] = future
        return await future

    async def remembered(self) -> list[ContainerID]:
        return [*self.alive_, *self.ended]

    async def alive(self, container: ContainerID) -> int | None:
        return 100 if container in self.alive_ else None

    def resize(self, container: ContainerID, height: int, width: int) -> None: ...


class Strangers:
    """Namespaces that others made, by path; `end` takes one away, `replace` puts another in its place."""

    OWN = 1

    def __init__(self) -> None:
        self.inodes: dict[str, int] = {"/proc/1/ns/net": self.OWN}
        self._numbers = itertools.count(2)
        self._changed = asyncio.Event()

    def make(self, path: str) -> str:
        self.inodes[path] = next(self._numbers)
        self._tell()
        return path

    replace = make

    def end(self, path: str) -> None:
        del self.inodes[path]
        self._tell()

    def recognise(self, request: GuestRequest) -> Guest:
        guest = Guest(0, "boot", request.path, request.pid)
        if guest.source not in self.inodes:
            raise InvalidParameter(f"{guest.source} is no network namespace")
        return replace(guest, inode=self.inodes[guest.source])

    def own(self) -> int:
        return self.OWN

    def kept(self, path: str) -> int | None:
        return self.inodes.get(path)

    def still(self, guest: Guest) -> bool:
        return self.inodes.get(guest.source) == guest.inode

    async def gone(self, guest: Guest) -> None:
        while self.still(guest):
            await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
