"""What a child is told to do, as the one word of its command line, and what it tells first."""

from enum import StrEnum

import msgspec

GONE = 4
"""Exit status: there is no such path."""

FORBIDDEN = 5
"""Exit status: what was to be written cannot be."""

STOPPED = 6
"""Exit status: the container's root is no longer where it was."""


class Verb(StrEnum):
    STAT = "stat"
    READ = "read"
    WRITE = "write"
    EXPORT = "export"
    DIFFER = "differ"


class Inner(msgspec.Struct, frozen=True):
    """Something mounted inside."""

    source: str
    target: str
    read_only: bool = False


class Order(msgspec.Struct, frozen=True):
    """`hidden`: where every container has something mounted that its user never asked for. `parent`: the
    daemon's process id.
    """

    verb: Verb
    target: str
    lower: tuple[str, ...]
    upper: str
    work: str
    running: bool
    read_only: bool = False
    inner: tuple[Inner, ...] = ()
    hidden: tuple[str, ...] = ()
    path: str = ""
    as_user: str | None = None
    keep_kinds: bool = False
    parent: int = 0


class Facts(msgspec.Struct, frozen=True):
    name: str
    size: int
    mode: int
    modified: int
    target: str = ""


class Difference(msgspec.Struct, frozen=True, array_like=True):
    kind: int
    path: str
