"""The contract every driver fits: pure and memoryless."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridgehead.core.model.network import BridgeOptions, Endpoint, Network, PortBinding
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.plan.objects import KernelObject


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Data instead of optional interfaces: what the engine may ask of a driver's networks."""

    user_creatable: bool
    allocates_addresses: bool
    has_interfaces: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where an endpoint goes: the sandbox's namespace path, and whether ports of the host lead to it."""

    namespace: str
    published: bool = False


class Driver(Protocol):
    name: str
    capabilities: Capabilities

    def options(self, network_id: str, request: NetworkRequest, mtu: int) -> BridgeOptions | None:
        """The request's options as a value.

        Raises:
            InvalidParameter, Forbidden: the driver cannot make such a network.
        """
        ...

    def network_objects(self, network: Network) -> Iterable[KernelObject]: ...

    def endpoint_objects(
        self, network: Network, endpoint: Endpoint, place: Place
    ) -> Iterable[KernelObject]: ...

    def published_objects(
        self, network: Network, endpoint: Endpoint, ports: Sequence[PortBinding], also: Sequence[Network]
    ) -> Iterable[KernelObject]:
        """What brings these ports of the host to the endpoint, which is its sandbox's way out.

        `also`: the other networks, with a bridge, that the sandbox is attached to.
        """
        ...

    def linked_objects(
        self, network: Network, recipient: Endpoint, source: Endpoint, ports: Sequence[tuple[int, str]]
    ) -> Iterable[KernelObject]:
        """What lets `recipient` use these (port, protocol) of `source` on a network that forbids talking."""
        ...


Drivers = Mapping[str, Driver]
