"""The link plane beside things that are not ours, and what it says when the kernel refuses."""

import ipaddress
from dataclasses import replace

import pytest

from bridgehead.core.model.errors import Conflict, HostRefused
from bridgehead.core.plan.diff import Create, diff
from bridgehead.core.plan.objects import (
    LinkAddress,
    Namespace,
    Route,
    state,
)
from bridgehead.host.netlink.plane import LinkPlane
from tests.host.netlink.conftest import ip
from tests.host.netlink.topology import (
    BRIDGE,
    NETWORK,
    endpoint,
    reach,
    veth,
)

pytestmark = pytest.mark.host


def test_what_others_made_is_neither_seen_nor_touched(plane: LinkPlane, folder: str) -> None:
    ip("link", "add", "docker0", "type", "bridge")
    ip("link", "add", "theirs", "type", "veth", "peer", "name", "theirs-too")
    reach(plane, state(*NETWORK, *endpoint(folder, 2)))
    inside_two = f"{folder}/2"
    ip("addr", "add", "10.9.9.9/24", "dev", "br-test")
    ip("addr", "add", "10.8.8.8/24", "dev", "eth0", namespace=inside_two)
    ip("route", "add", "10.7.0.0/16", "via", "172.30.0.1", namespace=inside_two)

    assert state(*NETWORK, *endpoint(folder, 2)) == plane.observe()
    reach(plane, state(*NETWORK, Namespace(inside_two)))
    assert "10.9.9.9/24" in ip("addr", "show", "br-test")
    reach(plane, {})

    links = ip("-o", "link")
    assert [name for name in ("docker0", "theirs", "veth2") if name in links] == ["docker0", "theirs"]


def test_a_name_that_is_taken_is_a_conflict_and_stays_as_it_is(plane: LinkPlane, folder: str) -> None:
    ip("link", "add", "br-test", "type", "bridge")
    ip("link", "add", "br-mine", "type", "veth", "peer", "name", "other")
    before = ip("-o", "-d", "link")

    failures = plane.apply([Create(BRIDGE), Create(replace(BRIDGE, name="br-mine"))])

    assert {BRIDGE.key, ("link", "", "br-mine")} == failures.keys()
    error = failures[BRIDGE.key]
    assert isinstance(error, Conflict)
    assert (
        str(error)
        == "cannot create bridge br-test (mtu 1500): an interface named br-test exists and is not ours"
    )
    assert before == ip("-o", "-d", "link")


@pytest.mark.parametrize("inner", [True, False], ids=["inside", "outside"])
def test_an_end_whose_name_is_taken_is_a_conflict(plane: LinkPlane, folder: str, inner: bool) -> None:
    reach(plane, state(BRIDGE, Namespace(f"{folder}/2")))
    taken, namespace = ("eth0", f"{folder}/2") if inner else ("veth2", "")
    ip("link", "add", taken, "type", "bridge", namespace=namespace)

    failures = plane.apply([Create(veth(folder, 2))])

    assert isinstance(failures[veth(folder, 2).key], Conflict)
    assert f"interface named {taken}" in str(failures[veth(folder, 2).key])
    assert "bridge" in ip("-d", "link", "show", taken, namespace=namespace)
    assert state(BRIDGE, Namespace(f"{folder}/2")) == plane.observe()


def test_addresses_and_routes_of_others_are_conflicts(plane: LinkPlane, folder: str) -> None:
    _, pair, address, route, *_ = endpoint(folder, 2, ipv6=False)
    reach(plane, state(BRIDGE, Namespace(f"{folder}/2"), pair))
    ip("addr", "add", "172.30.0.2/16", "dev", "eth0", namespace=f"{folder}/2")
    ip("route", "add", "default", "via", "172.30.0.5", namespace=f"{folder}/2")

    failures = plane.apply([Create(address), Create(route)])

    assert {address.key, route.key} == failures.keys()
    assert all(isinstance(error, Conflict) for error in failures.values())
    assert "via 172.30.0.5" in ip("route", namespace=f"{folder}/2")


def test_a_pair_of_ours_in_the_way_is_replaced(plane: LinkPlane, folder: str) -> None:
    reach(plane, state(BRIDGE, Namespace(f"{folder}/2"), veth(folder, 2)))
    wanted = replace(veth(folder, 2), mac="02:42:ac:1e:00:55", ipv6=False)

    failures = plane.apply([Create(wanted)])

    assert failures == {}
    assert state(BRIDGE, Namespace(f"{folder}/2"), wanted) == plane.observe()


def test_a_refusal_names_the_object_in_the_kernels_words_and_stops_nothing_else(
    plane: LinkPlane, folder: str
) -> None:
    everywhere = ipaddress.ip_network("0.0.0.0/0")
    unreachable = Route(f"{folder}/2", everywhere, "eth0", ipaddress.ip_address("9.9.9.9"))
    orphan = LinkAddress("", "br-nowhere", ipaddress.ip_interface("10.1.1.1/24"))
    _, pair, address, _ = endpoint(folder, 2, ipv6=False)

    failures = plane.apply(
        diff({}, state(BRIDGE, orphan, Namespace(f"{folder}/2"), pair, address, unreachable))
    )

    words = {key: str(error) for key, error in failures.items() if isinstance(error, HostRefused)}
    route = f"route 0.0.0.0/0 via 9.9.9.9 dev eth0 in {folder}/2"
    assert {
        unreachable.key: f"cannot create {route}: Nexthop has invalid gateway",
        orphan.key: "cannot create address 10.1.1.1/24 on br-nowhere: there is no such link",
    } == words
    assert state(BRIDGE, Namespace(f"{folder}/2"), pair, address) == plane.observe()


def test_a_birth_that_fails_halfway_leaves_nothing(plane: LinkPlane, folder: str) -> None:
    lost = replace(veth(folder, 2), bridge="br-nowhere")
    reach(plane, state(Namespace(f"{folder}/2")))

    failures = plane.apply([Create(lost), Create(veth(folder, 3)), Create(replace(BRIDGE, mtu=1))])

    assert {lost.key, veth(folder, 3).key, BRIDGE.key} == failures.keys()
    assert state(Namespace(f"{folder}/2")) == plane.observe()
