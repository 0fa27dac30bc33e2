"""The fixed part of our nftables table: sets, maps, and the few rules that look into them.

There are two of it. The whole one filters and translates. The guard only filters, beside a backend whose own
rules translate, and whose rules somebody may flush: what it drops stays dropped, what was translated goes on.
"""

from bridgehead.core.plan.filtering import FirewallTable

FAMILY = "inet"
TABLE = "bridgehead"

_FILTER_SETS = """\
	set bridges {
		type ifname
	}
	set internal {
		type ifname
	}
	map within {
		type ifname . ifname : verdict
	}
	map inward {
		type ifname . nf_proto : verdict
	}
	set trusted {
		type ifname . ifname
	}
	set open4 {
		type ipv4_addr . inet_proto . inet_service
	}
	set open6 {
		type ipv6_addr . inet_proto . inet_service
	}
	set links4 {
		type ipv4_addr . ipv4_addr . inet_proto . inet_service
	}
	set links6 {
		type ipv6_addr . ipv6_addr . inet_proto . inet_service
	}
"""

# The priority puts our drops before the accepts of the ordinary filter chains; `ours` sees only packets that
# begin something and have an end on our bridges. Accepting all answers, also other people's, costs nobody
# anything: they leave by the policy, accept, in any case, as does what comes to the end of a chain (`goto`).
# Comparing addresses is quicker than looking up interfaces, so `loopback` begins with that.
_FILTER_CHAINS = """\
	chain loopback {
		type filter hook prerouting priority raw; policy accept;
		ip daddr 127.0.0.0/8 iifname @bridges drop comment "route_localnet is for the host alone"
		ip saddr 127.0.0.0/8 iifname @bridges drop
	}
	chain forward {
		type filter hook forward priority filter - 1; policy accept;
		ct state established,related accept
		iifname @bridges goto ours
		oifname @bridges goto ours
	}
	chain ours {
		iifname . oifname vmap @within
		iifname @internal drop comment "out of an internal network"
		oifname . meta nfproto vmap @inward
		oifname @bridges drop comment "into a family without a policy"
	}
	chain apart {
		ct status dnat accept
		goto linked
	}
	chain linked {
		ip saddr . ip daddr . meta l4proto . th dport @links4 accept
		ip6 saddr . ip6 daddr . meta l4proto . th dport @links6 accept
		icmpv6 type nd-neighbor-solicit accept
		icmpv6 type nd-neighbor-advert accept
		drop comment "icc is off"
	}
	chain published {
		ct status dnat accept
		drop comment "not a published port"
	}
	chain direct {
		ct status dnat accept
		goto opened
	}
	chain trusting {
		ct status dnat accept
		iifname . oifname @trusted goto opened
		drop comment "not a published port, nor trusted"
	}
	chain routed {
		ct status dnat accept
		icmp type echo-request accept
		icmpv6 type echo-request accept
		goto opened
	}
	chain opened {
		ip daddr . meta l4proto . th dport @open4 accept
		ip6 daddr . meta l4proto . th dport @open6 accept
		drop comment "not an open port"
	}
"""

_NAT_SETS = """\
	map published4 {
		type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
	}
	map published6 {
		type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
	}
	map everywhere4 {
		type inet_proto . inet_service : ipv4_addr . inet_service
	}
	map everywhere6 {
		type inet_proto . inet_service : ipv6_addr . inet_service
	}
	set masquerading4 {
		type ipv4_addr
		flags interval
	}
	set masquerading6 {
		type ipv6_addr
		flags interval
	}
	map source4 {
		type ipv4_addr : ipv4_addr
		flags interval
	}
	map source6 {
		type ipv6_addr : ipv6_addr
		flags interval
	}
	set hairpin4 {
		type ipv4_addr . ipv4_addr
	}
	set hairpin6 {
		type ipv6_addr . ipv6_addr
	}
	set shortcut4 {
		type ipv4_addr . ipv4_addr
		flags interval
	}
	set shortcut6 {
		type ipv6_addr . ipv6_addr
		flags interval
	}
	set same {
		type ifname . ifname
	}
"""

# Among our bridges the client's address stays, but for `hairpin` (a container meets itself) and `shortcut`
# (the container has another leg in the client's network: its answer would take that one, past us, and come
# from an address that nobody asked). Within one bridge that works where bridged frames meet rules
# (br_netfilter): there the kernel translates the answer back, and what stays on its bridge has no incoming
# interface here. Where they do not, it is routed, in and out by the same interface, and its answer would take
# the short way untranslated: so it is led back through us (`inside`).
_NAT_CHAINS = """\
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 127.0.0.0/8 return
		fib daddr type local goto ports
	}
	chain output {
		type nat hook output priority -100; policy accept;
		ip6 daddr ::1 return
		fib daddr type local goto ports
	}
	chain ports {
		ip6 saddr fe80::/10 return
		ip6 daddr fe80::/10 return
		dnat ip to ip daddr . meta l4proto . th dport map @published4
		meta nfproto ipv4 dnat ip to meta l4proto . th dport map @everywhere4
		dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6
		meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @everywhere6
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname @bridges ip saddr 127.0.0.0/8 masquerade
		ct status dnat ip saddr . ip daddr @hairpin4 masquerade
		ct status dnat ip6 saddr . ip6 daddr @hairpin6 masquerade
		ct status dnat ip saddr . ip daddr @shortcut4 masquerade
		ct status dnat ip6 saddr . ip6 daddr @shortcut6 masquerade
		iifname . oifname @same goto inside
		oifname @bridges return
		oifname "lo" return comment "the host asks itself"
		goto outside
	}
	chain inside {
		ct status dnat masquerade
	}
	chain outside {
		snat ip to ip saddr map @source4
		snat ip6 to ip6 saddr map @source6
		ip saddr @masquerading4 masquerade
		ip6 saddr @masquerading6 masquerade
	}
"""


# The kernel applies the translations of connections for as long as anybody has a chain of this type.
_STANDING_NAT = """\
	chain standing {
		type nat hook postrouting priority srcnat; policy accept;
	}
"""


def table() -> FirewallTable:
    return _table(_FILTER_SETS + _NAT_SETS + _FILTER_CHAINS + _NAT_CHAINS)


def guard() -> FirewallTable:
    return _table(_FILTER_SETS + _FILTER_CHAINS + _STANDING_NAT)


def _table(content: str) -> FirewallTable:
    return FirewallTable(f"table {FAMILY} {TABLE} {{\n{content}}}\n")
