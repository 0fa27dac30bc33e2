"""The host and null drivers: networks that put nothing into the kernel."""

from collections.abc import Collection, Iterable, Sequence

from bridgehead.core.drivers.api import Capabilities, Ground, Place
from bridgehead.core.model.errors import Forbidden
from bridgehead.core.model.network import Endpoint, Network, PortBinding
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.plan.objects import KernelObject


class PlainDriver:
    capabilities = Capabilities(user_creatable=False, allocates_addresses=False, has_interfaces=False)

    def __init__(self, name: str) -> None:
        self.name = name

    def shaped(self, network: Network, request: NetworkRequest, ground: Ground) -> Network:
        raise Forbidden(f'only one instance of "{self.name}" network is allowed')

    def without_gateway(self, network: Network) -> Collection[int]:
        return ()

    def network_objects(self, network: Network) -> Iterable[KernelObject]:
        return ()

    def endpoint_objects(self, network: Network, endpoint: Endpoint, place: Place) -> Iterable[KernelObject]:
        return ()

    def published_objects(
        self, network: Network, endpoint: Endpoint, ports: Sequence[PortBinding], also: Sequence[Network]
    ) -> Iterable[KernelObject]:
        return ()

    def linked_objects(
        self, network: Network, recipient: Endpoint, source: Endpoint, ports: Sequence[tuple[int, str]]
    ) -> Iterable[KernelObject]:
        return ()
