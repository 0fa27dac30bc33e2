"""How often the host may be looked at because of what others do to it: at once, unless they do not stop."""

from collections import Counter, deque
from collections.abc import Iterable

from bridgehead.core.plan.notice import Subject

_MEMORY_S = 120.0
_FREE = 10  # looks within the memory because of one subject that cost no pause
_FREE_IN_ALL = 60
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 20.0


class Pace:
    """Whoever changes one thing again and again slows its repair down, not that of the rest.

    Times are seconds of any clock that only runs forward.
    """

    def __init__(self) -> None:
        self._looks: deque[tuple[float, frozenset[Subject]]] = deque()

    def looked(self, now: float, because_of: Iterable[Subject]) -> None:
        self._looks.append((now, frozenset(because_of)))

    def pause_s(self, now: float, because_of: Iterable[Subject]) -> float:
        """How long to wait before the next look; the subject seen least often decides."""
        while self._looks and self._looks[0][0] < now - _MEMORY_S:
            self._looks.popleft()
        seen = Counter(subject for _, subjects in self._looks for subject in subjects)
        calmest = min((seen[subject] for subject in because_of), default=0)
        excess = max(calmest - _FREE, len(self._looks) - _FREE_IN_ALL)
        return 0.0 if excess < 0 else min(_FIRST_PAUSE_S * 2.0**excess, _LONGEST_PAUSE_S)
