"""Set elements, against the real kernel, with the `nft` command as the judge."""

import errno
from collections.abc import Collection
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path

import pytest

from bridgehead.core.firewall.flows import Flow
from bridgehead.core.firewall.nft_skeleton import table
from bridgehead.core.firewall.rules import Published
from bridgehead.core.plan.diff import Create, Delete, Update
from bridgehead.core.plan.filtering import FirewallElement
from bridgehead.core.plan.objects import state
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.nft.plane import FirewallPlane
from tests.core.firewall.policies import policy
from tests.host.nft.tables import (
    RICH,
    SPELLING,
    WANTED,
    NewPlane,
    everything,
    generation,
    listed,
    nft,
    settle,
)

pytestmark = pytest.mark.host


def test_what_was_applied_is_observed_also_by_a_plane_without_memory(
    plane: FirewallPlane, witness: FirewallPlane
) -> None:
    settle(plane, WANTED)

    assert witness.observe() == WANTED
    verdicts = {item["name"]: item.get("elem") for item in listed("map")}["within"]
    assert sorted(verdicts, key=str) == [
        [{"concat": ["br-one", "br-one"]}, {"accept": None}],
        [{"concat": ["br-two", "br-two"]}, {"goto": {"target": "linked"}}],
    ]


def test_every_kind_of_element_is_read_back_as_it_was_written(
    plane: FirewallPlane, witness: FirewallPlane
) -> None:
    wanted = everything()

    settle(plane, wanted)

    assert witness.observe() == wanted
    used = {item.set for item in wanted.values() if isinstance(item, FirewallElement)}
    assert used == {item["name"] for kind in ("set", "map") for item in listed(kind)}


def test_nft_reads_our_elements_as_we_mean_them(plane: FirewallPlane) -> None:
    settle(plane, everything())

    listing = nft("list", "table", "inet", "bridgehead")

    for line in (
        "192.0.2.7 . tcp . 8081 : 10.1.0.2 . 80",
        "udp . 8080 : fd00:1::2 . 80",
        "10.1.0.0/16 : 192.0.2.1",
        '"br-rich" . ipv6 : accept',
        '"br-rich" . "br-rich" : goto apart',
        '"wg0" . "br-rich"',
        "10.1.0.3 . 10.1.0.2 . tcp . 5432",
        "10.9.0.0/24 . 10.1.0.2",
        "fd00:6::/64 . fd00:1::2",
    ):
        assert line in listing


def test_elements_changed_by_hand_are_put_right(new_plane: NewPlane) -> None:
    first = new_plane()
    settle(first, everything())
    first.close()
    nft(
        script="""
        delete element inet bridgehead within { "br-two" . "br-two" }
        add element inet bridgehead within { "br-two" . "br-two" : accept }
        add element inet bridgehead within { "br-three" . "br-three" : jump linked }
        add element inet bridgehead internal { "br-one", "odd name" }
        delete element inet bridgehead masquerading4 { 10.9.0.0/24 }
        add element inet bridgehead masquerading4 { 10.9.1.1-10.9.1.7, 255.0.0.0/8 }
        add element inet bridgehead masquerading6 { ::/64, 1::/64 }
        delete element inet bridgehead shortcut4 { 10.9.0.0/24 . 10.1.0.2 }
        add element inet bridgehead shortcut4 { 10.9.0.0/25 . 10.1.0.2, 10.7.0.1-10.7.0.6 . 10.1.0.8/29 }
        add element inet bridgehead shortcut6 { 1::1 . 1::2 }
        add element inet bridgehead everywhere4 { udp . 53 : 10.1.0.2 . 53, 47 . 53 : 10.1.0.2 . 53 }
        """
    )
    successor = new_plane()

    settle(successor, everything())

    assert successor.observe() == everything()


def test_flows_are_cut_where_a_port_leads_elsewhere(namespaces: Path) -> None:
    cut: list[Collection[Flow]] = []
    with closing(FirewallPlane(str(namespaces), socket_in, cut.append)) as plane:
        settle(plane, state(table(), *SPELLING.network(RICH)))
        dns = FirewallElement("everywhere4", ("udp", "53"), "10.1.0.2 . 53")
        moved = FirewallElement("everywhere4", ("udp", "53"), "10.1.0.3 . 53")
        web = FirewallElement("published6", ("2001:db8::7", "tcp", "80"), "fd00:1::2 . 80")
        refused = FirewallElement("everywhere4", ("udp", "54"), "fd00:1::2 . 53")

        plane.apply([Create(dns), Create(web), Create(refused)])
        plane.apply([Update(dns, moved)])
        plane.apply([Delete(web)])
        plane.apply([Delete(table())])

    udp = Flow("udp", ip_address("0.0.0.0"), 53)
    tcp = Flow("tcp", ip_address("2001:db8::7"), 80)
    assert [set(flows) for flows in cut] == [{udp, tcp}, {udp}, {tcp}, {udp}]


def test_a_thousand_ports_are_one_transaction(plane: FirewallPlane) -> None:
    settle(plane, state(table(), *SPELLING.network(RICH)))
    container = ip_address("10.1.0.2")
    ports = [
        Published(RICH, "tcp", ip_address("0.0.0.0"), port, container, port) for port in range(20000, 21000)
    ]
    ops = [
        Create(item)
        for item in state(*(item for port in ports for item in SPELLING.published(port))).values()
    ]
    before = generation()

    failed = plane.apply(ops)

    assert failed == {}
    assert generation() == before + 1
    assert len(plane.observe()) == len(ops) + 1 + len(state(*SPELLING.network(RICH)))


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


def test_five_hundred_networks_go_in_at_once_and_survive_a_replacement(new_plane: NewPlane) -> None:
    policies = [policy(f"br-{number}", prefix=f"10.{number}.0.0/24") for number in range(250)]
    policies += [policy(f"br-{number}", prefix=f"10.{number - 250}.1.0/24") for number in range(250, 500)]
    wanted = state(table(), *(element for policy in policies for element in SPELLING.network(policy)))
    first = new_plane()

    settle(first, wanted)
    first.close()
    nft("flush", "chain", "inet", "bridgehead", "ours")
    successor = new_plane()
    settle(successor, wanted)

    assert wanted == successor.observe()
