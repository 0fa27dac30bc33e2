"""A guest: a network namespace that somebody else made, and that joins our networks as a container does.

The kernel counts namespaces and processes with numbers that it hands out again. What is written down here is
enough to tell, at any later time, whether the same one is still there.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GuestRequest:
    """Where a client says the namespace is: a path, or a process that is in it ('' and 0: not said)."""

    path: str = ""
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Guest:
    """`inode` is the namespace's number among all that live, `cookie` among all that ever lived (0: there is
    none); `boot` the machine's run in which that holds.

    `pid` 0: known by `path`. Otherwise the process, which began at `started` (clock ticks since the boot).
    `interfaces` had these names already when it came to us: they are its own.
    """

    inode: int
    boot: str
    path: str = ""
    pid: int = 0
    started: int = 0
    interfaces: tuple[str, ...] = ()
    cookie: int = 0

    @property
    def source(self) -> str:
        """The file that stands for the namespace."""
        return self.path or f"/proc/{self.pid}/ns/net"

    @property
    def spoken(self) -> str:
        return f"process {self.pid}" if self.pid else self.path
