"""What macvlan and ipvlan have in common: an endpoint is a sub-interface of an interface of the host's.

Nothing of it passes through the host's own IP stack, so there are no ports to publish and no rules.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from bridgehead.core import endpoint_options
from bridgehead.core.drivers import lan_options
from bridgehead.core.drivers.api import Capabilities, Driver, Ground, Place
from bridgehead.core.drivers.lan_options import Words
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import Endpoint, LanOptions, Network, ParentKind
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.core.plan.objects import KernelObject, LinkAddress


class LanDriver(Driver):
    """A network has no objects: its parent belongs to all that stand on it, see `parent_objects`."""

    capabilities = Capabilities(several_subnets=True, null_ipam=True, on_parent=True)

    def __init__(self, words: Words) -> None:
        self.name = words.driver
        self._words = words

    def shaped(self, network: Network, request: NetworkRequest, ground: Ground) -> Network:
        """Without a parent it leads nowhere, and so is internal."""
        lan = lan_options.parse(self._words, network, ground)
        if lan.routed and network.ipam_driver == "null":
            raise InvalidParameter(
                f"{self.name} mode {lan.mode} routes by addresses: the null IPAM driver gives none"
            )
        internal = network.internal or lan.parent_kind is ParentKind.DUMMY
        return replace(network, lan=lan, internal=internal)

    def without_gateway(self, network: Network) -> Collection[int]:
        return (4, 6) if network.internal or options(network).routed else ()

    def endpoint_objects(self, network: Network, endpoint: Endpoint, place: Place) -> Iterable[KernelObject]:
        lan = options(network)
        yield SubLink(
            kind=self.name,
            lower=lan.parent,
            namespace=place.namespace,
            name=endpoint.interface,
            mode=lan.mode,
            flag=lan.flag,
            mac=endpoint.mac,
            mtu=lan.mtu,
            ipv6=endpoint.ipv6,
            sysctls=endpoint_options.sysctls(endpoint.wish.driver_options),
        )
        for address in endpoint.interface_addresses:
            yield LinkAddress(place.namespace, endpoint.interface, address)


def parent_objects(networks: Iterable[Network], parent: str) -> Iterable[KernelObject]:
    """The interface of this name, while a network stands on it that needs it made."""
    for network in networks:
        lan = network.lan
        if lan is None or lan.parent != parent or lan.parent_kind is ParentKind.GIVEN:
            continue
        if lan.parent_kind is ParentKind.DUMMY:
            yield ParentLink(parent, "dummy")
        else:
            yield ParentLink(parent, "vlan", lan.base, int(parent.rpartition(".")[2]))
        return


def options(network: Network) -> LanOptions:
    if network.lan is None:
        raise InvalidParameter(f"network {network.name} has no parent interface")
    return network.lan
