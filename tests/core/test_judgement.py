"""What is a reason to look at the host, and what is not."""

import ipaddress
from dataclasses import replace

import pytest

from bridgehead.core.judgement import Places, believed, concerns, suspects
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import BridgeOptions, Network, Subnet
from bridgehead.core.plan.filtering import FirewallRule, FirewallTable
from bridgehead.core.plan.notice import (
    AddressAppeared,
    AddressGone,
    FirewallChanged,
    ForwardingChanged,
    LinkChanged,
    LinkGone,
    Notice,
    Overrun,
    RouteAppeared,
    RouteGone,
)
from bridgehead.core.plan.objects import EVERY_KIND, Bridge, LinkAddress, Namespace, Route, Sysctl, Veth

SUBNET = ipaddress.ip_network("172.30.0.0/16")
GATEWAY = ipaddress.ip_interface("172.30.0.1/16")
ELSEWHERE = ipaddress.ip_network("192.0.2.0/24")
INSIDE = ipaddress.ip_interface("172.30.0.2/16")
BELIEVED = believed(
    [
        Bridge("br-a", "02:42:00:00:00:01", 1500),
        Namespace("/run/ns/a"),
        Veth("veth1", "br-a", "/run/ns/a", "eth0", "02:00:00:00:00:01", 1500),
        LinkAddress("", "br-a", GATEWAY),
        LinkAddress("/run/ns/a", "eth0", INSIDE),
        Route("", ELSEWHERE, "br-a"),
        FirewallTable("text"),
        Sysctl("net/ipv4/ip_forward", "1"),
    ]
)
BRIDGE_AS_IT_SHOULD_BE = LinkChanged("br-a", mac="02:42:00:00:00:01", mtu=1500, up=True, master="")
PORT_AS_IT_SHOULD_BE = LinkChanged("veth1", mac="02:00:00:00:00:77", mtu=1500, up=True, master="br-a")


@pytest.mark.parametrize(
    "notice",
    [
        Overrun(),
        LinkGone("br-a"),
        LinkGone("veth1"),
        ForwardingChanged(4, on=False),
        replace(BRIDGE_AS_IT_SHOULD_BE, up=False),
        replace(BRIDGE_AS_IT_SHOULD_BE, mtu=1300),
        replace(BRIDGE_AS_IT_SHOULD_BE, mac="02:42:00:00:00:99"),
        replace(PORT_AS_IT_SHOULD_BE, up=False),
        replace(PORT_AS_IT_SHOULD_BE, mtu=1300),
        replace(PORT_AS_IT_SHOULD_BE, master=""),
        replace(PORT_AS_IT_SHOULD_BE, master="br-b"),
        AddressGone("br-a", GATEWAY),
        RouteGone(SUBNET, "br-a", 2),
        RouteGone(ELSEWHERE, "br-a", 98),
        FirewallChanged(frozenset({("inet", "bridgehead")})),
        FirewallChanged(frozenset({("ip", "filter"), ("inet", "bridgehead")})),
    ],
    ids=repr,
)
def test_damage_is_a_reason(notice: Notice) -> None:
    assert concerns(notice, BELIEVED)


@pytest.mark.parametrize(
    "notice",
    [
        LinkGone("eth0"),
        LinkGone("br-other"),
        BRIDGE_AS_IT_SHOULD_BE,
        replace(BRIDGE_AS_IT_SHOULD_BE, master="bond0"),
        PORT_AS_IT_SHOULD_BE,
        LinkChanged("eth0", mac="", mtu=1300, up=False, master=""),
        AddressGone("br-a", INSIDE),
        AddressGone("eth0", INSIDE),
        AddressAppeared("br-a", GATEWAY),
        RouteGone(SUBNET, "eth0", 2),
        RouteGone(ipaddress.ip_network("10.0.0.0/8"), "br-a", 3),
        RouteAppeared(SUBNET, "tun0", 3),
        FirewallChanged(frozenset({("ip", "filter"), ("inet", "firewalld")})),
        FirewallChanged(frozenset({("ip", "bridgehead")})),
    ],
    ids=lambda notice: type(notice).__name__,  # a set is shown in another order by each process
)
def test_what_is_others_or_as_we_left_it_is_none(notice: Notice) -> None:
    assert not concerns(notice, BELIEVED)


@pytest.mark.parametrize(
    ("family", "table", "ours_in"),
    [("ip", "nat", "nat"), ("ip6", "filter", "filter"), ("ip", "filter", "other/filter")],
)
def test_tables_with_rules_of_ours_are_ours_to_watch(family: str, table: str, ours_in: str) -> None:
    version = 6 if family == "ip6" else 4
    ours = believed([FirewallRule(version, ours_in, "DOCKER", "-j ACCEPT")])

    assert concerns(FirewallChanged(frozenset({(family, table)})), ours)
    assert not concerns(FirewallChanged(frozenset({(family, "raw")})), ours)


def test_only_what_may_be_damaged_is_suspected() -> None:
    link, firewall = LinkGone("br-a"), FirewallChanged(frozenset({("inet", "bridgehead")}))

    assert Veth in suspects([link])
    assert FirewallTable not in suspects([link])
    assert Veth not in suspects([firewall])
    assert suspects([link, firewall]) == suspects([link]) | suspects([firewall])
    assert suspects([firewall, Overrun()]) == EVERY_KIND
    assert suspects([]) == frozenset()


def test_a_later_state_of_the_same_thing_has_the_same_subject() -> None:
    assert LinkGone("a").subject == replace(BRIDGE_AS_IT_SHOULD_BE, name="a").subject
    assert AddressGone("a", GATEWAY).subject == AddressAppeared("a", GATEWAY).subject
    assert RouteGone(SUBNET, "a", 2).subject == RouteAppeared(SUBNET, "a", 2).subject
    assert LinkGone("a").subject != LinkGone("b").subject


def _network(name: str, *prefixes: str, bridge: str = "") -> Network:
    subnets = tuple(Subnet(ipaddress.ip_network(prefix), None) for prefix in prefixes)
    return Network(NetworkID(name), name, "bridge", "", subnets, BridgeOptions(bridge or f"br-{name}"))


NETWORKS = (_network("one", "10.1.0.0/16", "fd00:1::/64"), _network("two", "10.2.0.0/16"))


@pytest.mark.parametrize(
    ("destination", "link", "names"),
    [
        ("10.1.7.0/24", "tun0", ["one"]),
        ("10.0.0.0/8", "tun0", ["one", "two"]),
        ("10.2.0.0/16", "", ["two"]),
        ("fd00:1::5/128", "wg0", ["one"]),
        ("10.3.0.0/16", "tun0", []),
        ("10.1.0.0/16", "br-one", []),
        ("0.0.0.0/0", "eth0", []),
        ("0.0.0.0/1", "tun0", []),
        ("fe80::/64", "tun0", []),
    ],
)
def test_routes_that_lead_into_networks_of_ours(destination: str, link: str, names: list[str]) -> None:
    route = RouteAppeared(ipaddress.ip_network(destination), link, 3)

    assert [network.name for network, _ in Places(NETWORKS).overlapped(route)] == names
