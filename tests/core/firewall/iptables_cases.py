"""What the iptables spelling is asked for, case by case; `iptables.golden` has what it must answer."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

from bridgehead.core.firewall.iptables import IptablesSpelling, companion
from bridgehead.core.firewall.rules import FamilyPolicy, LinkAccept, NetworkPolicy, Published
from bridgehead.core.model.network import GatewayMode
from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.plan.objects import KernelObject

SPELLING = IptablesSpelling()
FOUR = FamilyPolicy(ip_network("172.17.0.0/16"))
SIX = FamilyPolicy(ip_network("fd00:17::/64"))
DOCKER0 = NetworkPolicy("docker0", (FOUR,))
ONE = NetworkPolicy("br-one", (FOUR,))
BOTH = NetworkPolicy("br-one", (FOUR, SIX))
CLOSED = replace(DOCKER0, icc=False)


def _mode(mode: GatewayMode, *, masquerade: bool = True, source: str = "") -> NetworkPolicy:
    family = replace(FOUR, mode=mode, masquerade=masquerade, source=ip_address(source) if source else None)
    return NetworkPolicy("br-one", (family,))


NAT = _mode(GatewayMode.NAT, masquerade=False)
ROUTED = _mode(GatewayMode.ROUTED, masquerade=False)
FAR = NetworkPolicy(
    "br-far", (FamilyPolicy(ip_network("172.18.0.0/16")), FamilyPolicy(ip_network("fd00:18::/64")))
)
UNPROTECTED = _mode(GatewayMode.UNPROTECTED, source="192.0.2.7")


def _published(
    network: NetworkPolicy, protocol: str, host: str, host_port: int, container: str, port: int
) -> Published:
    return Published(network, protocol, ip_address(host), host_port, ip_address(container), port)


_ASKED: dict[str, Iterable[KernelObject]] = {
    "skeleton": IptablesSpelling(families=(4,)).base(),
    "skeleton in IPv6": IptablesSpelling(families=(6,)).base(),
    "docker0": SPELLING.network(DOCKER0),
    "docker0 without icc": SPELLING.network(CLOSED),
    "another network, both families": SPELLING.network(BOTH),
    "another network, both families, without icc": SPELLING.network(replace(BOTH, icc=False)),
    "internal": SPELLING.network(replace(ONE, internal=True)),
    "routed": SPELLING.network(ROUTED),
    "unprotected, with a source address of its own": SPELLING.network(UNPROTECTED),
    "not masqueraded, direct routing": SPELLING.network(replace(NAT, direct_routing=True)),
    "not masqueraded, trusted interfaces": SPELLING.network(replace(NAT, trusted=("wg0", "eth1"))),
    "a bridge of somebody else": IptablesSpelling(adopted=frozenset({"br-one"})).network(ONE),
    "frames within the bridge meet no rules": IptablesSpelling(bridged=frozenset()).network(ONE),
    "port everywhere": SPELLING.published(_published(DOCKER0, "tcp", "0.0.0.0", 5000, "172.17.0.4", 5000)),
    "port at one address": SPELLING.published(_published(ONE, "sctp", "192.0.2.1", 81, "172.17.0.4", 80)),
    "port at the loopback": SPELLING.published(_published(ONE, "udp", "127.0.0.1", 53, "172.17.0.4", 53)),
    "port in IPv6": SPELLING.published(_published(BOTH, "tcp", "::", 80, "fd00:17::4", 80)),
    "port of a routed network": SPELLING.published(_published(ROUTED, "tcp", "0.0.0.0", 0, "172.17.0.4", 80)),
    "port of an unprotected network": SPELLING.published(
        _published(UNPROTECTED, "tcp", "0.0.0.0", 1, "172.17.0.4", 2)
    ),
    "port of a container with a leg in another network": SPELLING.published(
        replace(_published(BOTH, "tcp", "::", 80, "fd00:17::4", 80), also=(FAR,))
    ),
    "port of an internal network": SPELLING.published(
        _published(replace(ONE, internal=True), "tcp", "0.0.0.0", 1, "172.17.0.4", 2)
    ),
    "link": SPELLING.link(
        LinkAccept(CLOSED, ip_address("172.17.0.2"), ip_address("172.17.0.1"), "tcp", 5432)
    ),
    "companion": companion(4, after_user=True),
}

CASES = {name: tuple(objects) for name, objects in _ASKED.items()}


def spelled(name: str) -> list[str]:
    return sorted(_line(rule) for rule in CASES[name] if isinstance(rule, FirewallRule))


def _line(rule: FirewallRule) -> str:
    return f"{'iptables' if rule.family == 4 else 'ip6tables'} -t {rule.table} -A {rule.chain} {rule.text}"


def golden() -> dict[str, list[str]]:
    """By case, as a person would type them."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in Path(__file__).with_name("iptables.golden").read_text().splitlines():
        if line.startswith("# "):
            name = line[2:]
            found[name] = []
        elif line:
            found[name].append(line)
    return found
