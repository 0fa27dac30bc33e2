"""How long and how much a plugin is given."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """`call_s` is for all of a call: finding, activating, asking again. `pauses_s` lie between attempts.

    `idle_s`: how long an unused connection is kept. Short, for a plugin may close it just as it is used.
    """

    connect_s: float = 2.0
    call_s: float = 30.0
    pauses_s: tuple[float, ...] = (0.1, 0.3, 0.9)
    answer_bytes: int = 1 << 20
    idle_s: float = 1.0
