"""A process beside the daemon as the reconciler sees it: a plane that keeps its things in there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.diff import Op
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import State
from bridgehead.host.companion import client as sessions
from bridgehead.host.companion.client import Client, Companion
from bridgehead.host.companion.wire import Json, Message, NotUnderstood


class CompanionPlane:
    """With `start` False it neither starts nor changes a process, and reports what a running one holds.

    The process is started when there is first a thing to keep. Things live in it alone: once it dies nothing
    is held, and `apply` fails until `observe` has said so. `born` hears the process id of each one met.
    """

    name: ClassVar[str]
    room: ClassVar[str]
    protocol: ClassVar[int]
    changes_a_message: ClassVar[int]

    def __init__(
        self,
        socket_path: str,
        command: Sequence[str] | None = None,
        *,
        start: bool = True,
        born: Callable[[int], object] = lambda _: None,
    ) -> None:
        words = tuple(command or sessions.command(self.room))
        self._companion = Companion(self.name, self.protocol, socket_path, words)
        self._path = socket_path
        self._born = born
        self._start = start
        self._session: Client | None = None
        self._lost = False

    def _state(self, held: Message) -> State:
        """What an answer to `observe` means. Raises NotUnderstood."""
        raise NotImplementedError

    def _change(self, op: Op) -> Json:
        raise NotImplementedError

    def _refusals(self, problems: Mapping[Key, tuple[Op, Json]]) -> Mapping[Key, Exception]:
        """What the problems mean, as errors."""
        return {key: HostRefused(str(problem)) for key, (_, problem) in problems.items()}

    @property
    def pid(self) -> int | None:
        """Process id of the one last spoken to."""
        return self._session.pid if self._session else None

    def alive(self) -> bool:
        """Whether that process is still there. It never waits, and any thread may call it."""
        session = self._session
        return session is not None and session.alive()

    def observe(self) -> State:
        """Raises HostRefused: another daemon feeds the process, or it cannot be understood."""
        if not self.alive():
            self.close()
        self._lost = False
        session = self._session or self._met(self._found())
        if session is None:
            return {}
        held = self._ask(session, {"do": "observe"})
        try:
            return self._state(held)
        except NotUnderstood as error:
            raise HostRefused(f"{self._companion} cannot be understood: {error}") from error

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        failed: dict[Key, Exception] = {}
        problems: dict[Key, tuple[Op, Json]] = {}
        for start in range(0, len(ops), self.changes_a_message):
            batch = ops[start : start + self.changes_a_message]
            try:
                problems.update(self._applied(batch))
            except HostRefused as error:
                failed.update((op.object.key, error) for op in batch)
        return {**failed, **self._refusals(problems)} if problems else failed

    def stop(self) -> None:
        """End the process and wait for it; what it held is gone.

        Raises:
            HostRefused: another daemon feeds it, or it does not end.
        """
        session = self._session or sessions.connect(self._companion)
        if session is not None:
            session.ask({"do": "shutdown"})
            session.wait_for_end()
            session.close()
        self._session = None

    def close(self) -> None:
        """End the session; the process goes on with what it holds."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _found(self) -> Client | None:
        return sessions.adopt(self._companion) if self._start else sessions.look(self._companion)

    def _met(self, session: Client | None) -> Client | None:
        if session is not None:
            self._session = session
            self._born(session.pid)
        return session

    def _applied(self, batch: Sequence[Op]) -> Iterator[tuple[Key, tuple[Op, Json]]]:
        if self._lost or not self._start:
            raise HostRefused(f"there is no {self.name} at {self._path}")
        session = self._session or self._met(sessions.own(self._companion))
        if session is None:
            raise HostRefused(f"there is no {self.name} at {self._path}")
        answer = self._ask(session, {"do": "apply", "changes": [self._change(op) for op in batch]})
        results = answer.get("results")
        if not isinstance(results, list) or len(results) != len(batch):
            raise HostRefused(f"{self._companion} cannot be understood: {answer!r:.80}")
        return (
            (op.object.key, (op, problem))
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
