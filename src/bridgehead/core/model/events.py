"""What happened, in the words of Docker's event stream."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    """type: network | container | image | daemon; time in nanoseconds since the epoch."""

    type: str
    action: str
    actor: str
    time: int
    attributes: Mapping[str, str] = field(default_factory=dict)
