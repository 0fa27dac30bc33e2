"""The plane on the real kernel: what it writes, recognises, repairs, and leaves alone."""

from collections.abc import Callable
from ipaddress import ip_address

import pytest

from bridgehead.core.firewall.flows import Flow
from bridgehead.core.firewall.iptables import IptablesSpelling
from bridgehead.core.firewall.iptables_chains import BRIDGE_GROUP, ESTABLISHED, TO_OURS
from bridgehead.core.firewall.rules import NetworkPolicy, Published
from bridgehead.core.plan.diff import Create, diff
from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.plan.objects import State, state
from bridgehead.host.iptables.links import group_of
from bridgehead.host.iptables.plane import IptablesPlane
from bridgehead.host.iptables.programs import Programs
from bridgehead.host.netlink.marks import LINK_GROUP
from tests.core.firewall.policies import policy
from tests.host.iptables.conftest import Machine, command

pytestmark = pytest.mark.host

SPELLING = IptablesSpelling()
DOCKER0 = policy("docker0", prefix="172.17.0.0/16")
TWO = policy("br-two", prefix="10.9.0.0/24")
NewPlane = Callable[[], IptablesPlane]


def published(number: int, network: NetworkPolicy = DOCKER0) -> Published:
    anywhere, container = ip_address("0.0.0.0"), ip_address("172.17.0.4") + number // 100
    return Published(network, "tcp", anywhere, 5000 + number, container, 5000 + number % 100)


def world(ports: int = 1, *networks: NetworkPolicy) -> State:
    return state(
        *SPELLING.base(),
        *(item for network in (DOCKER0, TWO, *networks) for item in SPELLING.network(network)),
        *(item for number in range(ports) for item in SPELLING.published(published(number))),
    )


def test_our_group_is_the_one_links_are_born_in(machine: Machine) -> None:
    assert BRIDGE_GROUP == LINK_GROUP
    assert tuple(map(group_of, ("docker0", "br-guest", "br-none"))) == (LINK_GROUP, 0, None)


def test_the_chapters_rules_are_shown(machine: Machine, plane: IptablesPlane) -> None:
    machine.settle(plane, world())

    assert "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE" in machine.rules("nat")
    dnat = "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 5000 -j DNAT --to-destination 172.17.0.4:5000"
    assert dnat in machine.rules("nat")
    accept = "-A DOCKER -d 172.17.0.4/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 5000 -j ACCEPT"
    assert accept in machine.rules()
    assert "-A FORWARD -i docker0 -o docker0 -j ACCEPT" in machine.rules()


def test_a_thousand_ports_are_one_process(machine: Machine, plane: IptablesPlane) -> None:
    machine.settle(plane, world())

    assert machine.settle(plane, world(1000)) == 1
    assert machine.settle(plane, world(999)) == 1
    assert machine.settle(plane, world(1)) == 1
    assert not any("DOCKER." in rule for table in ("filter", "nat") for rule in machine.rules(table))


def test_nothing_to_do_starts_nothing(machine: Machine, plane: IptablesPlane) -> None:
    machine.settle(plane, world(20))
    before = plane.child_pids

    assert plane.apply([Create(item) for item in world(20).values()]) == {}
    # Rules whose place is a matter of position are looked at; nothing is written.
    assert len(plane.child_pids) - len(before) <= 2


def test_another_process_knows_them_as_ours(machine: Machine, new_plane: NewPlane) -> None:
    machine.settle(new_plane(), world(40))

    assert world(40) == new_plane().observe()
    assert machine.settle(new_plane(), {}) > 0
    left = [rule for table in ("raw", "nat", "filter") for rule in machine.rules(table)]
    assert left == ["-A FORWARD -j DOCKER-USER"]


@pytest.mark.parametrize("ports", [1, 40])
def test_when_the_other_variant_comes_into_use_the_rules_move_there(
    machine: Machine, plane: IptablesPlane, ports: int
) -> None:
    machine.settle(plane, world(ports))
    successor = IptablesPlane(Programs(machine.variant.other))

    assert successor.apply(diff(successor.observe(), world(ports))) == {}

    assert successor.observe() == world(ports)
    left = [rule for table in ("raw", "nat", "filter") for rule in machine.rules(table)]
    assert left == ["-A FORWARD -j DOCKER-USER"]


