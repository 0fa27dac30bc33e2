"""From our records to a plugin's questions, and from its answers back into our records."""

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bridgehead.core.model.addresses import Interface, interface
from bridgehead.core.model.container import Container, ContainerSpec
from bridgehead.core.model.network import Endpoint, Network, Subnet
from bridgehead.core.model.plugged import PluggedEndpoint, PluginRoute, Told
from bridgehead.core.remote import protocol, words

DEFAULT_SPACE = "LocalDefault"
_NUMBERS = {"tcp": 6, "udp": 17, "sctp": 132}
_EVERYTHING = {4: "0.0.0.0/0", 6: "::/0"}


def network_options(network: Network) -> dict[str, Any]:
    said: dict[str, Any] = {words.ENABLE_IPV6: network.ipv6, words.GENERIC: dict(network.options)}
    if not network.ipv4:
        said[words.ENABLE_IPV4] = False
    if network.internal:
        said[words.INTERNAL] = True
    return said


def create_network(network: Network) -> protocol.CreateNetwork:
    return protocol.CreateNetwork(
        network_id=network.id,
        options=network_options(network),
        ipv4_data=tuple(_pools(network, 4)),
        ipv6_data=tuple(_pools(network, 6)),
    )


def _pools(network: Network, family: int) -> Iterator[protocol.IpamData]:
    space = network.plugged.space if network.plugged and network.plugged.ipam else DEFAULT_SPACE
    if network.ipam_driver == "null" and (network.ipv4 if family == 4 else network.ipv6):
        yield protocol.IpamData(address_space="null", pool=_EVERYTHING[family])
    for subnet in network.subnets:
        if subnet.prefix.version == family:
            yield protocol.IpamData(
                address_space=space,
                aux_addresses={
                    name: str(interface(address, subnet.prefix)) for name, address in subnet.auxiliary.items()
                },
                gateway=str(subnet.address or ""),
                pool=str(subnet.prefix),
            )


def create_endpoint(network: Network, endpoint: Endpoint, container: Container) -> protocol.CreateEndpoint:
    texts = {address.version: str(address) for address in endpoint.addresses}
    return protocol.CreateEndpoint(
        network_id=network.id,
        endpoint_id=endpoint.id,
        interface=protocol.EndpointInterface(
            address=texts.get(4, ""), address_ipv6=texts.get(6, ""), mac_address=endpoint.mac
        ),
        options={**endpoint.wish.driver_options, **port_options(container.spec)},
    )


def port_options(spec: ContainerSpec) -> dict[str, Any]:
    """What a container exposes, and what it wants published."""
    exposed = {_exposed(text) for text in spec.exposed_ports}
    exposed |= {(item.protocol, item.container_port) for item in spec.published_ports}
    return {
        words.EXPOSED_PORTS: [
            protocol.TransportPort(proto=_NUMBERS[name], port=port)
            for name, port in sorted(exposed, key=lambda item: (item[1], item[0]))
        ],
        words.PORT_MAP: [
            protocol.PortBinding(
                proto=_NUMBERS[item.protocol],
                port=item.container_port,
                host_ip=str(item.host or ""),
                host_port=item.first,
                host_port_end=item.last,
            )
            for item in spec.published_ports
        ],
    }


def _exposed(text: str) -> tuple[str, int]:
    port, _, name = text.partition("/")
    return name or "tcp", int(port)


def with_interface(endpoint: Endpoint, answer: protocol.CreatedEndpoint) -> Endpoint:
    """With what the plugin chose where nothing was given."""
    chosen = answer.interface
    if chosen is None:
        return endpoint
    families = {address.version for address in endpoint.addresses}
    more = [item for item in (chosen.ipv4, chosen.ipv6) if item is not None and item.version not in families]
    return replace(endpoint, addresses=(*endpoint.addresses, *more), mac=endpoint.mac or chosen.mac or "")


def with_joined(plugged: PluggedEndpoint, answer: protocol.Joined) -> PluggedEndpoint:
    return replace(
        plugged,
        joined=Told.DONE,
        source=answer.interface_name.src_name if answer.interface_name else "",
        gateways=tuple(item for item in (answer.gateway4, answer.gateway6) if item is not None),
        routes=tuple(PluginRoute(route.prefix, route.hop) for route in answer.static_routes),
        own_way_out=answer.disable_gateway_service,
    )


def subnet_of(pool: protocol.Pool, ip_range: str) -> Subnet:
    return Subnet(pool.prefix, None, ipaddress.ip_network(ip_range) if ip_range else None)


def given(answer: protocol.GivenAddress, subnet: Subnet) -> Interface:
    """A bare address in the answer means one of the pool's length, unless the pool is everywhere."""
    found = answer.interface
    single = found.network.prefixlen == found.max_prefixlen
    return (
        interface(found.ip, subnet.prefix)
        if single and subnet.prefix.prefixlen and found.ip in subnet.prefix
        else found
    )
