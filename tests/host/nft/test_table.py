"""The table and its elements, against the real kernel, with the `nft` command as the judge."""

import errno
import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from bridgehead.core.firewall.nft import NftSpelling, table
from bridgehead.core.plan.diff import Create, Delete, Update, diff
from bridgehead.core.plan.objects import FirewallElement, FirewallTable, State, state
from bridgehead.host.nft.plane import FirewallPlane
from tests.core.firewall.policies import policy

pytestmark = pytest.mark.host

ONE = policy("br-one", icc=True, internal=False, masquerade=True)
TWO = policy("br-two", icc=False, internal=True, masquerade=True)
WANTED = state(table(), *NftSpelling().network(ONE), *NftSpelling().network(TWO))
FOREIGN = """\
table inet foreign {
	set bridges {
		type ifname
		elements = { "br-one" }
	}

	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname @bridges counter packets 0 bytes 0 accept
	}
}
table ip bridgehead {
	chain forward {
		type filter hook forward priority filter; policy accept;
	}
}
"""


def nft(*words: str, script: str = "") -> str:
    command = ["nft", *words] if words else ["nft", "-f", "-"]
    return subprocess.run(
        command, input=script, capture_output=True, text=True, check=True, timeout=20
    ).stdout


def settle(plane: FirewallPlane, wanted: State) -> None:
    assert plane.apply(diff(plane.observe(), wanted)) == {}


def listed(kind: str) -> list[Any]:
    listing = json.loads(nft("-j", "list", "table", "inet", "bridgehead"))["nftables"]
    return [item[kind] for item in listing if kind in item]


def test_what_was_applied_is_observed_also_by_a_plane_without_memory(
    plane: FirewallPlane, new_plane: Callable[[], FirewallPlane]
) -> None:
    settle(plane, WANTED)

    assert new_plane().observe() == WANTED
    verdicts = {item["name"]: item.get("elem") for item in listed("map")}["within"]
    assert sorted(verdicts, key=str) == [
        [{"concat": ["br-one", "br-one"]}, {"accept": None}],
        [{"concat": ["br-two", "br-two"]}, {"drop": None}],
    ]


def test_nothing_is_observed_on_an_empty_machine(plane: FirewallPlane) -> None:
    assert plane.observe() == {}


def test_foreign_tables_are_neither_seen_nor_touched(plane: FirewallPlane) -> None:
    nft(script=FOREIGN)

    settle(plane, WANTED)
    settle(plane, state(table()))
    settle(plane, {})

    assert nft("list", "ruleset") == FOREIGN
    assert plane.observe() == {}


def test_a_flushed_ruleset_is_repaired_in_one_pass(plane: FirewallPlane) -> None:
    settle(plane, WANTED)
    nft("flush", "ruleset")

    seen = plane.observe()
    settle(plane, WANTED)

    assert seen == {}
    assert plane.observe() == WANTED


@pytest.mark.parametrize(
    "damage",
    [
        "flush chain inet bridgehead ours",
        "flush table inet bridgehead",
        "insert rule inet bridgehead ours accept",
        "add chain inet bridgehead forward { policy drop; }",
        "add table inet bridgehead { flags dormant; }",
        "add chain inet bridgehead extra",
        "add set inet bridgehead extra { type ipv4_addr; elements = { 10.0.0.1 }; }",
    ],
)
def test_a_changed_skeleton_is_replaced_and_no_element_is_lost(plane: FirewallPlane, damage: str) -> None:
    settle(plane, WANTED)
    nft(script=damage + "\n")

    plan = diff(plane.observe(), WANTED)
    failed = plane.apply(plan)

    assert [table()] == [op.object for op in plan]
    assert failed == {}
    assert plane.observe() == WANTED


def test_elements_changed_by_hand_are_put_right(plane: FirewallPlane) -> None:
    settle(plane, WANTED)
    nft(
        script="""
        delete element inet bridgehead within { "br-two" . "br-two" }
        add element inet bridgehead within { "br-two" . "br-two" : accept }
        add element inet bridgehead internal { "br-one", "odd name" }
        delete element inet bridgehead masquerading { "br-one" }
        """
    )

    settle(plane, WANTED)

    assert plane.observe() == WANTED


def test_an_older_script_is_replaced_and_its_elements_kept(
    plane: FirewallPlane, new_plane: Callable[[], FirewallPlane]
) -> None:
    older = table().text.replace("chain ours {", "chain ours {\n\t\tmeta mark 7 accept")
    settle(plane, {**WANTED, table().key: FirewallTable(older)})

    successor = new_plane()
    plan = diff(successor.observe(), WANTED)
    failed = successor.apply(plan)

    assert [Update] == [type(op) for op in plan]
    assert failed == {}
    assert successor.observe() == WANTED


def test_a_script_that_nft_refuses_leaves_the_old_table_standing(plane: FirewallPlane) -> None:
    settle(plane, WANTED)

    failed = plane.apply([Update(table(), FirewallTable(table().text + "nonsense\n"))])

    assert [key[0] for key in failed] == ["firewall-table"]
    assert plane.observe() == WANTED


def test_a_refused_element_does_not_stop_the_others(plane: FirewallPlane) -> None:
    settle(plane, state(table()))
    stray = FirewallElement("no-such-set", ("br-one",))
    good = FirewallElement("bridges", ("br-one",))
    gone = FirewallElement("internal", ("br-one",))

    failed = plane.apply([Delete(gone), Create(stray), Create(good), Create(good)])

    assert {stray.key: errno.ENOENT} == {
        key: error.errno for key, error in failed.items() if isinstance(error, OSError)
    }
    assert state(table(), good) == plane.observe()


def test_five_hundred_networks_go_in_at_once_and_survive_a_replacement(plane: FirewallPlane) -> None:
    policies = [policy(f"br-{number}") for number in range(500)]
    wanted = state(table(), *(element for policy in policies for element in NftSpelling().network(policy)))

    settle(plane, wanted)
    nft("flush", "chain", "inet", "bridgehead", "ours")
    settle(plane, wanted)

    assert wanted == plane.observe()
