"""Files of containers, as they are asked for and told of."""

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True, slots=True)
class PathFacts:
    """One path in a container. `mode` is as stat(2) has it; `modified` in ns since the epoch.

    `target`: where a symbolic link leads in the end, as an absolute path inside; else ''.
    """

    name: str
    size: int
    mode: int
    modified: int
    target: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an archive goes. `as_user`: all of it is to be the container's own user's.

    `keep_kinds`: a folder is not replaced by a file, nor a file by a folder.
    """

    path: str
    as_user: bool = False
    keep_kinds: bool = False


class ChangeKind(IntEnum):
    """With Docker's numbers."""

    MODIFIED = 0
    ADDED = 1
    DELETED = 2


@dataclass(frozen=True, slots=True)
class Change:
    path: str
    kind: ChangeKind
