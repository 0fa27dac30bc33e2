"""A link that somebody else made, lent to a sandbox for as long as its endpoint lives."""

from dataclasses import dataclass
from typing import ClassVar

from bridgehead.core.plan.key import Key


@dataclass(frozen=True, slots=True)
class BorrowedLink:
    """`source` in the daemon's own namespace, moved into `namespace` as `name`, up; given back under its old
    name when it goes. `mac` '': as it came.

    It has no parent: before its namespace is let go it has to leave, since its owner wants it back.
    """

    RANK: ClassVar[int] = 22
    replaceable: ClassVar[bool] = True
    namespace: str
    name: str
    source: str
    mac: str = ""
    ipv6: bool = False
    sysctls: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return ("link", self.namespace, self.name)

    @property
    def parent(self) -> Key | None:
        return None
