"""Names and sandboxes' resolvers as the reconciler sees them: what the resolver process holds."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.diff import Delete, Op
from bridgehead.core.plan.objects import Key, NameRecord, ResolverView, State, state
from bridgehead.host.resolver import client as sessions
from bridgehead.host.resolver import wire
from bridgehead.host.resolver.client import Client
from bridgehead.host.resolver.wire import Json, Message, NotUnderstood

# While it opens the sockets of one batch the resolver answers nobody: about 30 ms for a hundred sandboxes.
_CHANGES_A_MESSAGE = 100


class ResolverPlane:
    """With `start` False it neither starts nor changes a resolver, and reports what a running one holds.

    The process is started when there is first a name to keep. Names live in it alone: once it dies nothing is
    held, and `apply` fails until `observe` has said so. `born` hears the process id of each resolver met.
    """

    kinds: frozenset[type] = frozenset({NameRecord, ResolverView})

    def __init__(
        self,
        socket_path: str,
        command: Sequence[str] | None = None,
        *,
        start: bool = True,
        born: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._path = socket_path
        self._born = born
        self._command = tuple(command or sessions.COMMAND)
        self._start = start
        self._session: Client | None = None
        self._lost = False

    @property
    def pid(self) -> int | None:
        """Process id of the resolver last spoken to."""
        return self._session.pid if self._session else None

    def alive(self) -> bool:
        """Whether that process is still there. It never waits, and any thread may call it."""
        session = self._session
        return session is not None and session.alive()

    def observe(self) -> State:
        """Raises HostRefused: another daemon feeds the resolver, or it cannot be understood."""
        if not self.alive():
            self.close()
        self._lost = False
        session = self._session or self._met(self._found())
        if session is None:
            return {}
        held = self._ask(session, {"do": "observe"})
        try:
            records = [wire.record(fields) for fields in wire.items(held.get("records"))]
            views = [wire.view(fields) for fields in wire.items(held.get("views"))]
        except NotUnderstood as error:
            raise HostRefused(f"the resolver at {self._path} cannot be understood: {error}") from error
        return state(*records, *views)

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        failed: dict[Key, Exception] = {}
        for start in range(0, len(ops), _CHANGES_A_MESSAGE):
            batch = ops[start : start + _CHANGES_A_MESSAGE]
            try:
                failed.update(self._applied(batch))
            except HostRefused as error:
                failed.update((op.object.key, error) for op in batch)
        return failed

    def stop(self) -> None:
        """End the resolver process and wait for it; names stop resolving.

        Raises:
            HostRefused: another daemon feeds it, or it does not end.
        """
        session = self._session or sessions.connect(self._path)
        if session is not None:
            session.ask({"do": "shutdown"})
            session.wait_for_end()
            session.close()
        self._session = None

    def close(self) -> None:
        """End the session; the resolver goes on serving what it holds."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _found(self) -> Client | None:
        if self._start:
            return sessions.adopt(self._path, self._command)
        return sessions.look(self._path)

    def _met(self, session: Client | None) -> Client | None:
        if session is not None:
            self._session = session
            self._born(session.pid)
        return session

    def _applied(self, batch: Sequence[Op]) -> Iterator[tuple[Key, Exception]]:
        if self._lost or not self._start:
            raise HostRefused(f"there is no resolver at {self._path}")
        session = self._session or self._met(sessions.own(self._path, self._command))
        if session is None:
            raise HostRefused(f"there is no resolver at {self._path}")
        answer = self._ask(session, {"do": "apply", "changes": [_change(op) for op in batch]})
        results = answer.get("results")
        if not isinstance(results, list) or len(results) != len(batch):
            raise HostRefused(f"the resolver at {self._path} cannot be understood: {answer!r:.80}")
        return (
            (op.object.key, HostRefused(str(problem)))
            for op, problem in zip(batch, results, strict=True)
            if problem is not None
        )

    def _ask(self, session: Client, message: Message) -> Message:
        try:
            return session.ask(message)
        except HostRefused:
            # Whatever went wrong, the two no longer know which answer belongs to which question.
            self.close()
            self._lost = True
            raise


def _change(op: Op) -> Json:
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
