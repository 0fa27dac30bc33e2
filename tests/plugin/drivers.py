"""Drivers for the tests: they answer simply and remember what they were asked."""

from bridgehead.plugin import (
    AnsweredInterface,
    CreatedEndpoint,
    CreateEndpoint,
    CreateNetwork,
    DeleteEndpoint,
    DeleteNetwork,
    GivenAddress,
    IpamDriver,
    Join,
    Joined,
    Leave,
    NetworkDriver,
    Pool,
    Refused,
    ReleaseAddress,
    ReleasePool,
    RequestAddress,
    RequestPool,
)


class Network(NetworkDriver):
    """Option `refuse` refuses, `fail` fails."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def create_network(self, request: CreateNetwork) -> None:
        self.asked.append(request)
        if "refuse" in request.driver_options:
            raise Refused("not today")
        if "refuse500" in request.driver_options:
            raise Refused("not today", status=500)
        if "fail" in request.driver_options:
            raise KeyError("oops")

    def delete_network(self, request: DeleteNetwork) -> None:
        self.asked.append(request)

    def create_endpoint(self, request: CreateEndpoint) -> CreatedEndpoint:
        self.asked.append(request)
        return CreatedEndpoint(interface=AnsweredInterface(mac_address="02:00:00:00:00:01"))

    def delete_endpoint(self, request: DeleteEndpoint) -> None:
        self.asked.append(request)

    def join(self, request: Join) -> Joined | None:
        self.asked.append(request)
        return None

    def leave(self, request: Leave) -> None:
        self.asked.append(request)


class Addresses(IpamDriver):
    def request_pool(self, request: RequestPool) -> Pool:
        return Pool(pool_id="p", pool=request.pool or "10.0.0.0/8")

    def release_pool(self, request: ReleasePool) -> None:
        raise Refused("never")

    def request_address(self, request: RequestAddress) -> GivenAddress:
        return GivenAddress(address="nonsense")

    def release_address(self, request: ReleaseAddress) -> None: ...
