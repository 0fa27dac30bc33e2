"""Every question libnetwork asks of a plugin and every answer to one, in the wire's spelling and order.

Texts stay texts in the fields, so that what is written is what was said; properties give the model's types.
An answer cannot be made with a text its properties could not read: that is a ValueError, and from the wire a
`msgspec.ValidationError` that tells the place.

Source: libnetwork's remote drivers as observed; see `docs/design/remote.md`.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, Literal, Self

from msgspec import Struct, field

from bridgehead.core.model.addresses import Address, Interface, Prefix
from bridgehead.core.remote import words
from bridgehead.core.remote.words import wire_name

NETWORK_DRIVER = "NetworkDriver"
IPAM_DRIVER = "IpamDriver"
ACTIVATE = "Plugin.Activate"


class Request(Struct, frozen=True, kw_only=True, rename=wire_name):
    """Every field is written, also an empty one."""


class Answer(Struct, frozen=True, kw_only=True, rename=wire_name, omit_defaults=True):
    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """
        Raises:
            ValueError: a text does not mean what its field is for.
        """

    def check_against(self, request: Struct | None) -> None:
        """
        Raises:
            ValueError: it does not answer this question.
        """


class Part(Struct, frozen=True, kw_only=True, rename=wire_name, omit_defaults=True):
    """A piece of a question or an answer; what is empty in it is left out."""


class Nothing(Answer, frozen=True, kw_only=True):
    """The answer where there is nothing to tell."""


class Implements(Answer, frozen=True, kw_only=True):
    """To `Plugin.Activate`, which carries no body."""

    implements: tuple[str, ...] = ()


# NetworkDriver: GetCapabilities carries no body.

Scope = Literal["local", "global"]


class NetworkCapabilities(Answer, frozen=True, kw_only=True):
    scope: str = ""
    connectivity_scope: str = ""
    gw_alloc_checker: bool = False

    def check(self) -> None:
        for scope in (self.scope, self.connectivity_scope or self.scope):
            if scope not in {"local", "global"}:
                told = scope if scope.isprintable() and len(scope) < 40 else words.shown(scope)
                raise ValueError(f"invalid capability: expecting 'local' or 'global', got {told}")

    @property
    def is_global(self) -> bool:
        """Whether its networks are the whole cluster's."""
        return self.scope == "global"

    @property
    def connects_globally(self) -> bool:
        return (self.connectivity_scope or self.scope) == "global"


class IpamData(Part, frozen=True, kw_only=True):
    """`pool`, `gateway` and each auxiliary address as CIDR text."""

    address_space: str
    aux_addresses: Mapping[str, str] = {}
    gateway: str = ""
    pool: str = ""


class AllocateNetwork(Request, frozen=True, kw_only=True):
    network_id: str
    options: Mapping[str, str] = {}
    ipv4_data: tuple[IpamData, ...] = ()
    ipv6_data: tuple[IpamData, ...] = ()


class AllocatedNetwork(Answer, frozen=True, kw_only=True):
    options: Mapping[str, str] = {}


class FreeNetwork(Request, frozen=True, kw_only=True):
    network_id: str


class GwAllocCheck(Request, frozen=True, kw_only=True):
    options: Mapping[str, Any] = {}


class GwAllocChecked(Answer, frozen=True, kw_only=True):
    skip_ipv4: bool = False
    skip_ipv6: bool = False


class CreateNetwork(Request, frozen=True, kw_only=True):
    network_id: str
    options: Mapping[str, Any] = {}
    ipv4_data: tuple[IpamData, ...] = ()
    ipv6_data: tuple[IpamData, ...] = ()

    @property
    def driver_options(self) -> Mapping[str, str]:
        """What the user said with `-o`."""
        given = self.options.get(words.GENERIC)
        return given if isinstance(given, dict) else {}

    @property
    def internal(self) -> bool:
        return self.options.get(words.INTERNAL) is True


