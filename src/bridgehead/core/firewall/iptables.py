"""The iptables spelling: Docker's chains and Docker's words, in an order that costs less.

What is established passes first. A new packet into one of our bridges goes through DOCKER if it was sent to
a published port; what remains is judged by BRIDGEHEAD-INWARD, and then dropped. No rule speaks of one bridge
where the group of all bridges will do. `tree` says where each rule stands.
"""

from collections.abc import Iterable, Iterator

from bridgehead.core.firewall.iptables_chains import (
    DEFAULT_BRIDGE,
    ESTABLISHED,
    FORWARD,
    FROM_OURS,
    HAIRPIN,
    INTERNAL,
    INWARD,
    LEAVING,
    LOOPBACK,
    OUTPUT,
    PUBLISHED,
    TO_OURS,
    TRANSLATED,
    USER,
)
from bridgehead.core.firewall.rules import FamilyPolicy, LinkAccept, NetworkPolicy, Published
from bridgehead.core.firewall.spelling import NoFirewall, Spelling
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.network import GatewayMode
from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.plan.objects import KernelObject

_LOCAL = "-m addrtype --dst-type LOCAL"
# Which packets from elsewhere may be led to a container by their destination: never those to the host's own
# loopback, nor those from a link-local address, which means nothing on another link.
_OUTSIDE = {4: "! -d 127.0.0.0/8", 6: "! -s fe80::/10"}
_OUR_OWN = {4: _LOCAL, 6: f"! -s fe80::/10 ! -d ::1/128 {_LOCAL}"}
_PING = {4: "icmp", 6: "ipv6-icmp"}
_NEIGHBOUR_DISCOVERY = (135, 136)


class IptablesSpelling:
    """See `spelling.Spelling`.

    `families`: which of 4 and 6 are ours to write. `guard` yields its objects beside ours, so that a flush of
    every chain opens nothing. `adopted`: bridges made by somebody else (`--bridge`), which are not in our
    group. `bridged`: the families whose frames meet rules even within one bridge, as the kernel's setting
    bridge-nf-call-iptables makes it; for the others answers must be led back through the host.
    """

    def __init__(
        self,
        *,
        families: tuple[int, ...] = (4, 6),
        guard: Spelling | None = None,
        adopted: frozenset[str] = frozenset(),
        bridged: frozenset[int] = frozenset({4, 6}),
    ) -> None:
        self._families = families
        self._guard = guard or NoFirewall()
        self._adopted = adopted
        self._bridged = bridged

    def base(self) -> Iterable[KernelObject]:
        yield from self._guard.base()
        for family in self._families:
            yield from _skeleton(family)

    def network(self, policy: NetworkPolicy) -> Iterable[KernelObject]:
        yield from self._guard.network(policy)
        for family in policy.families:
            version = family.prefix.version
            if version in self._families:
                yield from _within(policy, version, stays_visible=policy.bridge == DEFAULT_BRIDGE)
                yield from _inward(policy, family)
                yield from self._outward(policy, family)
                if policy.bridge in self._adopted:
                    yield from _adopted(policy.bridge, version)

    def _outward(self, policy: NetworkPolicy, family: FamilyPolicy) -> Iterator[FirewallRule]:
        bridge, version, source = policy.bridge, family.prefix.version, f"-s {family.prefix}"
        if policy.internal:
            yield FirewallRule(version, "filter", INTERNAL, f"-i {bridge} ! -o {bridge} -j DROP")
            return
        if version not in self._bridged and family.mode is not GatewayMode.ROUTED:
            yield FirewallRule(version, "nat", LEAVING, f"{source} -o {bridge} {TRANSLATED} -j MASQUERADE")
        if family.masquerade:
            # To another bridge of ours a container goes under its own address, the way back is known; and so
            # does the host to itself, whose own address on this bridge is in the prefix too.
            for towards in (TO_OURS, "-o lo", *(f"-o {name}" for name in sorted(self._adopted))):
                yield FirewallRule(version, "nat", LEAVING, f"{source} {towards} -j ACCEPT")
            chain = "POSTROUTING" if bridge == DEFAULT_BRIDGE else LEAVING
            target = f"SNAT --to-source {family.source}" if family.source else "MASQUERADE"
            yield FirewallRule(version, "nat", chain, f"{source} ! -o {bridge} -j {target}")

    def published(self, item: Published) -> Iterable[KernelObject]:
        yield from self._guard.published(item)
        family = item.network.family(item.container.version)
        if item.container.version not in self._families or item.network.internal or family is None:
            return
        if family.mode is not GatewayMode.UNPROTECTED:
            yield _opened(item)
        if family.mode is not GatewayMode.ROUTED and item.host_port:
            yield from _translated(item)

    def link(self, item: LinkAccept) -> Iterable[KernelObject]:
        yield from self._guard.link(item)
        version, bridge = item.source.version, item.network.bridge
        if version in self._families:
            recipient, source = _host(item.recipient), _host(item.source)
            for ends, side in (
                (f"-s {recipient} -d {source}", "dport"),
                (f"-s {source} -d {recipient}", "sport"),
            ):
                port = _port(item.protocol, item.port, side)
                text = f"{ends} -i {bridge} -o {bridge} {port} -j ACCEPT"
                yield FirewallRule(version, "filter", PUBLISHED, text)


