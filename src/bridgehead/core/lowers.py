"""Judging what is announced about interfaces that macvlan and ipvlan links stand on.

The links are in containers' namespaces, where nobody listens. But the kernel announces an interface whenever
a link comes to stand on it or ceases to. If ours upon it are those of the last judgement, the announcement is
not of our doing, and one of ours may be gone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bridgehead.core.model.network import Network, ParentKind
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.core.plan.notice import LinkChanged
from bridgehead.core.plan.objects import KernelObject


@dataclass(frozen=True, slots=True)
class Believed:
    """`upon`: our links by the name of the interface they stand on. `unmoved`: interfaces on which these are
    the same as at the last judgement. `made`: parents of ours. `awaited`: interfaces that are to be stood on
    and are not there.
    """

    upon: Mapping[str, frozenset[Key]] = field(default_factory=dict)
    unmoved: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()
    awaited: frozenset[str] = frozenset()

    def is_missed(self, name: str) -> bool:
        return name in self.upon or name in self.made

    def is_moved(self, now: LinkChanged) -> bool:
        if now.name in self.made and not now.up:
            return True
        return now.name in self.unmoved or now.name in self.awaited


NOTHING = Believed()


def believed(objects: Iterable[KernelObject], before: Believed, snapshot: Snapshot | None) -> Believed:
    upon: dict[str, set[Key]] = {}
    made: set[str] = set()
    for item in objects:
        if isinstance(item, SubLink):
            upon.setdefault(item.lower, set()).add(item.key)
        elif isinstance(item, ParentLink):
            made.add(item.name)
            if item.base:
                upon.setdefault(item.base, set()).add(item.key)
    settled = {name: frozenset(keys) for name, keys in upon.items()}
    unmoved = frozenset(name for name, keys in settled.items() if before.upon.get(name) == keys)
    return Believed(settled, unmoved, frozenset(made), _awaited(snapshot, settled, made))


def _awaited(snapshot: Snapshot | None, upon: Mapping[str, frozenset[Key]], made: set[str]) -> frozenset[str]:
    if snapshot is None:
        return frozenset()
    return frozenset(
        network.lan.base
        for network in snapshot.networks.values()
        if network.lan is not None
        and (
            network.lan.parent not in upon
            if snapshot.network_endpoints(network.id)
            else _unmade(network, made)
        )
    )


def _unmade(network: Network, made: set[str]) -> bool:
    lan = network.lan
    return lan is not None and lan.parent_kind is not ParentKind.GIVEN and lan.parent not in made


def is_lent(network: Network, name: str) -> bool:
    """Whether the network stands on the interface of this name, and somebody else must bring it back."""
    lan = network.lan
    return lan is not None and lan.parent_kind is not ParentKind.DUMMY and lan.base == name


def on(snapshot: Snapshot, name: str) -> list[Network]:
    """The networks that stand on the interface of this name, be it through a VLAN of ours."""
    return [
        network
        for network in snapshot.networks.values()
        if network.lan is not None and name in {network.lan.parent, network.lan.base}
    ]
