"""What passes between the engine and a container runtime: what to run, how it ended, what it said."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridgehead.core.model.container import Bind, Container
from bridgehead.core.model.ids import ContainerID


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that the runtime needs to make one container. `namespace` None: the host's network.

    `borrowed`: namespaces of other kinds that are not its own, by path; None is the host's.
    """

    container: Container
    rootfs: str
    namespace: str | None
    files: Mapping[str, str]  # path inside -> path outside, mounted over the image's own
    volumes: tuple[Bind, ...] = ()
    borrowed: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exit:
    container: ContainerID
    code: int
    out_of_memory: bool


@dataclass(frozen=True, slots=True)
class LogLine:
    time: str  # RFC 3339 with nanoseconds, UTC
    stream: int  # 1 stdout, 2 stderr
    data: bytes  # with its newline, if the line had one
