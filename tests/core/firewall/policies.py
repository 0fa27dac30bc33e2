"""Network policies for tests, in one line each."""

from ipaddress import ip_network

from bridgehead.core.firewall.rules import FamilyPolicy, NetworkPolicy


def policy(
    bridge: str,
    *,
    icc: bool = True,
    internal: bool = False,
    masquerade: bool = True,
    prefix: str = "10.9.0.0/24",
) -> NetworkPolicy:
    families = (FamilyPolicy(ip_network(prefix), masquerade=masquerade),)
    return NetworkPolicy(bridge, families, icc=icc, internal=internal)
