"""Network, Subnet, Endpoint and Sandbox: the three parts of the Container Network Model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bridgehead.core.model.addresses import Address, Interface, Prefix, interface, link_local
from bridgehead.core.model.ids import ContainerID, EndpointID, NetworkID, SandboxID
from bridgehead.core.model.plugged import PluggedEndpoint, PluggedNetwork

PREDEFINED = ("bridge", "host", "none")


class Phase(StrEnum):
    """PENDING was written down before the kernel was touched, and no client can find it yet. LEAVING: a
    network whose plugins are being told that it goes; nobody can join it any more.
    """

    PENDING = "pending"
    READY = "ready"
    LEAVING = "leaving"


SMALLEST_IPV6_MTU = 1280  # of a link; on a smaller one the kernel has no IPv6 at all


class GatewayMode(StrEnum):
    """How a network's containers meet the world, for one address family.

    NAT: out under the host's address, in through published ports alone. UNPROTECTED: as NAT, but whoever has
    a route to a container's address reaches all of it. ROUTED: no translation; published ports are open at
    the container's own address, and it answers pings. ISOLATED: the bridge has no address (internal
    networks only).
    """

    NAT = "nat"
    UNPROTECTED = "nat-unprotected"
    ROUTED = "routed"
    ISOLATED = "isolated"


@dataclass(frozen=True, slots=True)
class Subnet:
    """`gateway` is the bridge's own address; `router` is where containers send what leaves, if elsewhere."""

    prefix: Prefix
    gateway: Address | None
    ip_range: Prefix | None = None
    auxiliary: Mapping[str, Address] = field(default_factory=dict)
    router: Address | None = None

    @property
    def address(self) -> Interface | None:
        """The bridge's own, with the length of the subnet."""
        return None if self.gateway is None else interface(self.gateway, self.prefix)


@dataclass(frozen=True, slots=True)
class BridgeOptions:
    """The bridge driver's options, parsed once; `Network.options` keeps the words as the user wrote them.

    `managed`: the bridge is ours to make and to delete; not so one that `--bridge` names. `host_binding`:
    where `-p` without an address publishes. `source4`, `source6`: what goes out takes this address.
    `standing`: addresses the bridge has from somebody else, who keeps them.
    """

    name: str
    icc: bool = True
    masquerade: bool = True
    mtu: int = 1500
    interface_prefix: str = "eth"
    address_on_bridge: bool = True
    is_default: bool = False
    managed: bool = True
    mode4: GatewayMode = GatewayMode.NAT
    mode6: GatewayMode = GatewayMode.NAT
    host_binding: Address | None = None
    source4: Address | None = None
    source6: Address | None = None
    trusted: tuple[str, ...] = ()
    standing: tuple[Address, ...] = ()

    def keeps_no_address(self, version: int) -> bool:
        """Whether the bridge itself has no address of this family, so that it cannot be a way out."""
        mode = self.mode4 if version == 4 else self.mode6
        return mode is GatewayMode.ISOLATED or (version == 4 and not self.address_on_bridge)


class ParentKind(StrEnum):
    """Whose the parent is: somebody else's (GIVEN), or made for us and gone with the last of its networks."""

    GIVEN = "given"
    VLAN = "vlan"
    DUMMY = "dummy"


@dataclass(frozen=True, slots=True)
class LanOptions:
    """The options of macvlan and ipvlan, whose endpoints stand on an interface of the host's, the parent.

    `parent_kind` VLAN: `parent` is called `base.id`. `flag`: ipvlan's alone. `shares_mac`: every endpoint has
    the parent's MAC address. `mtu` in bytes, 0: the parent's.
    """

    parent: str
    mode: str
    parent_kind: ParentKind = ParentKind.GIVEN
    flag: str = ""
    shares_mac: bool = False
    mtu: int = 0
    interface_prefix: str = "eth"

    @property
    def base(self) -> str:
        """What must be there for the parent to be."""
        return self.parent.rpartition(".")[0] if self.parent_kind is ParentKind.VLAN else self.parent

    @property
    def routed(self) -> bool:
        """Whether the parent routes for its endpoints, whose way out then is the link itself."""
        return self.mode in {"l3", "l3s"}

    @property
    def exclusive(self) -> bool:
        """Whether the parent takes one endpoint alone."""
        return self.mode == "passthru"


