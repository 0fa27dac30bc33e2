from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from bridgehead.core.firewall.flows import Flow
from bridgehead.core.firewall.nft import GuardSpelling, NftSpelling, flow
from bridgehead.core.firewall.nft_skeleton import guard, table
from bridgehead.core.firewall.rules import FamilyPolicy, LinkAccept, NetworkPolicy, Published
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import GatewayMode
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.filtering import FirewallElement
from bridgehead.core.plan.objects import Bridge, KernelObject, LinkAddress, state
from tests.core.firewall.policies import policy

ONE = FirewallElement("bridges", ("br-one",))
Elements = set[tuple[str, str, str]]


def lines(*objects: KernelObject) -> Elements:
    elements = [item for item in objects if isinstance(item, FirewallElement)]
    assert len(elements) == len(objects)
    return {(item.set, " . ".join(item.match), item.data) for item in elements}


def dual(
    mode: GatewayMode = GatewayMode.NAT,
    *,
    icc: bool = True,
    internal: bool = False,
    masquerade: bool = True,
    direct_routing: bool = False,
    trusted: tuple[str, ...] = (),
) -> NetworkPolicy:
    families = tuple(
        FamilyPolicy(ip_network(prefix), mode, masquerade) for prefix in ("10.9.0.0/24", "fd00:9::/64")
    )
    return NetworkPolicy("br-one", families, icc, internal, direct_routing, trusted)


def published(network: NetworkPolicy, host: str = "0.0.0.0", host_port: int = 8080) -> Published:
    container = ip_address("10.9.0.2" if "." in host else "fd00:9::2")
    return Published(network, "tcp", ip_address(host), host_port, container, 80)


def test_the_guard_is_the_part_of_the_table_that_drops() -> None:
    whole, part = (set(text.splitlines()) for text in (table().text, guard().text))

    assert part - whole == {"\tchain standing {"}
    assert not any(word in guard().text for word in ("dnat ip", "masquerade", "snat ip"))
    assert sum(" drop" in line for line in guard().text.splitlines()) == table().text.count(" drop")


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (dual(), {("within", "br-one . br-one", "accept")}),
        (dual(icc=False), {("within", "br-one . br-one", "goto apart")}),
        (
            dual(internal=True),
            {("within", "br-one . br-one", "accept"), ("internal", "br-one", "")},
        ),
        (
            dual(internal=True, icc=False),
            {("within", "br-one . br-one", "goto linked"), ("internal", "br-one", "")},
        ),
        (
            dual(trusted=("wg0",)),
            {("within", "br-one . br-one", "accept"), ("trusted", "wg0 . br-one", "")},
        ),
    ],
)
def test_a_network_says_who_meets_within(network: NetworkPolicy, expected: Elements) -> None:
    found = lines(*GuardSpelling().network(network))

    assert {("bridges", "br-one", "")} | expected == {line for line in found if line[0] != "inward"}


