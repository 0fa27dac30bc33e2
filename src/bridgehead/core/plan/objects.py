"""Everything we may put on a machine, as values.

Each object says who it is (`key`), what it dies with (`parent`), and when it is made relative to others
(`RANK`: births run in ascending rank, deaths in descending). Two equal objects need no work; two unequal
ones with one key are updated in place where `replaceable`, else deleted and made again.

How a process with an empty memory knows each kind as ours stands with the adapter that observes it:
links by group, routes and addresses by protocol number, nftables by our own table, members of firewalld's
zones by the link of that name, the rest by our folders.
"""

from dataclasses import dataclass, field
from typing import ClassVar, get_args

from bridgehead.core.model.addresses import Address, Interface, Prefix, spelled
from bridgehead.core.model.guest import Guest
from bridgehead.core.plan.borrowed import BorrowedLink
from bridgehead.core.plan.filtering import FirewallElement, FirewallRule, FirewallTable
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.core.plan.names import NameRecord, ResolverRedirect, ResolverView
from bridgehead.core.plan.zones import ZoneMember


@dataclass(frozen=True, slots=True)
class Directory:
    """A folder with all that is in it; deleting it deletes the tree."""

    RANK: ClassVar[int] = 0
    replaceable: ClassVar[bool] = True
    path: str

    @property
    def key(self) -> Key:
        return ("directory", self.path)

    @property
    def parent(self) -> Key | None:
        return None


@dataclass(frozen=True, slots=True)
class PortHold:
    """A port of the host kept for a container: nobody else can bind it.

    `relay` is (address, port) of the container when what arrives here must be carried over by hand, because
    no rule can do it; None when rules take it away before the socket sees it. `address` may be 0.0.0.0 or ::.
    """

    RANK: ClassVar[int] = 5
    replaceable: ClassVar[bool] = True
    protocol: str  # tcp | udp | sctp
    address: Address
    port: int
    relay: tuple[Address, int] | None = None

    @property
    def key(self) -> Key:
        return ("port-hold", self.protocol, spelled(self.address), str(self.port))

    @property
    def parent(self) -> Key | None:
        return None


# Whether the host passes on what is not for itself, by address family.
FORWARDING = {4: "net/ipv4/ip_forward", 6: "net/ipv6/conf/all/forwarding"}


@dataclass(frozen=True, slots=True)
class Sysctl:
    """A kernel setting of the daemon's own namespace, by its path below /proc/sys. Never undone."""

    RANK: ClassVar[int] = 12
    replaceable: ClassVar[bool] = True
    name: str
    value: str

    @property
    def key(self) -> Key:
        return ("sysctl", self.name)

    @property
    def parent(self) -> Key | None:
        return None


@dataclass(frozen=True, slots=True)
class Bridge:
    """`route_localnet`: what the host sends to a port published on 127.0.0.1 may go out here."""

    RANK: ClassVar[int] = 20
    replaceable: ClassVar[bool] = True
    name: str
    mac: str
    mtu: int
    route_localnet: bool = False

    @property
    def key(self) -> Key:
        return ("link", "", self.name)

    @property
    def parent(self) -> Key | None:
        return None


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace kept alive by a bind mount at `path`; its loopback is up. `of`: whose it is, if it
    is not a new one of our own.
    """

    RANK: ClassVar[int] = 21
    replaceable: ClassVar[bool] = False
    path: str
    of: Guest | None = field(default=None, compare=False)

    @property
    def key(self) -> Key:
        return ("namespace", self.path)

    @property
    def parent(self) -> Key | None:
        return None


@dataclass(frozen=True, slots=True)
class Veth:
    """A pair: `name` outside as a port of `bridge`, `peer` inside `namespace`. Both ends are up.

    `hairpin`: frames may leave by the port they came in, as they do when a container uses a port of the host
    that leads to itself. `sysctls`: settings of the inner end, as `net.X.Y.IFNAME.Z=V`.
    """

    RANK: ClassVar[int] = 22
    replaceable: ClassVar[bool] = False
    name: str
    bridge: str
    namespace: str
    peer: str
    mac: str
    mtu: int
    ipv6: bool = False
    hairpin: bool = False
    sysctls: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return ("link", self.namespace, self.peer)

    @property
    def parent(self) -> Key | None:
        return ("namespace", self.namespace)


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """An address on a link; `namespace` is '' for the daemon's own."""

    RANK: ClassVar[int] = 23
    replaceable: ClassVar[bool] = False
    namespace: str
    link: str
    address: Interface

    @property
    def key(self) -> Key:
        return ("address", self.namespace, self.link, str(self.address))

    @property
    def parent(self) -> Key | None:
        return ("link", self.namespace, self.link)


@dataclass(frozen=True, slots=True)
class Route:
    RANK: ClassVar[int] = 24
    replaceable: ClassVar[bool] = True
    namespace: str
    destination: Prefix
    link: str
    gateway: Address | None = None

    @property
    def key(self) -> Key:
        return ("route", self.namespace, str(self.destination))

    @property
    def parent(self) -> Key | None:
        return ("link", self.namespace, self.link)


@dataclass(frozen=True, slots=True)
class File:
    """A text file; updated in place (same inode), because containers hold bind mounts of it."""

    RANK: ClassVar[int] = 40
    replaceable: ClassVar[bool] = True
    path: str
    content: str

    @property
    def key(self) -> Key:
        return ("file", self.path)

    @property
    def parent(self) -> Key | None:
        return ("directory", self.path.rpartition("/")[0])


@dataclass(frozen=True, slots=True)
class OverlayMount:
    """A container's root: read-only `lower` layers (lowest first) under its own `upper`."""

    RANK: ClassVar[int] = 41
    replaceable: ClassVar[bool] = False
    target: str
    lower: tuple[str, ...]
    upper: str
    work: str

    @property
    def key(self) -> Key:
        return ("mount", self.target)

    @property
    def parent(self) -> Key | None:
        return None


KernelObject = (
    Directory
    | PortHold
    | FirewallTable
    | FirewallElement
    | FirewallRule
    | ZoneMember
    | Sysctl
    | Bridge
    | ParentLink
    | Namespace
    | Veth
    | BorrowedLink
    | SubLink
    | LinkAddress
    | Route
    | ResolverRedirect
    | NameRecord
    | ResolverView
    | File
    | OverlayMount
)
Kinds = frozenset[type]
EVERY_KIND: Kinds = frozenset(get_args(KernelObject))
State = dict[Key, KernelObject]


def state(*objects: KernelObject) -> State:
    return {item.key: item for item in objects}
