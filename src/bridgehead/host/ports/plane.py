"""Ports of the host kept for containers, as the reconciler sees them: what the port keeper holds."""

import errno
from collections.abc import Iterable, Iterator, Mapping

from bridgehead.core.model.addresses import spelled
from bridgehead.core.model.errors import BridgeheadError, Conflict, FamilyMissing, HostRefused, Unavailable
from bridgehead.core.plan.diff import Delete, Op
from bridgehead.core.plan.explain import place
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import PortHold, State, state
from bridgehead.host.companion.plane import CompanionPlane
from bridgehead.host.companion.wire import Json, Message, items
from bridgehead.host.ports import holders, wire


class PortPlane(CompanionPlane):
    """The keeper must be in the daemon's network namespace, where it is when the daemon starts it."""

    kinds: frozenset[type] = frozenset({PortHold})
    name = "port keeper"
    room = "ports"
    protocol = wire.PROTOCOL
    changes_a_message = 10_000

    def _state(self, held: Message) -> State:
        return state(*(wire.hold(fields) for fields in items(held.get("holds"))))

    def _change(self, op: Op) -> Json:
        hold = _hold(op)
        if isinstance(op, Delete):
            return ["drop", hold.protocol, spelled(hold.address), hold.port]
        return ["put", wire.fields(hold)]

    def _refusals(self, problems: Mapping[Key, tuple[Op, Json]]) -> Mapping[Key, Exception]:
        found = {key: (_hold(op), *wire.problem(problem)) for key, (op, problem) in problems.items()}
        taken = [hold for hold, number, _ in found.values() if number == errno.EADDRINUSE]
        return dict(self._conflicts(taken)) | {
            key: _refusal(hold, number, reason)
            for key, (hold, number, reason) in found.items()
            if number != errno.EADDRINUSE
        }

    def _conflicts(self, taken: Iterable[PortHold]) -> Iterator[tuple[Key, Exception]]:
        for hold, holder in holders.of(taken).items():
            yield hold.key, Conflict(f"address already in use: {place(hold)} is held by {holder}")


def _hold(op: Op) -> PortHold:
    if not isinstance(op.object, PortHold):
        raise TypeError(f"no port: {op.object}")
    return op.object


def _refusal(hold: PortHold, number: int, reason: str) -> BridgeheadError:
    where = place(hold)
    match number:
        case errno.EADDRNOTAVAIL:
            return HostRefused(
                f"cannot assign requested address: {where}, for {hold.address} is no address of this host"
            )
        case errno.EAFNOSUPPORT:
            return FamilyMissing(f"cannot publish on {where}: this host has no IPv{hold.address.version}")
        case errno.EPROTONOSUPPORT:
            return HostRefused(f"cannot publish on {where}: the kernel has no {hold.protocol.upper()}")
        case errno.EMFILE | errno.ENFILE | errno.ENOBUFS | errno.ENOMEM:
            return Unavailable(f"cannot keep {where}: {reason}")
        case _:
            return HostRefused(f"cannot keep {where}: {reason}")
