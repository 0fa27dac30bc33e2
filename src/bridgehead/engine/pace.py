"""How often the host may be looked at because of what others do to it: at once, unless they do not stop."""

from collections import Counter, deque
from collections.abc import Collection, Iterable

from bridgehead.core.plan.notice import Subject

_MEMORY_S = 120.0
_FREE = 10  # repairs within the memory because of one subject that cost no pause
_FREE_IN_ALL = 60
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 20.0
_LEAST_REST_S, _LONGEST_REST_S, _REST_PER_LOOK = 0.5, 2.0, 9  # looking takes a tenth of the time, if it can


class Pace:
    """Whoever changes one thing again and again slows its repair down, not that of the rest.

    Who only works beside ours damages nothing, but may not keep us busy with looking either. Times are
    seconds of any clock that only runs forward.
    """

    def __init__(self) -> None:
        self._repairs: deque[tuple[float, frozenset[Subject]]] = deque()
        self._resting: dict[Subject, float] = {}

    def repaired(self, now: float, because_of: Iterable[Subject]) -> None:
        self._repairs.append((now, frozenset(because_of)))

    def looked_in_vain(self, now: float, because_of: Iterable[Subject], took_s: float) -> None:
        """Everything was as it should be."""
        self._resting = {subject: end for subject, end in self._resting.items() if end > now}
        end = now + min(max(_LEAST_REST_S, took_s * _REST_PER_LOOK), _LONGEST_REST_S)
        self._resting |= dict.fromkeys(because_of, end)

    def pause_s(self, now: float, because_of: Collection[Subject]) -> float:
        """How long to wait before the next look; the calmest subject decides."""
        rest_s = min((self._resting.get(subject, now) - now for subject in because_of), default=0.0)
        return max(self.war_s(now, because_of), rest_s)

    def war_s(self, now: float, because_of: Collection[Subject]) -> float:
        """How much of that because repairs are undone again and again."""
        while self._repairs and self._repairs[0][0] < now - _MEMORY_S:
            self._repairs.popleft()
        seen = Counter(subject for _, subjects in self._repairs for subject in subjects)
        calmest = min((seen[subject] for subject in because_of), default=0)
        excess = max(calmest - _FREE, len(self._repairs) - _FREE_IN_ALL)
        return 0.0 if excess < 0 else min(_FIRST_PAUSE_S * 2.0**excess, _LONGEST_PAUSE_S)