class DeleteNetwork(Request, frozen=True, kw_only=True):
    network_id: str


class EndpointInterface(Struct, frozen=True, kw_only=True, rename=wire_name):
    """`address` and `address_ipv6` as CIDR text. Asked: every field is written, "" where nothing is given."""

    address: str = ""
    address_ipv6: str = ""
    mac_address: str = ""

    @property
    def ipv4(self) -> IPv4Interface | None:
        return words.cidr4(self.address)

    @property
    def ipv6(self) -> IPv6Interface | None:
        return words.cidr6(self.address_ipv6)

    @property
    def mac(self) -> str | None:
        return words.mac(self.mac_address)


class CreateEndpoint(Request, frozen=True, kw_only=True):
    network_id: str
    endpoint_id: str
    interface: EndpointInterface | None = None
    options: Mapping[str, Any] = {}


class AnsweredInterface(EndpointInterface, frozen=True, kw_only=True, omit_defaults=True):
    """Only what the plugin chose itself."""

    def __post_init__(self) -> None:
        _ = self.ipv4, self.ipv6, self.mac


class CreatedEndpoint(Answer, frozen=True, kw_only=True):
    interface: AnsweredInterface | None = None

    def check_against(self, request: Struct | None) -> None:
        if isinstance(request, CreateEndpoint) and request.interface and self.interface:
            asked, answered = request.interface, self.interface
            _unchanged("address", asked.ipv4, answered.ipv4)
            _unchanged("IPv6 address", asked.ipv6, answered.ipv6)
            _unchanged("MAC address", asked.mac, answered.mac)


def _unchanged(what: str, asked: object, answered: object) -> None:
    if asked is not None and answered is not None and asked != answered:
        raise ValueError(f"driver modified interface {what}: it was given {asked} and answered {answered}")


class OfEndpoint(Request, frozen=True, kw_only=True):
    network_id: str
    endpoint_id: str


class EndpointOperInfo(OfEndpoint, frozen=True, kw_only=True):
    pass


class OperInfo(Answer, frozen=True, kw_only=True):
    value: Mapping[str, Any] = {}


class DeleteEndpoint(OfEndpoint, frozen=True, kw_only=True):
    pass


class Join(OfEndpoint, frozen=True, kw_only=True):
    sandbox_key: str
    options: Mapping[str, Any] = {}


class InterfaceName(Part, frozen=True, kw_only=True):
    """`src_name`: the link to move into the sandbox, "" for none; `dst_prefix` and a number name it there."""

    src_name: str = ""
    dst_prefix: str = ""
    dst_name: str = ""

    def __post_init__(self) -> None:
        words.link_name(self.src_name)
        words.link_name(self.dst_prefix, words.LONGEST_PREFIX)
        words.link_name(self.dst_name)


NEXT_HOP = 0
CONNECTED = 1


class StaticRoute(Struct, frozen=True, kw_only=True, rename=wire_name):
    destination: str
    route_type: Literal[0, 1] = 0
    next_hop: str = ""

    def __post_init__(self) -> None:
        hop = self.hop
        if hop is not None and not words.same_family(self.prefix, hop):
            raise ValueError(f"{hop} cannot be the next hop to {self.prefix}")

    @property
    def prefix(self) -> Prefix:
        return words.prefix(self.destination)

    @property
    def hop(self) -> Address | None:
        """None: the destination is on the link itself."""
        return words.address(self.next_hop) if self.route_type == NEXT_HOP else None


class Joined(Answer, frozen=True, kw_only=True):
    interface_name: InterfaceName | None = None
    gateway: str = ""
    gateway_ipv6: str = ""
    static_routes: tuple[StaticRoute, ...] = ()
    disable_gateway_service: bool = False

    def check(self) -> None:
        _ = self.gateway4, self.gateway6

    @property
    def gateway4(self) -> IPv4Address | None:
        return words.address4(self.gateway)

    @property
    def gateway6(self) -> IPv6Address | None:
        return words.address6(self.gateway_ipv6)


