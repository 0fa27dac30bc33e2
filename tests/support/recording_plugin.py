"""The plugin of the observed conversation, made with our SDK: it does the least and writes down every call.

    python -m tests.support.recording_plugin FILE

One line a call: the method and the request's JSON, with its keys as they came.
"""

import ipaddress
import subprocess
import sys
from pathlib import Path

from bridgehead.plugin import (
    CreateEndpoint,
    CreateNetwork,
    DeleteEndpoint,
    DeleteNetwork,
    Exchange,
    GivenAddress,
    InterfaceName,
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
    StaticRoute,
    serve,
)


class Network(NetworkDriver):
    def create_network(self, request: CreateNetwork) -> None:
        if "boom" in request.driver_options:
            raise Refused("boom requested")
        if "http500" in request.driver_options:
            raise Refused("http500 requested", status=500)

    def delete_network(self, request: DeleteNetwork) -> None: ...

    def create_endpoint(self, request: CreateEndpoint) -> None: ...

    def delete_endpoint(self, request: DeleteEndpoint) -> None: ...

    def join(self, request: Join) -> Joined:
        mine, yours = (f"tp{end}{request.endpoint_id[:5]}" for end in "hc")
        _ip("link", "add", mine, "type", "veth", "peer", "name", yours)
        _ip("link", "set", mine, "up")
        return Joined(
            interface_name=InterfaceName(src_name=yours, dst_prefix="eth"),
            gateway="10.123.0.1",
            static_routes=(StaticRoute(destination="10.200.0.0/16", next_hop="10.123.0.1"),),
        )

    def leave(self, request: Leave) -> None:
        _ip("link", "delete", f"tph{request.endpoint_id[:5]}")


class Addresses(IpamDriver):
    requires_mac_address = True
    requires_request_replay = True
    local_address_space = "tplocal"
    global_address_space = "tpglobal"

    def __init__(self) -> None:
        self._last = 2

    def request_pool(self, request: RequestPool) -> Pool:
        if request.pool:
            return Pool(pool_id=f"pool-{request.pool}", pool=request.pool)
        return Pool(pool_id="pool-auto", pool="10.123.0.0/24")

    def release_pool(self, request: ReleasePool) -> None: ...

    def request_address(self, request: RequestAddress) -> GivenAddress:
        if "com.docker.network.gateway" in (request.options or {}).values():
            return GivenAddress(address="10.123.0.1/24")
        if not request.address:
            self._last += 1
        return GivenAddress(
            address=f"{request.address or ipaddress.ip_address('10.123.0.0') + self._last}/24"
        )

    def release_address(self, request: ReleaseAddress) -> None: ...


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=10)


def main(record: Path) -> None:
    with record.open("a", buffering=1, encoding="utf-8") as file:

        def write(exchange: Exchange) -> None:
            file.write(f"{exchange.method} {exchange.request.decode().strip() or 'null'}\n")

        serve(Network(), Addresses(), name="tp", on_exchange=write)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
