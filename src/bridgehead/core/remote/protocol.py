"""Every question libnetwork asks of a plugin and every answer to one, in the wire's spelling and order.

Here are those of `NetworkDriver`, whose GetCapabilities carries no body. The rest is only named here, so that
all of the protocol is in one place for those who speak it.

Source: libnetwork's remote drivers as observed; see `docs/design/remote.md`.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, Literal

from msgspec import Struct, field

from bridgehead.core.model.addresses import Address, Prefix
from bridgehead.core.remote import words
from bridgehead.core.remote.addressing import (
    AddressSpaces,
    GivenAddress,
    IpamCapabilities,
    Pool,
    ReleaseAddress,
    ReleasePool,
    RequestAddress,
    RequestPool,
)
from bridgehead.core.remote.endpoint_ports import (
    PortBinding,
    TransportPort,
    exposed_ports,
    port_map,
)
from bridgehead.core.remote.shapes import (
    Answer,
    Implements,
    Nothing,
    Part,
    Request,
)
from bridgehead.core.remote.words import wire_name

NETWORK_DRIVER = "NetworkDriver"
IPAM_DRIVER = "IpamDriver"
ACTIVATE = "Plugin.Activate"


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
        prefix, hop = self.prefix, self.hop
        if hop is not None and hop.version != prefix.version:
            raise ValueError(f"{hop} cannot be the next hop to {prefix}")

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


__all__ = [
    "ACTIVATE",
    "CONNECTED",
    "IPAM_DRIVER",
    "NETWORK_DRIVER",
    "NEXT_HOP",
    "NODE_DISCOVERY",
    "AddressSpaces",
    "AllocateNetwork",
    "AllocatedNetwork",
    "Answer",
    "AnsweredInterface",
    "CreateEndpoint",
    "CreateNetwork",
    "CreatedEndpoint",
    "DeleteEndpoint",
    "DeleteNetwork",
    "DiscoverDelete",
    "DiscoverNew",
    "EndpointInterface",
    "EndpointOperInfo",
    "FreeNetwork",
    "GivenAddress",
    "GwAllocCheck",
    "GwAllocChecked",
    "Implements",
    "InterfaceName",
    "IpamCapabilities",
    "IpamData",
    "Join",
    "Joined",
    "Leave",
    "NetworkCapabilities",
    "Node",
    "Nothing",
    "OfEndpoint",
    "OperInfo",
    "Part",
    "Pool",
    "PortBinding",
    "ProgramExternalConnectivity",
    "ReleaseAddress",
    "ReleasePool",
    "Request",
    "RequestAddress",
    "RequestPool",
    "RevokeExternalConnectivity",
    "StaticRoute",
    "TransportPort",
    "exposed_ports",
    "port_map",
]
