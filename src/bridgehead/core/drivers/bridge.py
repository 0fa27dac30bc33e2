"""The bridge driver: one Linux bridge a network, one veth pair an endpoint."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from bridgehead.core import endpoint_options
from bridgehead.core.drivers import bridge_options
from bridgehead.core.drivers.api import Capabilities, Ground, Place
from bridgehead.core.drivers.labels import check_size
from bridgehead.core.firewall.rules import FamilyPolicy, LinkAccept, NetworkPolicy, Published
from bridgehead.core.firewall.spelling import NoFirewall, Spelling
from bridgehead.core.layout import bridge_name
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.errors import Forbidden, InvalidParameter
from bridgehead.core.model.network import (
    BridgeOptions,
    Endpoint,
    GatewayMode,
    Network,
    PortBinding,
)
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.plan.objects import Bridge, KernelObject, LinkAddress, Sysctl, Veth


class BridgeDriver:
    """`direct_routing`: published ports may also be reached by routing to a container's own address.

    `masquerade6` False: no network's IPv6 is masqueraded, whatever it asks for.
    """

    name = "bridge"
    capabilities = Capabilities()

    def __init__(self, firewall: Spelling, *, direct_routing: bool = False, masquerade6: bool = True) -> None:
        self._firewall = firewall
        self._direct_routing = direct_routing
        self._translates = not isinstance(firewall, NoFirewall)
        self._masquerade = {4: True, 6: masquerade6}

    def shaped(self, network: Network, request: NetworkRequest, ground: Ground) -> Network:
        bridge = bridge_options.parse(
            request.options,
            name=bridge_name(network.id),
            mtu=ground.mtu,
            internal=request.internal,
        )
        _reject_same_bridge(ground.networks, network.id, bridge.name)
        check_size(network, bridge.mtu)
        return replace(network, bridge=bridge)

    def without_gateway(self, network: Network) -> Collection[int]:
        """Where containers need none: it would lead nowhere."""
        if not network.internal:
            return ()
        return [version for version in (4, 6) if _bridge(network).keeps_no_address(version)]

    def network_objects(self, network: Network) -> Iterable[KernelObject]:
        bridge = _bridge(network)
        if bridge.managed:
            yield Bridge(
                bridge.name,
                stable_mac(network.id),
                bridge.mtu,
                route_localnet=self._translates and not network.internal,
            )
        elif self._translates and not network.internal:
            yield Sysctl(route_localnet(bridge.name), "1")
        for subnet in network.subnets:
            ours = not bridge.keeps_no_address(subnet.prefix.version)
            if subnet.address is not None and ours and subnet.gateway not in bridge.standing:
                yield LinkAddress("", bridge.name, subnet.address)
        yield from self._firewall.network(self._policy(network, bridge))

    def endpoint_objects(self, network: Network, endpoint: Endpoint, place: Place) -> Iterable[KernelObject]:
        bridge = _bridge(network)
        yield Veth(
            name=endpoint.host_interface,
            bridge=bridge.name,
            namespace=place.namespace,
            peer=endpoint.interface,
            mac=endpoint.mac,
            mtu=bridge.mtu,
            ipv6=endpoint.ipv6,
            hairpin=place.published and self._translates,
            sysctls=endpoint_options.sysctls(endpoint.wish.driver_options),
        )
        for address in endpoint.interface_addresses:
            yield LinkAddress(place.namespace, endpoint.interface, address)

    def published_objects(
        self, network: Network, endpoint: Endpoint, ports: Sequence[PortBinding], also: Sequence[Network]
    ) -> Iterable[KernelObject]:
        policy = self._policy(network, _bridge(network))
        others = tuple(self._policy(other, _bridge(other)) for other in also)
        for port in ports:
            family, address = policy.family(port.host.version), _address(endpoint, port.host.version)
            if family is None or address is None:
                continue
            host_port = 0 if family.mode is GatewayMode.ROUTED else port.host_port
            yield from self._firewall.published(
                Published(policy, port.protocol, port.host, host_port, address, port.container_port, others)
            )

    def linked_objects(
        self, network: Network, recipient: Endpoint, source: Endpoint, ports: Sequence[tuple[int, str]]
    ) -> Iterable[KernelObject]:
        policy = self._policy(network, _bridge(network))
        for version in (4, 6):
            ends = _address(recipient, version), _address(source, version)
            if policy.icc or ends[0] is None or ends[1] is None:
                continue
            for port, protocol in ports:
                yield from self._firewall.link(LinkAccept(policy, ends[0], ends[1], protocol, port))

    def _policy(self, network: Network, bridge: BridgeOptions) -> NetworkPolicy:
        modes = {4: bridge.mode4, 6: bridge.mode6}
        sources = {4: bridge.source4, 6: bridge.source6}
        return NetworkPolicy(
            bridge.name,
            families=tuple(
                FamilyPolicy(
                    subnet.prefix,
                    modes[subnet.prefix.version],
                    bridge.masquerade
                    and self._masquerade[subnet.prefix.version]
                    and modes[subnet.prefix.version] is not GatewayMode.ROUTED,
                    sources[subnet.prefix.version],
                )
                for subnet in network.subnets
            ),
            icc=bridge.icc,
            internal=network.internal,
            direct_routing=self._direct_routing,
            trusted=bridge.trusted,
        )


def _address(endpoint: Endpoint, version: int) -> Address | None:
    return next((item.ip for item in endpoint.addresses if item.version == version), None)


def route_localnet(interface: str) -> str:
    """The setting that lets the host's own packets to a port published on 127.0.0.1 out there."""
    return f"net/ipv4/conf/{interface}/route_localnet"


def stable_mac(network_id: str) -> str:
    """A bridge's MAC never changes: containers keep their gateway's address over a repair."""
    digest = sha256(network_id.encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, 0x42, *digest[:4]))


def _reject_same_bridge(networks: Iterable[Network], identifier: str, name: str) -> None:
    for other in networks:
        if other.bridge is not None and other.bridge.name == name:
            raise Forbidden(
                f"cannot create network {identifier} ({name}): conflicts with network {other.id} "
                f"({name}): networks have same bridge name (network {other.name})"
            )


def _bridge(network: Network) -> BridgeOptions:
    if network.bridge is None:
        raise InvalidParameter(f"network {network.name} has no bridge options")
    return network.bridge
