"""The host and null drivers: networks that put nothing into the kernel."""

from bridgehead.core.drivers.api import Capabilities, Driver, Ground
from bridgehead.core.model.errors import Forbidden
from bridgehead.core.model.network import Network
from bridgehead.core.model.requests import NetworkRequest


class PlainDriver(Driver):
    capabilities = Capabilities(has_interfaces=False)

    def __init__(self, name: str) -> None:
        self.name = name

    def shaped(self, network: Network, request: NetworkRequest, ground: Ground) -> Network:
        raise Forbidden(f'only one instance of "{self.name}" network is allowed')