def companion(family: int, table: str = "filter", *, after_user: bool = False) -> Iterable[FirewallRule]:
    """For a FORWARD chain of somebody else that would drop what ours, elsewhere, accept.

    What may not pass is dropped by our own rules all the same: an accept here does not overrule them.
    `after_user`: there is a chain DOCKER-USER, and what the user says there comes first.
    """
    if after_user:
        yield FirewallRule(family, table, "FORWARD", f"-j {USER}")
    for group in (FROM_OURS, TO_OURS):
        yield FirewallRule(family, table, "FORWARD", f"{group} -j ACCEPT")


def _skeleton(family: int) -> Iterator[FirewallRule]:
    """What stands once. The order within a chain is a matter of `iptables_chains`."""
    for chain in (USER, FORWARD):
        yield FirewallRule(family, "filter", "FORWARD", f"-j {chain}")
    for text in (
        f"{TO_OURS} {ESTABLISHED} -j ACCEPT",
        f"{FROM_OURS} {ESTABLISHED} -j ACCEPT",
        f"{FROM_OURS} -j {INTERNAL}",
        f"{TO_OURS} {TRANSLATED} -j {PUBLISHED}",
        f"{TO_OURS} -j {INWARD}",
        f"{TO_OURS} -j DROP",
        f"{FROM_OURS} -j ACCEPT",
    ):
        yield FirewallRule(family, "filter", FORWARD, text)
    yield FirewallRule(family, "nat", "PREROUTING", f"{_OUTSIDE[family]} {_LOCAL} -j {PUBLISHED}")
    yield FirewallRule(family, "nat", "PREROUTING", f"{_OUTSIDE[family]} {_LOCAL} -j {HAIRPIN}")
    yield FirewallRule(family, "nat", "OUTPUT", f"{_OUR_OWN[family]} -j {OUTPUT}")
    yield FirewallRule(family, "nat", OUTPUT, f"-j {PUBLISHED}")
    yield FirewallRule(family, "nat", "POSTROUTING", f"-j {LEAVING}")
    if family == 4:
        yield FirewallRule(4, "nat", LEAVING, f"-s 127.0.0.0/8 {TO_OURS} -j MASQUERADE")
        yield FirewallRule(4, "raw", "PREROUTING", f"-d 127.0.0.0/8 ! -i lo -j {LOOPBACK}")
        yield FirewallRule(4, "raw", LOOPBACK, f"{FROM_OURS} -j DROP")


def _adopted(bridge: str, family: int) -> Iterator[FirewallRule]:
    """What the group's rules would do for it, were it in the group."""
    for text in (
        f"-o {bridge} {ESTABLISHED} -j ACCEPT",
        f"-i {bridge} {ESTABLISHED} -j ACCEPT",
        f"-i {bridge} -j {INTERNAL}",
        f"-o {bridge} {TRANSLATED} -j {PUBLISHED}",
        f"-o {bridge} -j {INWARD}",
        f"-o {bridge} -j DROP",
        f"-i {bridge} -j ACCEPT",
    ):
        yield FirewallRule(family, "filter", FORWARD, text)
    if family == 4:
        yield FirewallRule(4, "nat", LEAVING, f"-s 127.0.0.0/8 -o {bridge} -j MASQUERADE")
        yield FirewallRule(4, "raw", LOOPBACK, f"-i {bridge} -j DROP")


