"""The nftables spelling: one table whose rules never change (`nft_skeleton`), and elements that say the rest.

A packet meets the same few rules and hash lookups whether there is one network or a thousand, and making a
network or publishing a port only adds elements.
"""

from collections.abc import Iterable
from ipaddress import ip_address

from bridgehead.core.firewall.flows import Flow
from bridgehead.core.firewall.nft_skeleton import guard, table
from bridgehead.core.firewall.rules import FamilyPolicy, LinkAccept, NetworkPolicy, Published
from bridgehead.core.model.addresses import spelled
from bridgehead.core.model.network import GatewayMode
from bridgehead.core.plan.filtering import FirewallElement
from bridgehead.core.plan.objects import KernelObject

_ANYWHERE4, _ANYWHERE6 = ip_address("0.0.0.0"), ip_address("::")

_FAMILIES = {4: "ipv4", 6: "ipv6"}


class GuardSpelling:
    """The guard: what may not pass is dropped; whoever translates uses rules of their own.

    See `spelling.Spelling`.
    """

    def base(self) -> Iterable[KernelObject]:
        yield guard()

    def network(self, policy: NetworkPolicy) -> Iterable[KernelObject]:
        bridge = policy.bridge
        yield FirewallElement("bridges", (bridge,))
        yield FirewallElement("within", (bridge, bridge), _within(policy))
        if policy.internal:
            yield FirewallElement("internal", (bridge,))
        for family in policy.families:
            version = _FAMILIES[family.prefix.version]
            yield FirewallElement("inward", (bridge, version), _inward(policy, family))
        if not policy.internal:
            for interface in policy.trusted:
                yield FirewallElement("trusted", (interface, bridge))

    def published(self, item: Published) -> Iterable[KernelObject]:
        """Also open at the container's own address, where a rule might ask for it."""
        version = item.container.version
        if not item.network.internal and (
            _mode(item.network, version) is GatewayMode.ROUTED
            or item.network.direct_routing
            or item.network.trusted
        ):
            match = (spelled(item.container), item.protocol, str(item.container_port))
            yield FirewallElement(f"open{version}", match)

    def link(self, item: LinkAccept) -> Iterable[KernelObject]:
        """The answers are accepted as parts of an established connection."""
        match = (str(item.recipient), str(item.source), item.protocol, str(item.port))
        yield FirewallElement(f"links{item.source.version}", match)


class NftSpelling(GuardSpelling):
    """The whole: it filters and translates."""

    def base(self) -> Iterable[KernelObject]:
        yield table()

    def network(self, policy: NetworkPolicy) -> Iterable[KernelObject]:
        yield from super().network(policy)
        if policy.internal:
            return
        yield FirewallElement("same", (policy.bridge, policy.bridge))
        for family in policy.families:
            version = family.prefix.version
            if family.masquerade:
                match = (str(family.prefix),)
                if family.source is None:
                    yield FirewallElement(f"masquerading{version}", match)
                else:
                    yield FirewallElement(f"source{version}", match, str(family.source))

    def published(self, item: Published) -> Iterable[KernelObject]:
        yield from super().published(item)
        version = item.container.version
        routed = _mode(item.network, version) is GatewayMode.ROUTED
        if item.network.internal or routed or not item.host_port:
            return
        port = (item.protocol, str(item.host_port))
        container = spelled(item.container)
        destination = f"{container} . {item.container_port}"
        if item.host.is_unspecified:
            yield FirewallElement(f"everywhere{version}", port, destination)
        else:
            yield FirewallElement(f"published{version}", (spelled(item.host), *port), destination)
        yield FirewallElement(f"hairpin{version}", (container, container))
        for prefix in item.shortcuts:
            single = f"{container}/{item.container.max_prefixlen}"
            yield FirewallElement(f"shortcut{version}", (str(prefix), single))


def _mode(policy: NetworkPolicy, version: int) -> GatewayMode:
    family = policy.family(version)
    return family.mode if family else GatewayMode.NAT


def _within(policy: NetworkPolicy) -> str:
    if policy.icc:
        return "accept"
    return "goto linked" if policy.internal else "goto apart"


def _inward(policy: NetworkPolicy, family: FamilyPolicy) -> str:
    if policy.internal or family.mode is GatewayMode.ISOLATED:
        return "drop"
    if family.mode is GatewayMode.UNPROTECTED:
        return "accept"
    if family.mode is GatewayMode.ROUTED:
        return "goto routed"
    if policy.direct_routing:
        return "goto direct"
    return "goto trusting" if policy.trusted else "goto published"


def flow(element: FirewallElement) -> Flow | None:
    """What arrives by way of this element, if it publishes a port."""
    match element.set, element.match:
        case "everywhere4", (protocol, port):
            return Flow(protocol, _ANYWHERE4, int(port))
        case "everywhere6", (protocol, port):
            return Flow(protocol, _ANYWHERE6, int(port))
        case "published4" | "published6", (host, protocol, port):
            return Flow(protocol, ip_address(host), int(port))
        case _:
            return None