@pytest.mark.parametrize(
    "damage",
    [
        "iptables -F",
        "iptables -t nat -F",
        "iptables -t raw -F",
        "ip6tables -F",
        "iptables -t nat -F DOCKER",
        "iptables -F DOCKER",
        "iptables -F BRIDGEHEAD-FORWARD",
        "iptables -D FORWARD -j DOCKER-USER",
        "iptables -D FORWARD -j BRIDGEHEAD-FORWARD",
        "iptables -t nat -D OUTPUT -m addrtype --dst-type LOCAL -j BRIDGEHEAD-OUTPUT",
        "iptables -t nat -D POSTROUTING 1",
        "iptables -D FORWARD -i docker0 -o docker0 -j ACCEPT",
        # The order.
        "iptables -D FORWARD 1; iptables -A FORWARD -j DOCKER-USER",
        f"iptables -D BRIDGEHEAD-FORWARD 1; iptables -A BRIDGEHEAD-FORWARD {TO_OURS} {ESTABLISHED} -j ACCEPT",
        # Too much.
        "iptables -I BRIDGEHEAD-FORWARD -j ACCEPT",
        "iptables -I FORWARD -j BRIDGEHEAD-FORWARD",
        "iptables -A DOCKER -d 172.17.0.4/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 99 -j ACCEPT",
        "iptables -N DOCKER.01234567",
        # All at once.
        "; ".join(f"iptables -t {table} -{verb}" for table in ("raw", "nat", "filter") for verb in "FX"),
    ],
)
@pytest.mark.parametrize("ports", [1, 40])
def test_damage_is_seen_and_repaired_in_one_go(
    machine: Machine, plane: IptablesPlane, ports: int, damage: str
) -> None:
    machine.settle(plane, world(ports))
    before = {table: machine.rules(table) for table in ("raw", "nat", "filter")}

    for words in damage.split("; "):
        machine.run(words)

    assert diff(plane.observe(), world(ports)) != []
    assert machine.settle(plane, world(ports)) == 1
    after = {table: machine.rules(table) for table in ("raw", "nat", "filter")}
    assert {table: sorted(rules) for table, rules in before.items()} == {
        table: sorted(rules) for table, rules in after.items()
    }


def test_a_branch_that_was_cut_off_is_grown_again(machine: Machine, plane: IptablesPlane) -> None:
    machine.settle(plane, world(40))
    branch = next(
        rule for rule in machine.rules("nat") if rule.startswith("-A DOCKER -p") and "-j DOCKER." in rule
    )

    machine.run(f"iptables -t nat {branch.replace('-A', '-D', 1)}")

    assert diff(plane.observe(), world(40)) != []
    machine.settle(plane, world(40))
    assert branch in machine.rules("nat")


USER_RULES = (
    ("filter", "-I DOCKER ! -s 8.8.8.8/32 -i docker0 -j DROP"),
    ("filter", "-A DOCKER-USER -s 192.0.2.1/32 -j DROP"),
    ("filter", "-I FORWARD -s 192.0.2.2/32 -j DROP"),
    ("filter", "-A FORWARD -s 192.0.2.3/32 -j DROP"),
    ("filter", "-A FORWARD -i br-guest -o br-guest -j ACCEPT"),
    ("filter", "-A INPUT -s 192.0.2.4/32 -j DROP"),
    ("nat", "-A POSTROUTING -s 10.99.0.0/24 ! -o br-guest -j MASQUERADE"),
    ("nat", "-I DOCKER -i br-guest -p tcp -m tcp --dport 1 -j RETURN"),
    ("nat", "-A DOCKER ! -i br-guest -p tcp -m tcp --dport 2 -j DNAT --to-destination 10.99.0.2:2"),
    ("nat", "-A PREROUTING -p tcp -m tcp --dport 3 -j REDIRECT --to-ports 4"),
)


