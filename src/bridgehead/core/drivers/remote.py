"""The remote driver: networks and endpoints that a plugin makes. What it lends us is put into the sandbox."""

from collections.abc import Collection, Iterable, Sequence

from bridgehead.core import endpoint_options
from bridgehead.core.drivers.api import Capabilities, Ground, Place
from bridgehead.core.model.network import Endpoint, Network, PortBinding
from bridgehead.core.model.plugged import Told
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.plan.borrowed import BorrowedLink
from bridgehead.core.plan.objects import KernelObject, LinkAddress, Route


class RemoteDriver:
    """One for all plugins: what it does follows from what they answered, which is in the records."""

    name = "remote"
    capabilities = Capabilities(
        user_creatable=True,
        allocates_addresses=True,
        has_interfaces=True,
        several_subnets=True,
        null_ipam=True,
    )

    def shaped(self, network: Network, request: NetworkRequest, ground: Ground) -> Network:
        return network

    def without_gateway(self, network: Network) -> Collection[int]:
        return ()

    def network_objects(self, network: Network) -> Iterable[KernelObject]:
        return ()

    def endpoint_objects(self, network: Network, endpoint: Endpoint, place: Place) -> Iterable[KernelObject]:
        plugged = endpoint.plugged
        if plugged is None or plugged.joined is not Told.DONE or not plugged.source:
            return
        yield BorrowedLink(
            namespace=place.namespace,
            name=endpoint.interface,
            source=plugged.source,
            mac=endpoint.mac,
            ipv6=any(address.version == 6 for address in endpoint.addresses),
            sysctls=endpoint_options.sysctls(endpoint.wish.driver_options),
        )
        for address in endpoint.addresses:
            yield LinkAddress(place.namespace, endpoint.interface, address)
        for route in plugged.routes:
            yield Route(place.namespace, route.destination, endpoint.interface, route.hop)

    def published_objects(
        self, network: Network, endpoint: Endpoint, ports: Sequence[PortBinding], also: Sequence[Network]
    ) -> Iterable[KernelObject]:
        """The plugin is told of them, and does it itself."""
        return ()

    def linked_objects(
        self, network: Network, recipient: Endpoint, source: Endpoint, ports: Sequence[tuple[int, str]]
    ) -> Iterable[KernelObject]:
        return ()


REMOTE = RemoteDriver()