@pytest.mark.parametrize(
    ("network", "verdict"),
    [
        (dual(), "goto published"),
        (dual(GatewayMode.UNPROTECTED), "accept"),
        (dual(GatewayMode.ROUTED), "goto routed"),
        (dual(GatewayMode.ISOLATED, internal=True), "drop"),
        (dual(internal=True, direct_routing=True), "drop"),
        (dual(direct_routing=True), "goto direct"),
        (dual(trusted=("wg0",)), "goto trusting"),
        (dual(GatewayMode.UNPROTECTED, internal=True), "drop"),
    ],
)
def test_a_network_says_what_comes_in(network: NetworkPolicy, verdict: str) -> None:
    found = lines(*NftSpelling().network(network))

    assert {
        ("inward", "br-one . ipv4", verdict),
        ("inward", "br-one . ipv6", verdict),
    } == {line for line in found if line[0] == "inward"}


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (
            dual(),
            {("masquerading4", "10.9.0.0/24", ""), ("masquerading6", "fd00:9::/64", "")},
        ),
        (dual(masquerade=False), set()),
        (dual(internal=True), set()),
        (
            NetworkPolicy(
                "br-one", (FamilyPolicy(ip_network("10.9.0.0/24"), source=ip_address("192.0.2.1")),)
            ),
            {("source4", "10.9.0.0/24", "192.0.2.1")},
        ),
    ],
)
def test_a_network_says_whose_address_it_takes_outside(network: NetworkPolicy, expected: Elements) -> None:
    found = lines(*NftSpelling().network(network)) - lines(*GuardSpelling().network(network))

    assert found - {("same", "br-one . br-one", "")} == expected


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            published(dual()),
            {
                ("everywhere4", "tcp . 8080", "10.9.0.2 . 80"),
                ("hairpin4", "10.9.0.2 . 10.9.0.2", ""),
            },
        ),
        (
            published(dual(), "127.0.0.1"),
            {
                ("published4", "127.0.0.1 . tcp . 8080", "10.9.0.2 . 80"),
                ("hairpin4", "10.9.0.2 . 10.9.0.2", ""),
            },
        ),
        (
            published(dual(), "::"),
            {
                ("everywhere6", "tcp . 8080", "fd00:9::2 . 80"),
                ("hairpin6", "fd00:9::2 . fd00:9::2", ""),
            },
        ),
        (
            published(dual(direct_routing=True), "2001:db8::7"),
            {
                ("published6", "2001:db8::7 . tcp . 8080", "fd00:9::2 . 80"),
                ("hairpin6", "fd00:9::2 . fd00:9::2", ""),
                ("open6", "fd00:9::2 . tcp . 80", ""),
            },
        ),
        (
            published(dual(trusted=("wg0",))),
            {
                ("everywhere4", "tcp . 8080", "10.9.0.2 . 80"),
                ("hairpin4", "10.9.0.2 . 10.9.0.2", ""),
                ("open4", "10.9.0.2 . tcp . 80", ""),
            },
        ),
        (
            replace(published(dual()), also=(policy("br-two", prefix="10.8.0.0/24"),)),
            {
                ("everywhere4", "tcp . 8080", "10.9.0.2 . 80"),
                ("hairpin4", "10.9.0.2 . 10.9.0.2", ""),
                ("shortcut4", "10.8.0.0/24 . 10.9.0.2/32", ""),
            },
        ),
        (published(dual(GatewayMode.ROUTED)), {("open4", "10.9.0.2 . tcp . 80", "")}),
        (published(dual(), host_port=0), set()),
        (published(dual(internal=True, direct_routing=True)), set()),
    ],
)
def test_a_published_port_becomes_elements(item: Published, expected: Elements) -> None:
    assert expected == lines(*NftSpelling().published(item))
    assert {line for line in expected if line[0].startswith("open")} == lines(
        *GuardSpelling().published(item)
    )


def test_a_link_is_one_element() -> None:
    link = LinkAccept(dual(icc=False), ip_address("10.9.0.3"), ip_address("10.9.0.2"), "tcp", 5432)

    assert lines(*NftSpelling().link(link)) == {("links4", "10.9.0.3 . 10.9.0.2 . tcp . 5432", "")}


def test_elements_that_publish_name_their_flow() -> None:
    found = {
        flow(element)
        for host in ("0.0.0.0", "192.0.2.7", "::", "2001:db8::7")
        for element in NftSpelling().published(published(dual(direct_routing=True), host))
        if isinstance(element, FirewallElement)
    }

    assert found == {
        None,
        *(Flow("tcp", ip_address(host), 8080) for host in ("0.0.0.0", "192.0.2.7", "::", "2001:db8::7")),
    }


@pytest.mark.parametrize("name", ["", "br*", 'x" }; flush', "a b", "sixteen-letters-", "br/1", "br\n"])
def test_a_bridge_name_that_rules_would_misread_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameter):
        policy(name)


def test_the_filter_stands_before_the_bridge_it_guards() -> None:
    bridge = Bridge("br-one", "02:00:00:00:00:01", 1500)
    address = LinkAddress("", "br-one", ip_interface("10.9.0.1/24"))

    births = diff({}, state(address, bridge, ONE, table()))

    assert [table(), ONE, bridge, address] == [op.object for op in births]
