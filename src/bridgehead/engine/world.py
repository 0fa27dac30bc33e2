"""What the engine needs from the world, as Protocols. Adapters in `host` fit them by shape, not by import."""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from typing import Protocol, TypeVar

import msgspec

from bridgehead.core.drivers.api import HostLink
from bridgehead.core.ipam.subnets import Occupied
from bridgehead.core.model.container import Limits, ProcessSpec
from bridgehead.core.model.guest import Guest, GuestRequest
from bridgehead.core.model.ids import ContainerID
from bridgehead.core.model.process import Bundle as Bundle  # noqa: PLC0414 - offered on: these three are
from bridgehead.core.model.process import Exit as Exit  # noqa: PLC0414 - values of this seam, made by `host`,
from bridgehead.core.model.process import LogLine as LogLine  # noqa: PLC0414 - which must not import `engine`
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.model.usage import Usage
from bridgehead.core.plan.diff import Op
from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.notice import Notice
from bridgehead.core.plan.objects import State
from bridgehead.core.ports import HostPorts as HostPorts  # noqa: PLC0414 - choosing asks it, and is pure

Answer = TypeVar("Answer", bound=msgspec.Struct)


class Store(Protocol):
    def load(self) -> Snapshot: ...

    def commit(self, old: Snapshot, new: Snapshot) -> Snapshot:
        """Make `new` durable before returning it with its revision.

        Raises:
            HostRefused: it could not be written; nothing was.
        """
        ...


class Plane(Protocol):
    """One face of the machine: it can say what is there and carry out operations on its own kinds.

    Both calls block and run on the kernel thread, never on the event loop. `observe` returns only what is
    ours. `apply` tries every operation, whatever fails, and returns the failures by key. Creating what is
    there already (with the same properties) and deleting what is gone succeed.
    """

    kinds: frozenset[type]

    def observe(self) -> State: ...

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]: ...


class Watch(Protocol):
    """Hears what happens to the daemon's own network namespace, from the moment it is made."""

    @property
    def descriptors(self) -> Sequence[int]:
        """Readable when there is something to drain."""
        ...

    def drain(self) -> Sequence[Notice]:
        """What was announced since the last time. Does not wait; one call need not empty it."""
        ...


class Stream(Protocol):
    """One attached client's end of a container's (or an exec's) standard streams."""

    async def read(self) -> tuple[int, bytes] | None:
        """The next piece as (1 stdout | 2 stderr, data); None once both have ended."""
        ...

    async def write(self, data: bytes) -> None: ...

    def close_input(self) -> None:
        """End of standard input; output goes on."""
        ...

    def close(self) -> None: ...


class Execution(Protocol):
    """One `exec` in a running container."""

    @property
    def pid(self) -> int: ...

    @property
    def stream(self) -> Stream | None: ...

    async def wait(self) -> int: ...

    def resize(self, height: int, width: int) -> None: ...

    def kill(self) -> None:
        """End its first process; one that has ended is no error."""
        ...


class Runtime(Protocol):
    """Containers as processes, outliving the daemon. All state is files; a new instance adopts by looking.

    Raises (create, start, execute):
        CommandNotFound, CommandNotExecutable: the container's own command cannot run.
        HostRefused: anything else, in the runtime's own words.
    """

    async def create(self, bundle: Bundle) -> int: ...

    async def start(self, container: ContainerID) -> None: ...

    async def signal(self, container: ContainerID, number: int) -> None: ...

    async def pause(self, container: ContainerID, *, frozen: bool) -> None: ...

    async def delete(self, container: ContainerID) -> None:
        """Kill what is left of it and remove every trace outside the engine's own directories; idempotent."""
        ...

    async def exited(self, container: ContainerID) -> Exit:
        """Wait for its end, also one that happened while no daemon ran."""
        ...

    async def remembered(self) -> Iterable[ContainerID]:
        """Every container this runtime holds a trace of, living or dead."""
        ...

    async def alive(self, container: ContainerID) -> int | None:
        """Its process id while it runs."""
        ...

    async def attach(self, container: ContainerID) -> Stream: ...

    async def execute(
        self, container: ContainerID, process: ProcessSpec, *, attach: bool, stdin: bool
    ) -> Execution: ...

    def resize(self, container: ContainerID, height: int, width: int) -> None: ...

    def processes(self, container: ContainerID) -> Sequence[int]:
        """Process ids in the host's numbering."""
        ...

    async def limit(self, container: ContainerID, limits: Limits) -> None:
        """Give a running container other limits.

        Raises:
            HostRefused: the kernel will not have them; some may have been set.
        """
        ...

    def usage(self, container: ContainerID, *, shares_host_network: bool) -> Usage | None:
        """None if it does not run. Quick enough for the event loop."""
        ...


