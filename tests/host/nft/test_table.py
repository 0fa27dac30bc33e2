"""The fixed part of the table: whose it is, what changes it, how it is replaced; with `nft` as the judge."""

import socket
import struct
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from bridgehead.core.firewall.nft import GuardSpelling
from bridgehead.core.firewall.nft_skeleton import guard, table
from bridgehead.core.plan.diff import Create, Update, diff
from bridgehead.core.plan.filtering import FirewallElement, FirewallTable
from bridgehead.core.plan.objects import state
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.nft.conversation import NETLINK_NETFILTER
from bridgehead.host.nft.plane import FirewallPlane
from bridgehead.host.nft.skeleton import OWNED
from tests.host.nft.tables import RICH, TWO, WANTED, NewPlane, everything, generation, listed, nft, settle

pytestmark = pytest.mark.host

NFTABLES_GROUP = 7
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


def test_nothing_is_observed_on_an_empty_machine(plane: FirewallPlane) -> None:
    assert plane.observe() == {}


def test_foreign_tables_are_neither_seen_nor_touched(plane: FirewallPlane) -> None:
    nft(script=FOREIGN)

    settle(plane, WANTED)
    settle(plane, state(table()))
    settle(plane, {})

    assert nft("list", "ruleset") == FOREIGN
    assert plane.observe() == {}


@pytest.mark.parametrize(
    "command",
    [
        "flush ruleset",
        "delete table inet bridgehead",
        "flush table inet bridgehead",
        "flush chain inet bridgehead ours",
        "insert rule inet bridgehead ours accept",
        'add element inet bridgehead inward { "br-two" . ipv4 : accept }',
        "add table inet bridgehead { flags dormant; }",
    ],
)
def test_nobody_else_changes_the_table_while_we_live(plane: FirewallPlane, command: str) -> None:
    settle(plane, WANTED)

    subprocess.run(["nft", "-f", "-"], input=command, text=True, capture_output=True, check=False, timeout=20)

    assert plane.observe() == WANTED


def test_the_table_outlives_its_owner_and_is_claimed_without_being_made_again(new_plane: NewPlane) -> None:
    first = new_plane()
    settle(first, WANTED)
    handles = [rule["handle"] for rule in listed("rule")]
    first.close()
    successor = new_plane()

    plan = diff(successor.observe(), WANTED)
    failed = successor.apply(plan)
    nft("flush", "ruleset")

    assert [Update] == [type(op) for op in plan]
    assert failed == {}
    assert successor.observe() == WANTED
    assert handles == [rule["handle"] for rule in listed("rule")]


def test_the_kernels_events_name_us(plane: FirewallPlane) -> None:
    before = plane.port_ids
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as listener:
        listener.settimeout(5)
        listener.bind((0, 1 << NFTABLES_GROUP - 1))

        settle(plane, WANTED)
        events = listener.recv(1 << 16)

    assert before == frozenset()
    assert {struct.unpack_from("=I", events, 12)[0]} == plane.port_ids


def test_a_second_owner_is_refused_with_a_reason(plane: FirewallPlane, new_plane: NewPlane) -> None:
    settle(plane, WANTED)
    other = new_plane()

    failed = other.apply([Update(table(), guard()), Create(FirewallElement("bridges", ("br-three",)))])

    assert "belongs to another process" in str(failed["firewall-table",])
    assert len(failed) == 2
    assert plane.observe() == WANTED


def test_a_table_that_went_while_nobody_owned_it_is_made_again(new_plane: NewPlane) -> None:
    first = new_plane()
    settle(first, WANTED)
    first.close()
    nft("flush", "ruleset")
    successor = new_plane()

    seen = successor.observe()
    settle(successor, WANTED)

    assert seen == {}
    assert successor.observe() == WANTED


