"""The contract every driver fits: pure and memoryless."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bridgehead.core.model.network import Endpoint, Network, PortBinding
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.plan.objects import KernelObject


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Data instead of optional interfaces: what the engine may ask of a driver's networks.

    `null_ipam`: a network without any subnet, whose containers see to their addresses themselves.
    `on_parent`: networks stand on interfaces of the host's, which must be looked at first.
    """

    has_interfaces: bool = True
    several_subnets: bool = False
    null_ipam: bool = False
    on_parent: bool = False


@dataclass(frozen=True, slots=True)
class HostLink:
    """An interface of the host. `port_of`: the bridge or bond it is plugged into. `mtu` in bytes."""

    name: str
    mtu: int = 1500
    loopback: bool = False
    port_of: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a new network is made on: the uplink's size in bytes, and the networks that are there already.

    For drivers `on_parent` also the interfaces in question, and those kinds of links in question that the
    kernel can make.
    """

    mtu: int
    networks: Sequence[Network] = ()
    links: Mapping[str, HostLink] = field(default_factory=dict)
    link_kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an endpoint goes: the sandbox's namespace path, and whether ports of the host lead to it."""

    namespace: str
    published: bool = False


class Driver(Protocol):
    """Whoever derives from it need not answer what its networks do not have."""

    name: str
    capabilities: Capabilities

    def shaped(self, network: Network, request: NetworkRequest, ground: Ground) -> Network:
        """`network` with this driver's own options, read from the request's words. Subnets are chosen after.

        Raises:
            InvalidParameter, Forbidden: the driver cannot make such a network.
        """
        ...

    def without_gateway(self, network: Network) -> Collection[int]:
        """The address families in which no gateway is reserved unless somebody asks for one."""
        return ()

    def network_objects(self, network: Network) -> Iterable[KernelObject]:
        return ()

    def endpoint_objects(self, network: Network, endpoint: Endpoint, place: Place) -> Iterable[KernelObject]:
        return ()

    def published_objects(
        self, network: Network, endpoint: Endpoint, ports: Sequence[PortBinding], also: Sequence[Network]
    ) -> Iterable[KernelObject]:
        """What brings these ports of the host to the endpoint, which is its sandbox's way out.

        `also`: the other networks, with a bridge, that the sandbox is attached to.
        """
        return ()

    def linked_objects(
        self, network: Network, recipient: Endpoint, source: Endpoint, ports: Sequence[tuple[int, str]]
    ) -> Iterable[KernelObject]:
        """What lets `recipient` use these (port, protocol) of `source` on a network that forbids talking."""
        return ()


Drivers = Mapping[str, Driver]