class Logs(Protocol):
    def read(
        self, container: ContainerID, *, follow: bool, tail: int | None, since: int, until: int
    ) -> AsyncIterator[LogLine]:
        """Lines in order. tail None: all. since/until are nanoseconds since the epoch (0: no bound).

        With `follow` it ends when the container does.
        """
        ...


class Surroundings(Protocol):
    """What the host itself uses of the address space, and its names, read afresh: they come and go."""

    def occupied(self, ours: Collection[str]) -> Sequence[Occupied]:
        """Routes, addresses and name servers, but for those on the interfaces named in `ours`."""
        ...

    def names(self) -> tuple[str, str]:
        """The host's own name, and what its /etc/hosts holds."""
        ...


class Parents(Protocol):
    """The host's own interfaces, on which networks may stand. Quick enough for the event loop."""

    def links(self, names: Collection[str]) -> Mapping[str, HostLink]:
        """Those of these names that are there."""
        ...

    def link_kinds(self, asked: Collection[str]) -> frozenset[str]:
        """Of these kinds, as macvlan, those that the kernel can make. It may load a module to find out."""
        ...


class Neighbours(Protocol):
    """Other people's firewalls on this host. Blocks: call through a thread."""

    def companions(self) -> tuple[FirewallRule, ...]:
        """What must stand in their tables, so that they do not drop what our own rules let pass."""
        ...

    def zoned(self) -> bool:
        """Whether firewalld runs, which lets pass what is in a zone that accepts. Never takes long."""
        ...


class Plugins(Protocol):
    """Drivers in processes of others, found by name and asked in `core.remote.protocol`'s words.

    Each call ends within a bounded time. Nothing is remembered of a plugin but its connections and what it
    implements, and that only for the life of its socket.
    """

    async def activate(self, name: str, interface: str) -> int:
        """Find the plugin and make sure that it implements "NetworkDriver" or "IpamDriver".

        The number of its life, another after each restart that was noticed: with it kept beside what a plugin
        was told, each can see for itself whether that still holds.

        Raises:
            PluginMissing: no folder has it.
            NotFound: it does something else.
            PluginUnreachable, PluginRefused, PluginAnswer: as `call`.
        """
        ...

    async def call(
        self, name: str, method: str, request: msgspec.Struct | None, kind: type[Answer]
    ) -> Answer:
        """The plugin's answer to `method`, like "NetworkDriver.Join", judged.

        Raises:
            PluginMissing: no folder has it (any more).
            PluginUnreachable: it does not listen, or did not answer in time; it may have acted nevertheless.
            PluginRefused: it said no.
            PluginAnswer: its answer makes no sense.
        """
        ...

    def known(self) -> Sequence[str]:
        """The names found in the folders now, sorted; whether they answer is not asked."""
        ...

    async def close(self) -> None: ...


class Namespaces(Protocol):
    """Network namespaces on this machine. All but `gone` block, shortly: call through a thread."""

    def recognise(self, request: GuestRequest) -> Guest:
        """What is at the path, or of the process, as it can be told from others for good.

        Raises:
            InvalidParameter: that is no network namespace, or the process does not exist.
        """
        ...

    def own(self) -> int:
        """The inode of the daemon's."""
        ...

    def kept(self, path: str) -> int | None:
        """The inode of the one kept at `path`, if there is one."""
        ...

    def still(self, guest: Guest) -> bool:
        """Whether it is there yet, and the same."""
        ...

    async def gone(self, guest: Guest) -> None:
        """Wait until it is not; within about a second of its end."""
        ...


class Clock(Protocol):
    def now(self) -> int:
        """Nanoseconds since the epoch."""
        ...


class Random(Protocol):
    def identifier(self) -> str:
        """64 hexadecimal digits."""
        ...

    def port(self) -> int:
        """A port in the dynamic range."""
        ...

    def mac(self) -> str:
        """A unicast, locally administered MAC address."""
        ...


Background = Callable[[Awaitable[None]], None]
