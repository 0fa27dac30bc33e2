"""The nftables spelling: one table whose rules never change, and elements that say which bridges are ours.

A packet meets the same few rules and hash lookups whether there is one network or a thousand, and making a
network only adds elements.
"""

from collections.abc import Iterable

from bridgehead.core.firewall.rules import LinkAccept, NetworkPolicy, Published
from bridgehead.core.plan.objects import FirewallElement, FirewallTable, KernelObject

FAMILY = "inet"
TABLE = "bridgehead"

# Deleting first makes the whole script a replacement, in one transaction. Adding first lets the delete
# succeed on a machine without the table. `ours` sees only packets with at least one end on our bridges.
_SKELETON = f"""\
add table {FAMILY} {TABLE}
delete table {FAMILY} {TABLE}
table {FAMILY} {TABLE} {{
	set bridges {{
		type ifname
	}}
	set internal {{
		type ifname
	}}
	set masquerading {{
		type ifname
	}}
	map within {{
		type ifname . ifname : verdict
	}}
	chain forward {{
		type filter hook forward priority filter; policy accept;
		iifname @bridges goto ours
		oifname @bridges goto ours
	}}
	chain ours {{
		ct state established,related accept
		iifname . oifname vmap @within
		oifname @bridges drop comment "between networks, or in from outside"
		iifname @internal drop comment "out of an internal network"
	}}
	chain postrouting {{
		type nat hook postrouting priority srcnat; policy accept;
		iifname . oifname vmap @within
		iifname @masquerading masquerade
	}}
}}
"""


def table() -> FirewallTable:
    return FirewallTable(_SKELETON)


class NftSpelling:
    """See `spelling.Spelling`."""

    def base(self) -> Iterable[KernelObject]:
        yield table()

    def network(self, policy: NetworkPolicy) -> Iterable[KernelObject]:
        bridge = policy.bridge
        yield FirewallElement("bridges", (bridge,))
        yield FirewallElement("within", (bridge, bridge), "accept" if policy.icc else "drop")
        if policy.internal:
            yield FirewallElement("internal", (bridge,))
        elif any(family.masquerade for family in policy.families):
            yield FirewallElement("masquerading", (bridge,))

    def published(self, item: Published) -> Iterable[KernelObject]:
        return ()

    def link(self, item: LinkAccept) -> Iterable[KernelObject]:
        return ()


def spelled(element: FirewallElement) -> str:
    """The line of an nft script that adds it."""
    key = " . ".join(f'"{name}"' for name in element.match)
    verdict = f" : {element.data}" if element.data else ""
    return f"add element {FAMILY} {TABLE} {element.set} {{ {key}{verdict} }}\n"
