"""What we ask of a firewalld that runs on this machine."""

from dataclasses import dataclass
from typing import ClassVar

from bridgehead.core.plan.key import Key


@dataclass(frozen=True, slots=True)
class ZoneMember:
    """A bridge of ours in a zone of firewalld's that accepts. One of the kernel objects: see `objects`."""

    RANK: ClassVar[int] = 13  # before the bridge, so that it is never in the zone for strangers
    replaceable: ClassVar[bool] = False
    bridge: str

    @property
    def key(self) -> Key:
        return ("zone-member", self.bridge)

    @property
    def parent(self) -> Key | None:
        return None