@dataclass(frozen=True, slots=True)
class Network:
    """`config_only`: it exists nowhere, others are made from its options and `template` (`config_from`)."""

    id: NetworkID
    name: str
    driver: str
    created: str
    subnets: tuple[Subnet, ...] = ()
    bridge: BridgeOptions | None = None
    lan: LanOptions | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    ipam_driver: str = "default"
    ipam_options: Mapping[str, str] | None = None
    internal: bool = False
    attachable: bool = False
    ipv4: bool = True
    ipv6: bool = False
    config_only: bool = False
    config_from: str = ""
    template: tuple[Subnet, ...] = ()
    phase: Phase = Phase.PENDING
    plugged: PluggedNetwork | None = None

    @property
    def predefined(self) -> bool:
        return self.name in PREDEFINED

    @property
    def user_defined(self) -> bool:
        """Names are resolved on user-defined networks alone, as Docker does."""
        return not self.predefined

    @property
    def scope(self) -> str:
        return self.plugged.scope if self.plugged else "local"

    @property
    def driven_by_plugin(self) -> bool:
        return self.plugged is not None and self.plugged.driver

    @property
    def addressed_by_plugin(self) -> bool:
        return self.plugged is not None and self.plugged.ipam

    @property
    def interface_prefix(self) -> str:
        """What interfaces in containers are called, before their number."""
        shaped = self.bridge or self.lan
        return shaped.interface_prefix if shaped else "eth"


@dataclass(frozen=True, slots=True)
class Link:
    target: str
    alias: str


@dataclass(frozen=True, slots=True)
class EndpointWish:
    """What a user asked of one attachment; kept with the container while it is stopped."""

    addresses: tuple[Address, ...] = ()
    link_local: tuple[Address, ...] = ()
    mac: str | None = None
    aliases: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    driver_options: Mapping[str, str] = field(default_factory=dict)
    gateway_priority: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One attachment of a sandbox to a network. `interface` is its name inside, `host_interface` outside.

    `service`: the daemon's own, so that the sandbox has a way out; nobody asked for it, and it has no names.
    """

    id: EndpointID
    network: NetworkID
    sandbox: SandboxID
    container: ContainerID
    wish: EndpointWish
    interface: str = ""
    host_interface: str = ""
    mac: str = ""
    addresses: tuple[Interface, ...] = ()
    phase: Phase = Phase.PENDING
    plugged: PluggedEndpoint | None = None
    service: bool = False

    @property
    def interface_addresses(self) -> tuple[Interface, ...]:
        """All that its interface carries."""
        return (*self.addresses, *map(link_local, self.wish.link_local))

    @property
    def ipv6(self) -> bool:
        return any(address.version == 6 for address in self.interface_addresses)


@dataclass(frozen=True, slots=True)
class Farewell:
    """An endpoint that is gone, of which its plugins have not heard yet; `id` was its own."""

    id: EndpointID
    endpoint: Endpoint


class SandboxKind(StrEnum):
    """Whose network stack it is: its container's own, another container's, or the host's."""

    OWN = "own"
    SHARED = "shared"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class PortBinding:
    """A port of the host given to a container for its run; `host` may be 0.0.0.0 or ::, never both in one."""

    protocol: str  # tcp | udp | sctp
    container_port: int
    host: Address
    host_port: int


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A container's network stack while it runs. `resolver_port` is where its embedded DNS listens.

    `joined`: the sandbox under whose id its namespace is kept, if not under its own. `lender`: the container
    whose network it has, if not its own container's; also of one that has the host's by way of another.
    """

    id: SandboxID
    container: ContainerID
    kind: SandboxKind = SandboxKind.OWN
    resolver_port: int = 0
    ports: tuple[PortBinding, ...] = ()
    phase: Phase = Phase.PENDING
    joined: SandboxID | None = None
    lender: ContainerID | None = None

    @property
    def namespace(self) -> SandboxID:
        """The id under which its network namespace is kept; that of the host has none."""
        return self.joined or self.id
