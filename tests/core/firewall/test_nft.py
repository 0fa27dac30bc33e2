from ipaddress import ip_interface

import pytest

from bridgehead.core.firewall.nft import NftSpelling, spelled, table
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.objects import Bridge, FirewallElement, LinkAddress, state
from tests.core.firewall.policies import policy

ONE = FirewallElement("bridges", ("br-one",))


def test_the_skeleton_reads_as_designed() -> None:
    golden = """\
add table inet bridgehead
delete table inet bridgehead
table inet bridgehead {
	set bridges {
		type ifname
	}
	set internal {
		type ifname
	}
	set masquerading {
		type ifname
	}
	map within {
		type ifname . ifname : verdict
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname @bridges goto ours
		oifname @bridges goto ours
	}
	chain ours {
		ct state established,related accept
		iifname . oifname vmap @within
		oifname @bridges drop comment "between networks, or in from outside"
		iifname @internal drop comment "out of an internal network"
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		iifname . oifname vmap @within
		iifname @masquerading masquerade
	}
}
"""

    assert golden == table().text


@pytest.mark.parametrize(
    ("icc", "internal", "masquerade", "expected"),
    [
        (True, False, True, {("bridges", ""), ("within", "accept"), ("masquerading", "")}),
        (False, False, True, {("bridges", ""), ("within", "drop"), ("masquerading", "")}),
        (True, False, False, {("bridges", ""), ("within", "accept")}),
        (True, True, False, {("bridges", ""), ("within", "accept"), ("internal", "")}),
        (False, True, True, {("bridges", ""), ("within", "drop"), ("internal", "")}),
    ],
)
def test_a_policy_becomes_elements(
    icc: bool, internal: bool, masquerade: bool, expected: set[tuple[str, str]]
) -> None:
    found = [
        item
        for item in NftSpelling().network(policy("br-one", icc=icc, internal=internal, masquerade=masquerade))
        if isinstance(item, FirewallElement)
    ]

    assert expected == {(element.set, element.data) for element in found}
    assert {("br-one",), ("br-one", "br-one")} == {element.match for element in found}


def test_elements_are_spelled_for_a_script() -> None:
    pair = FirewallElement("within", ("br-one", "br-one"), "drop")

    assert spelled(ONE) == 'add element inet bridgehead bridges { "br-one" }\n'
    assert spelled(pair) == 'add element inet bridgehead within { "br-one" . "br-one" : drop }\n'


@pytest.mark.parametrize("name", ["", "br*", 'x" }; flush', "a b", "sixteen-letters-", "br/1", "br\n"])
def test_a_bridge_name_that_rules_would_misread_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameter):
        policy(name)


def test_the_filter_stands_before_the_bridge_it_guards() -> None:
    bridge = Bridge("br-one", "02:00:00:00:00:01", 1500)
    address = LinkAddress("", "br-one", ip_interface("10.9.0.1/24"))

    births = diff({}, state(address, bridge, ONE, table()))

    assert [table(), ONE, bridge, address] == [op.object for op in births]
