"""Names and sandboxes' resolvers as the reconciler sees them: what the resolver process holds."""

from bridgehead.core.plan.diff import Delete, Op
from bridgehead.core.plan.names import NameRecord, ResolverView
from bridgehead.core.plan.objects import State, state
from bridgehead.host.companion.plane import CompanionPlane
from bridgehead.host.companion.wire import Json, Message, items
from bridgehead.host.resolver import wire


class ResolverPlane(CompanionPlane):
    kinds: frozenset[type] = frozenset({NameRecord, ResolverView})
    name = "resolver"
    room = "resolver"
    protocol = wire.PROTOCOL
    # While it opens the sockets of one batch it answers nobody: about 30 ms for a hundred sandboxes.
    changes_a_message = 100

    def _state(self, held: Message) -> State:
        records = [wire.record(fields) for fields in items(held.get("records"))]
        views = [wire.view(fields) for fields in items(held.get("views"))]
        return state(*records, *views)

    def _change(self, op: Op) -> Json:
        match op.object, isinstance(op, Delete):
            case NameRecord() as record, False:
                return ["put-record", wire.record_fields(record)]
            case NameRecord() as record, True:
                return ["drop-record", record.endpoint]
            case ResolverView() as view, False:
                return ["put-view", wire.view_fields(view)]
            case ResolverView() as view, True:
                return ["drop-view", view.sandbox]
            case other, _:
                raise TypeError(f"neither names nor a resolver: {other}")