def _within(policy: NetworkPolicy, family: int, *, stays_visible: bool) -> Iterator[FirewallRule]:
    """Among containers of the network. The user's rules and links in DOCKER come first, as in Docker."""
    chain = FORWARD if stays_visible else INWARD
    both = f"-i {policy.bridge} -o {policy.bridge}"
    verdict = "ACCEPT" if policy.icc else "DROP"
    yield FirewallRule(family, "filter", chain, f"{both} -j {PUBLISHED}")
    if not policy.icc:
        yield FirewallRule(family, "filter", chain, f"{both} {TRANSLATED} -j ACCEPT")
        for kind in _NEIGHBOUR_DISCOVERY if family == 6 else ():
            text = f"{both} -p ipv6-icmp -m icmp6 --icmpv6-type {kind} -j ACCEPT"
            yield FirewallRule(family, "filter", chain, text)
    if stays_visible:
        yield FirewallRule(family, "filter", chain, f"{both} -j RETURN")
        yield FirewallRule(family, "filter", "FORWARD", f"{both} -j {verdict}")
    else:
        yield FirewallRule(family, "filter", chain, f"{both} -j {verdict}")


def _inward(policy: NetworkPolicy, family: FamilyPolicy) -> Iterator[FirewallRule]:
    """What may be sent to a container's own address from elsewhere."""
    if policy.internal or family.mode is GatewayMode.ISOLATED:
        return
    version, towards = family.prefix.version, f"-o {policy.bridge}"
    if family.mode is GatewayMode.UNPROTECTED:
        yield FirewallRule(version, "filter", INWARD, f"{towards} -j ACCEPT")
        return
    if family.mode is GatewayMode.ROUTED:
        yield FirewallRule(version, "filter", INWARD, f"{towards} -p {_PING[version]} -j ACCEPT")
    if family.mode is GatewayMode.ROUTED or policy.direct_routing:
        yield FirewallRule(version, "filter", INWARD, f"{towards} -j {PUBLISHED}")
        return
    for interface in policy.trusted:
        yield FirewallRule(version, "filter", INWARD, f"-i {interface} {towards} -j {PUBLISHED}")


def _opened(item: Published) -> FirewallRule:
    bridge, port = item.network.bridge, _port(item.protocol, item.container_port)
    text = f"-d {_host(item.container)} ! -i {bridge} -o {bridge} {port} -j ACCEPT"
    return FirewallRule(item.container.version, "filter", PUBLISHED, text)


def _translated(item: Published) -> Iterator[FirewallRule]:
    """Docker's rule leaves out the container's own bridge; ours for that stands in a chain of its own."""
    version, bridge, container = item.container.version, item.network.bridge, _host(item.container)
    host = "" if item.host.is_unspecified else f"-d {_host(item.host)} "
    address = f"[{item.container}]" if version == 6 else str(item.container)
    target = f"-j DNAT --to-destination {address}:{item.container_port}"
    port = _port(item.protocol, item.host_port)
    yield FirewallRule(version, "nat", PUBLISHED, f"{host}! -i {bridge} {port} {target}")
    if not item.host.is_loopback:
        yield FirewallRule(version, "nat", HAIRPIN, f"{host}-i {bridge} {port} {target}")
    elif version == 4:
        # Another dockerd's jump from PREROUTING to DOCKER would lead the neighbours there.
        yield FirewallRule(version, "raw", LOOPBACK, f"{host}{port} -j DROP")
    # A container that meets itself would not take an answer from its own address.
    yield FirewallRule(version, "nat", LEAVING, f"-s {container} -d {container} -j MASQUERADE")
    # Others whom it would answer by another leg would not take that from an address they never asked.
    for prefix in item.shortcuts:
        text = f"-s {prefix} -d {container} {TRANSLATED} -j MASQUERADE"
        yield FirewallRule(version, "nat", LEAVING, text)


def _host(address: Address) -> str:
    return f"{address}/{address.max_prefixlen}"


def _port(protocol: str, number: int, end: str = "dport") -> str:
    return f"-p {protocol} -m {protocol} --{end} {number}"
