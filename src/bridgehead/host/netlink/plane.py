"""Links, namespaces, addresses and routes: carrying out operations on them, and saying what is there."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from bridgehead.core.model.guest import Guest
from bridgehead.core.plan.borrowed import BorrowedLink
from bridgehead.core.plan.diff import Create, Delete, Op, Update
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.core.plan.objects import Bridge, LinkAddress, Namespace, Route, State, Veth
from bridgehead.host.namespaces.files import remove
from bridgehead.host.netlink.borrowed import Borrowed
from bridgehead.host.netlink.bridges import Bridges
from bridgehead.host.netlink.doors import Doors
from bridgehead.host.netlink.entries import Entries
from bridgehead.host.netlink.lan import SubLinks
from bridgehead.host.netlink.parents import Parents
from bridgehead.host.netlink.reaper import Reaper
from bridgehead.host.netlink.refusals import Failures, attempt, refused
from bridgehead.host.netlink.sight import observe
from bridgehead.host.netlink.veths import Veths

_DIE_BY_NAME = Bridge | Veth | ParentLink


class LinkPlane:
    """`namespaces` is the folder where namespaces are kept. For one thread at a time."""

    kinds: frozenset[type] = frozenset(
        {Bridge, ParentLink, Namespace, Veth, SubLink, BorrowedLink, LinkAddress, Route}
    )

    def __init__(self, namespaces: str) -> None:
        Path(namespaces).mkdir(parents=True, exist_ok=True)
        self._folder = namespaces
        self._doors = Doors()
        self._reaper = Reaper(self._doors.host)
        self._bridges = Bridges(self._doors.host, self._reaper)
        self._veths = Veths(self._doors, self._reaper)
        self._borrowed = Borrowed(self._doors)
        self._parents = Parents(self._doors.host, self._reaper)
        self._sublinks = SubLinks(self._doors, self._reaper)
        self._entries = Entries(self._doors)

    def observe(self) -> State:
        return observe(self._folder, self._doors)

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        failures: Failures = {}
        for step, group in groupby(ops, key=_step):
            run = list(group)
            if step == "entries":
                self._entries.apply(run, failures)
            elif step == "dying links":
                self._delete_links(run, failures)
            else:
                if step == "dying namespaces":
                    doomed = [op.object.path for op in run if isinstance(op.object, Namespace)]
                    self._veths.delete_all_into(doomed)
                    self._sublinks.delete_all_into(doomed)
                for op in run:
                    attempt(op, failures, self._carry_out)
        return failures

    def close(self) -> None:
        self._reaper.close()
        self._doors.close_all()

    def _carry_out(self, op: Op) -> None:
        if isinstance(op, Delete):
            self._take_away(op)
            return
        match op:
            case Create(object=Bridge() as bridge):
                self._bridges.create(bridge)
            case Update(object=Bridge() as bridge):
                self._bridges.update(bridge)
            case Create(object=Veth() as veth):
                self._veths.create(veth)
            case Update(object=Veth() as veth):
                self._veths.update(veth)
            case Create(object=BorrowedLink() as link) | Update(object=BorrowedLink() as link):
                self._borrowed.settle(link)
            case Create(object=Namespace(path=path, of=None)):
                self._doors.make(path)
            case Create(object=Namespace(path=path, of=Guest() as guest)):
                self._doors.borrow(path, guest.source, guest.inode)
            case _:
                self._carry_out_lan(op)

    def _take_away(self, op: Delete) -> None:
        match op.object:
            case Veth() as veth:
                self._veths.delete_inner(veth)
            case BorrowedLink() as link:
                self._borrowed.delete(link)
            case Namespace() as namespace:
                self._doors.close(namespace.path)
                remove(namespace.path)
            case SubLink() as sublink:
                self._sublinks.delete(sublink)
            case _:
                raise TypeError(f"the link plane cannot carry out {op}")

    def _carry_out_lan(self, op: Op) -> None:
        match op:
            case Create(object=SubLink() as link):
                self._sublinks.create(link)
            case Update(object=SubLink() as link):
                self._sublinks.update(link)
            case Create(object=ParentLink() as parent):
                self._parents.create(parent)
            case Update(object=ParentLink() as parent):
                self._parents.update(parent)
            case _:
                raise TypeError(f"the link plane cannot carry out {op}")

    def _delete_links(self, ops: Iterable[Op], failures: Failures) -> None:
        """Side by side: each takes its time in the kernel, mostly waiting."""
        doomed = {op.object.name: op for op in ops if isinstance(op.object, _DIE_BY_NAME)}
        try:
            refusals = self._reaper.delete(doomed)
        except OSError as error:
            refusals = dict.fromkeys(doomed, error)
        for name, refusal in refusals.items():
            failures.setdefault(doomed[name].object.key, refused(doomed[name], refusal))


def _step(op: Op) -> str:
    """Neighbours of one step are carried out together."""
    if isinstance(op.object, LinkAddress | Route):
        return "entries"
    if isinstance(op, Delete) and isinstance(op.object, _DIE_BY_NAME) and op.object.name:
        return "dying links"
    if isinstance(op, Delete) and isinstance(op.object, Namespace):
        return "dying namespaces"
    return "one by one"
