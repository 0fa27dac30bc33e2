"""The remote driver: networks and endpoints that a plugin makes. What it lends us is put into the sandbox."""

from collections.abc import Iterable

from bridgehead.core import endpoint_options
from bridgehead.core.drivers.api import Capabilities, Driver, Ground, Place
from bridgehead.core.model.network import Endpoint, Network
from bridgehead.core.model.plugged import Told
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.plan.borrowed import BorrowedLink
from bridgehead.core.plan.objects import KernelObject, LinkAddress, Route


class RemoteDriver(Driver):
    """One for all plugins: what it does follows from what they answered, which is in the records.

    They are told of published ports, and bring them in themselves.
    """

    name = "remote"
    capabilities = Capabilities(several_subnets=True, null_ipam=True)

    def shaped(self, network: Network, request: NetworkRequest, ground: Ground) -> Network:
        return network

    def endpoint_objects(self, network: Network, endpoint: Endpoint, place: Place) -> Iterable[KernelObject]:
        plugged = endpoint.plugged
        if plugged is None or plugged.joined is not Told.DONE or not plugged.source:
            return
        yield BorrowedLink(
            namespace=place.namespace,
            name=endpoint.interface,
            source=plugged.source,
            mac=endpoint.mac,
            ipv6=endpoint.ipv6,
            sysctls=endpoint_options.sysctls(endpoint.wish.driver_options),
        )
        for address in endpoint.interface_addresses:
            yield LinkAddress(place.namespace, endpoint.interface, address)
        for route in plugged.routes:
            yield Route(place.namespace, route.destination, endpoint.interface, route.hop)


REMOTE = RemoteDriver()