DAMAGE = [
    "flush chain inet bridgehead ours",
    "flush table inet bridgehead",
    "insert rule inet bridgehead ours accept",
    "add chain inet bridgehead forward { policy drop; }",
    "add chain inet bridgehead extra",
    "add set inet bridgehead extra { type ipv4_addr; elements = { 10.0.0.1 }; }",
    "add set inet bridgehead extra { type mark; elements = { 1 }; }",
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_changed_skeleton_is_replaced_and_no_element_is_lost(new_plane: NewPlane, damage: str) -> None:
    first = new_plane()
    settle(first, everything())
    first.close()
    nft(script=damage + "\n")
    successor = new_plane()

    plan = [
        op
        for op in diff(successor.observe(), everything())
        if not (isinstance(op.object, FirewallElement) and op.object.set == "extra")
    ]
    failed = successor.apply(plan)

    assert [table()] == [op.object for op in plan]
    assert failed == {}
    assert successor.observe() == everything()


def test_an_ordinary_table_put_to_sleep_is_replaced(namespaces: Path) -> None:
    """Only without PERSIST does the kernel let others switch a table off."""
    with closing(FirewallPlane(str(namespaces), socket_in, table_flags=0)) as plane:
        settle(plane, WANTED)
        nft(script="add table inet bridgehead { flags dormant; }")

        plan = diff(plane.observe(), WANTED)
        failed = plane.apply(plan)

        assert [table()] == [op.object for op in plan]
        assert failed == {}
        assert plane.observe() == WANTED


def test_replacing_leaves_no_moment_without_rules(new_plane: NewPlane) -> None:
    """The kernel counts generations of its rules: the whole replacement is one."""
    first = new_plane()
    settle(first, everything())
    first.close()
    nft("flush", "chain", "inet", "bridgehead", "ours")
    successor = new_plane()
    plan = diff(successor.observe(), everything())
    before = generation()

    failed = successor.apply(plan)

    assert failed == {}
    assert generation() == before + 1


def test_a_kernel_that_knows_no_owners_gets_an_ordinary_table(namespaces: Path) -> None:
    unheard_of = OWNED | 1 << 20
    with closing(FirewallPlane(str(namespaces), socket_in, table_flags=unheard_of)) as plane:
        settle(plane, WANTED)
        seen = plane.observe()
    with closing(FirewallPlane(str(namespaces), socket_in, table_flags=unheard_of)) as successor:
        handles = [rule["handle"] for rule in listed("rule")]
        settle(successor, WANTED)

        assert successor.observe() == seen == WANTED
        assert handles == [rule["handle"] for rule in listed("rule")]
        nft("flush", "ruleset")
        assert successor.observe() == {}


def test_an_ordinary_table_becomes_ours_with_its_elements(namespaces: Path, new_plane: NewPlane) -> None:
    with closing(FirewallPlane(str(namespaces), socket_in, table_flags=0)) as earlier:
        settle(earlier, everything())
    successor = new_plane()
    plan = diff(successor.observe(), everything())
    before = generation()

    failed = successor.apply(plan)

    assert [table()] == [op.object for op in plan]
    assert failed == {}
    assert generation() == before + 1
    nft("flush", "ruleset")
    assert successor.observe() == everything()


def test_the_guard_replaces_the_whole_table_and_back(plane: FirewallPlane) -> None:
    guarded = state(guard(), *GuardSpelling().network(RICH), *GuardSpelling().network(TWO))
    settle(plane, everything())

    settle(plane, guarded)
    translating = {chain["name"] for chain in listed("chain") if chain.get("type") == "nat"}
    rules = [rule for rule in listed("rule") if rule["chain"] in translating]
    seen = plane.observe()
    settle(plane, everything())

    assert (translating, rules) == ({"standing"}, [])
    assert seen == guarded
    assert plane.observe() == everything()


def test_an_older_script_is_replaced_and_its_elements_kept(new_plane: NewPlane) -> None:
    older = table().text.replace("chain ours {", "chain ours {\n\t\tmeta mark 7 accept")
    first = new_plane()
    settle(first, {**WANTED, table().key: FirewallTable(older)})
    first.close()

    successor = new_plane()
    plan = diff(successor.observe(), WANTED)
    failed = successor.apply(plan)

    assert [Update] == [type(op) for op in plan]
    assert failed == {}
    assert successor.observe() == WANTED


def test_an_older_table_with_other_sets_is_replaced(plane: FirewallPlane) -> None:
    """As the releases before publishing made it, by `nft`."""
    nft(
        script="""
        table inet bridgehead {
            set bridges { type ifname; elements = { "br-one", "br-two" }; }
            set internal { type ifname; elements = { "br-two" }; }
            set masquerading { type ifname; elements = { "br-one" }; }
            set links4 { type ifname; elements = { "br-one" }; }
            map within { type ifname . ifname : verdict
                elements = { "br-one" . "br-one" : accept, "br-two" . "br-two" : goto ours }; }
            chain ours { ct state established,related accept; }
        }
        """
    )

    settle(plane, WANTED)

    assert plane.observe() == WANTED


def test_a_script_that_nft_refuses_leaves_the_old_table_standing(plane: FirewallPlane) -> None:
    settle(plane, WANTED)

    failed = plane.apply([Update(table(), FirewallTable(table().text + "nonsense\n"))])

    assert [key[0] for key in failed] == ["firewall-table"]
    assert plane.observe() == WANTED
