"""The difference between what is and what should be, as operations in a safe order.

Deaths run before births: a name or an address may be needed again at once. Within deaths, high ranks go
first (an address before nothing: what dies with its parent is left to whoever deletes that). Within births,
filter rules come before the links they guard, so that nothing is ever open by accident.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bridgehead.core.plan.key import Key
from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.core.plan.objects import KernelObject, State, Sysctl, Veth


@dataclass(frozen=True, slots=True)
class Create:
    object: KernelObject


@dataclass(frozen=True, slots=True)
class Update:
    before: KernelObject
    object: KernelObject


@dataclass(frozen=True, slots=True)
class Delete:
    object: KernelObject


Op = Create | Update | Delete


def diff(actual: State, desired: State) -> list[Op]:
    """Operations that turn `actual` into `desired`; none when they are equal."""
    doomed = _doomed(actual, desired)
    deaths = [
        Delete(actual[key])
        for key in doomed
        if not _dies_with_parent(actual[key], doomed) and not isinstance(actual[key], Sysctl)
    ]
    births: list[Op] = []
    for key, wanted in desired.items():
        present = actual.get(key)
        if present is None or key in doomed:
            births.append(Create(wanted))
        elif present != wanted:
            births.append(Update(present, wanted))
    deaths.sort(key=lambda op: -op.object.RANK)
    births.sort(key=lambda op: op.object.RANK)
    return [*deaths, *births]


def _doomed(actual: State, desired: State) -> set[Key]:
    """Keys to delete: unwanted, not changeable in place, or below something that is deleted."""
    doomed = {
        key
        for key, present in actual.items()
        if key not in desired or (present != desired[key] and not _replaceable(present, desired[key]))
    }
    while spreading := {
        key for key, present in actual.items() if key not in doomed and present.parent in doomed
    }:
        doomed |= spreading
    return doomed


def _replaceable(present: KernelObject, wanted: KernelObject) -> bool:
    if isinstance(present, Veth) and isinstance(wanted, Veth):
        # A veth changes what concerns its outer end in place; connections inside live on.
        outer = replace(present, bridge=wanted.bridge, mtu=wanted.mtu, hairpin=wanted.hairpin)
        return outer == wanted
    if isinstance(present, SubLink) and isinstance(wanted, SubLink):
        return present.can_become(wanted)
    if isinstance(present, ParentLink) and isinstance(wanted, ParentLink):
        return present.can_become(wanted)
    return type(present) is type(wanted) and wanted.replaceable


def _dies_with_parent(item: KernelObject, doomed: set[Key]) -> bool:
    return item.parent in doomed


def after(actual: State, ops: list[Op], failed: Mapping[Key, Exception]) -> State:
    """The state believed to hold once `ops` ran, with those in `failed` left as they were before."""
    result = dict(actual)
    done = [(key, op) for op in ops if (key := op.object.key) not in failed]
    gone = {key for key, op in done if isinstance(op, Delete)}
    while below := {key for key, item in result.items() if item.parent in gone and key not in gone}:
        gone |= below
    for key in gone:
        result.pop(key, None)
    for key, op in done:
        if not isinstance(op, Delete):
            result[key] = op.object
    return result
