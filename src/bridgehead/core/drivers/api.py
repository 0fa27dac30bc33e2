"""The contract every driver fits: pure and memoryless."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bridgehead.core.model.network import BridgeOptions, Endpoint, Network
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
    """Where an endpoint goes: the sandbox's namespace path."""

    namespace: str


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


Drivers = Mapping[str, Driver]