class Leave(OfEndpoint, frozen=True, kw_only=True):
    pass


class ProgramExternalConnectivity(OfEndpoint, frozen=True, kw_only=True):
    options: Mapping[str, Any] = {}


class RevokeExternalConnectivity(OfEndpoint, frozen=True, kw_only=True):
    pass


NODE_DISCOVERY = 1


class Node(Struct, frozen=True, kw_only=True, rename=wire_name):
    address: str = ""
    bind_address: str = ""
    is_self: bool = field(default=False, name="Self")


class DiscoverNew(Request, frozen=True, kw_only=True):
    discovery_type: int = NODE_DISCOVERY
    discovery_data: Node = field(default_factory=Node)


class DiscoverDelete(DiscoverNew, frozen=True, kw_only=True):
    pass


# Values inside of `Options`.


class TransportPort(Struct, frozen=True, kw_only=True, rename=wire_name):
    """`proto` is IP's number: 6 tcp, 17 udp, 132 sctp."""

    proto: int
    port: int


class PortBinding(Struct, frozen=True, kw_only=True, rename=wire_name):
    """A port published on the host; texts are "" where nothing is said, `host_port` is 0 for any."""

    proto: int
    ip: str = ""
    port: int
    host_ip: str = ""
    host_port: int = 0
    host_port_end: int = 0


# IpamDriver: GetCapabilities and GetDefaultAddressSpaces carry no body.


class IpamCapabilities(Answer, frozen=True, kw_only=True):
    requires_mac_address: bool = field(default=False, name="RequiresMACAddress")
    requires_request_replay: bool = False


class AddressSpaces(Answer, frozen=True, kw_only=True):
    local_default_address_space: str = ""
    global_default_address_space: str = ""


class RequestPool(Request, frozen=True, kw_only=True):
    """`pool` "" lets the plugin choose. `sub_pool` is the part that addresses come from."""

    address_space: str
    pool: str = ""
    sub_pool: str = ""
    options: Mapping[str, str] | None = {}
    v6: bool = False


class Pool(Answer, frozen=True, kw_only=True):
    pool_id: str = ""
    pool: str = ""
    data: Mapping[str, str] = {}

    def check(self) -> None:
        _ = self.prefix, self.gateway

    def check_against(self, request: Struct | None) -> None:
        if isinstance(request, RequestPool) and (self.prefix.version == 6) is not request.v6:
            raise ValueError(f"{self.prefix} is not IPv{6 if request.v6 else 4}, which was asked for")

    @property
    def prefix(self) -> Prefix:
        return words.prefix(self.pool)

    @property
    def gateway(self) -> Interface | None:
        """The gateway the plugin has chosen; none need be requested then."""
        given = self.data.get(words.GATEWAY)
        return words.cidr(given) if given else None


class ReleasePool(Request, frozen=True, kw_only=True):
    pool_id: str


class RequestAddress(Request, frozen=True, kw_only=True):
    """`address` is a bare address, or "" for any. `options` is null for auxiliary addresses."""

    pool_id: str
    address: str = ""
    options: Mapping[str, str] | None = None

    @classmethod
    def of_gateway(cls, pool_id: str, address: str = "") -> Self:
        return cls(pool_id=pool_id, address=address, options={words.REQUEST_ADDRESS_TYPE: words.GATEWAY})

    @classmethod
    def of_endpoint(cls, pool_id: str, address: str = "", mac: str | None = None) -> Self:
        return cls(pool_id=pool_id, address=address, options={words.MAC_ADDRESS: mac} if mac else None)


class GivenAddress(Answer, frozen=True, kw_only=True):
    address: str = ""
    data: Mapping[str, str] = {}

    def check(self) -> None:
        _ = self.interface

    @property
    def interface(self) -> Interface:
        return words.cidr(self.address)


class ReleaseAddress(Request, frozen=True, kw_only=True):
    pool_id: str
    address: str
