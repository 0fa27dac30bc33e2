"""What the kernel announces about the daemon's own namespace, as values.

Of several notices with one `subject` only the last counts: they tell of states, not of steps. `by` names who
did it, where the kernel or /proc can say; '' for the kernel itself and for whoever is unknown.
"""

from dataclasses import dataclass

from bridgehead.core.model.addresses import Interface, Prefix

Subject = tuple[str, ...]
Table = tuple[str, str]  # family and name, as nft says them: inet bridgehead, ip filter


@dataclass(frozen=True, slots=True)
class LinkGone:
    name: str
    by: str = ""

    @property
    def subject(self) -> Subject:
        return ("link", self.name)


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """How a link is now, also one that is new. `master` is the name of its bridge, '' without one."""

    name: str
    mac: str
    mtu: int
    up: bool
    master: str
    by: str = ""

    @property
    def subject(self) -> Subject:
        return ("link", self.name)


@dataclass(frozen=True, slots=True)
class AddressGone:
    link: str
    address: Interface
    by: str = ""

    @property
    def subject(self) -> Subject:
        return ("address", self.link, str(self.address))


@dataclass(frozen=True, slots=True)
class AddressAppeared:
    link: str
    address: Interface
    by: str = ""

    @property
    def subject(self) -> Subject:
        return ("address", self.link, str(self.address))


@dataclass(frozen=True, slots=True)
class RouteGone:
    """A unicast route of the main table; `link` is '' where several share the load."""

    destination: Prefix
    link: str
    protocol: int
    by: str = ""

    @property
    def subject(self) -> Subject:
        return ("route", str(self.destination), self.link, str(self.protocol))


@dataclass(frozen=True, slots=True)
class RouteAppeared:
    destination: Prefix
    link: str
    protocol: int
    by: str = ""

    @property
    def subject(self) -> Subject:
        return ("route", str(self.destination), self.link, str(self.protocol))


@dataclass(frozen=True, slots=True)
class ForwardingChanged:
    """Whether the host passes on what is not for itself, in this family (4 or 6)."""

    family: int
    on: bool
    by: str = ""

    @property
    def subject(self) -> Subject:
        return ("forwarding", str(self.family))


@dataclass(frozen=True, slots=True)
class FirewallChanged:
    """One nftables transaction of somebody else."""

    tables: frozenset[Table]
    by: str = ""

    @property
    def subject(self) -> Subject:
        return ("firewall", *(" ".join(table) for table in sorted(self.tables)))


@dataclass(frozen=True, slots=True)
class Overrun:
    """Announcements were lost: anything may have happened."""

    by: str = ""

    @property
    def subject(self) -> Subject:
        return ("overrun",)


Notice = (
    LinkGone
    | LinkChanged
    | AddressGone
    | AddressAppeared
    | RouteGone
    | RouteAppeared
    | ForwardingChanged
    | FirewallChanged
    | Overrun
)