def test_users_rules_live_through_changes_repairs_and_restarts(machine: Machine, new_plane: NewPlane) -> None:
    plane = new_plane()
    machine.settle(plane, world())
    for table, rule in USER_RULES:
        machine.run(f"iptables -t {table} {rule}")
    expected = {(table, rule.replace("-I ", "-A ", 1)) for table, rule in USER_RULES}

    def present() -> set[tuple[str, str]]:
        return {(table, rule) for table in ("nat", "filter") for rule in machine.rules(table)} & expected

    assert diff(plane.observe(), world()) == []
    for ports in (2, 40, 0, 1):
        machine.settle(plane, world(ports))
        assert expected == present()
    machine.run("iptables -F BRIDGEHEAD-FORWARD")
    machine.run("iptables -D FORWARD -j BRIDGEHEAD-FORWARD")
    machine.settle(plane, world())
    assert expected == present()
    machine.settle(new_plane(), {})
    assert expected == present()
    machine.settle(new_plane(), world(3))
    assert expected == present()


def test_users_rules_come_first(machine: Machine, plane: IptablesPlane) -> None:
    machine.settle(plane, world())
    for table, rule in USER_RULES:
        machine.run(f"iptables -t {table} {rule}")

    machine.settle(plane, world(3))
    machine.run("iptables -D FORWARD -i docker0 -o docker0 -j ACCEPT")
    machine.settle(plane, world(40))

    rules = machine.rules()
    assert rules.index("-A DOCKER ! -s 8.8.8.8/32 -i docker0 -j DROP") == min(
        at for at, rule in enumerate(rules) if rule.startswith("-A DOCKER ")
    )
    assert [rule for rule in rules if rule.startswith("-A FORWARD ")] == [
        "-A FORWARD -s 192.0.2.2/32 -j DROP",
        "-A FORWARD -j DOCKER-USER",
        "-A FORWARD -j BRIDGEHEAD-FORWARD",
        "-A FORWARD -i docker0 -o docker0 -j ACCEPT",
        "-A FORWARD -s 192.0.2.3/32 -j DROP",
        "-A FORWARD -i br-guest -o br-guest -j ACCEPT",
    ]


def test_a_change_survives_what_somebody_did_before_it(machine: Machine, plane: IptablesPlane) -> None:
    machine.settle(plane, world(2))
    machine.run("iptables -t nat -F")
    machine.run("iptables -t nat -X")

    failed = plane.apply(diff(world(2), world(1)))

    assert failed == {}
    # What else is missing, a look shows; a change makes only itself true.
    machine.settle(plane, world(1))


def test_a_rule_that_is_refused_does_not_stop_the_others(machine: Machine, plane: IptablesPlane) -> None:
    bad = FirewallRule(4, "filter", "BRIDGEHEAD-INWARD", "-o br-two -m nonsense -j ACCEPT")
    wanted = world(3)

    failed = plane.apply(diff({}, {**wanted, bad.key: bad}))

    assert [bad.key] == list(failed)
    assert wanted == plane.observe()


def test_flows_of_changed_ports_are_cut(machine: Machine) -> None:
    cut: list[Flow] = []
    plane = IptablesPlane(Programs(machine.variant), cut_flows=cut.extend)
    machine.settle(plane, world(0))
    assert cut == []

    machine.settle(plane, world(1))
    assert [Flow("tcp", ip_address("0.0.0.0"), 5000)] == cut

    machine.settle(plane, world(0))
    assert [Flow("tcp", ip_address("0.0.0.0"), 5000)] * 2 == cut


def test_without_the_programs_nothing_is_there_and_every_rule_fails(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    plane = IptablesPlane()
    assert plane.observe() == {}

    failed = plane.apply(diff({}, world()))

    assert world().keys() == failed.keys()
    assert "not installed" in str(next(iter(failed.values())))


def test_bridges_of_another_are_not_ours(machine: Machine, plane: IptablesPlane) -> None:
    machine.run("iptables -N DOCKER")
    machine.run(
        "iptables -A DOCKER -d 10.99.0.2/32 ! -i br-guest -o br-guest -p tcp -m tcp --dport 1 -j ACCEPT"
    )
    machine.run("iptables -A FORWARD -i docker0 -o docker0 -j ACCEPT")
    command("ip link set docker0 group 0")

    assert plane.observe() == {}
