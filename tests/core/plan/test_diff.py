"""The difference between states: order, cascades, in-place change, and convergence on a cascading kernel."""

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridgehead.core.plan.diff import Create, Delete, Op, Update, after, diff
from bridgehead.core.plan.filtering import FirewallElement
from bridgehead.core.plan.objects import (
    Bridge,
    Directory,
    File,
    KernelObject,
    LinkAddress,
    Namespace,
    Route,
    State,
    Sysctl,
    Veth,
    state,
)

BRIDGE = Bridge("br-a", "02:42:00:00:00:01", 1500)
NAMESPACE = Namespace("/run/ns/a")
VETH = Veth("veth1", "br-a", "/run/ns/a", "eth0", "02:00:00:00:00:01", 1500)
ADDRESS = LinkAddress("/run/ns/a", "eth0", ipaddress.ip_interface("10.0.0.2/24"))
ROUTE = Route("/run/ns/a", ipaddress.ip_network("0.0.0.0/0"), "eth0", ipaddress.ip_address("10.0.0.1"))
ELEMENT = FirewallElement("bridges", ("br-a",))
SANDBOX = state(BRIDGE, NAMESPACE, VETH, ADDRESS, ROUTE, ELEMENT)


def test_equal_states_need_nothing() -> None:
    assert diff(SANDBOX, dict(SANDBOX)) == []


def test_births_put_filter_rules_before_the_links_they_guard() -> None:
    ops = diff({}, SANDBOX)

    assert [op.object for op in ops] == [ELEMENT, BRIDGE, NAMESPACE, VETH, ADDRESS, ROUTE]


def test_deleting_a_namespace_leaves_its_contents_to_the_kernel() -> None:
    ops = diff(SANDBOX, state(BRIDGE, ELEMENT))

    assert ops == [Delete(NAMESPACE)]


def test_filter_rules_outlive_the_bridge_they_guard() -> None:
    ops = diff(state(BRIDGE, ELEMENT), {})

    assert ops == [Delete(BRIDGE), Delete(ELEMENT)]


def test_a_veth_changes_its_bridge_in_place_and_keeps_what_is_on_it() -> None:
    moved = replace(VETH, bridge="br-b")

    ops = diff(SANDBOX, {**SANDBOX, VETH.key: moved})

    assert ops == [Update(VETH, moved)]


def test_a_veth_of_another_identity_is_made_again_with_all_that_dies_with_it() -> None:
    other = replace(VETH, mac="02:00:00:00:00:99")

    ops = diff(SANDBOX, {**SANDBOX, VETH.key: other})

    assert ops == [Delete(VETH), Create(other), Create(ADDRESS), Create(ROUTE)]


def test_a_sysctl_is_never_undone() -> None:
    assert diff(state(Sysctl("net/ipv4/ip_forward", "1")), {}) == []


def test_what_failed_stays_as_it_was() -> None:
    ops = diff({}, state(BRIDGE, NAMESPACE))

    reached = after({}, ops, {NAMESPACE.key: OSError()})

    assert reached == state(BRIDGE)


class CascadingKernel:
    """Deletes what hangs below a deleted object, and refuses births below nothing, as Linux does."""

    def __init__(self, present: State) -> None:
        self.present = dict(present)

    def apply(self, ops: list[Op]) -> None:
        for op in ops:
            if isinstance(op, Delete):
                self._delete(op.object)
            else:
                parent = op.object.parent
                inside_host = parent == ("namespace", "") or parent is None or parent[0] == "firewall-table"
                assert inside_host or parent in self.present, f"{op} below nothing"
                self.present[op.object.key] = op.object

    def _delete(self, item: KernelObject) -> None:
        self.present.pop(item.key, None)
        for child in [child for child in self.present.values() if child.parent == item.key]:
            self._delete(child)


NAMES = st.sampled_from(["a", "b"])
SIZES = st.sampled_from([1400, 1500])


@st.composite
def worlds(draw: st.DrawFn) -> State:
    objects: list[KernelObject] = []
    objects += [Bridge(name, "02:42:00:00:00:01", draw(SIZES)) for name in draw(st.sets(NAMES))]
    for name in draw(st.sets(NAMES)):
        path = f"/run/ns/{name}"
        objects.append(Namespace(path))
        for port in draw(st.sets(st.sampled_from(["eth0", "eth1"]))):
            mac = draw(st.sampled_from(["02:00:00:00:00:01", "02:00:00:00:00:02"]))
            objects.append(Veth(f"veth{name}{port}", draw(NAMES), path, port, mac, draw(SIZES)))
            if draw(st.booleans()):
                objects.append(LinkAddress(path, port, ipaddress.ip_interface("10.0.0.2/24")))
            if draw(st.booleans()):
                objects.append(Route(path, ipaddress.ip_network("0.0.0.0/0"), port))
    for name in draw(st.sets(NAMES)):
        objects.append(Directory(f"/c/{name}"))
        if draw(st.booleans()):
            objects.append(File(f"/c/{name}/hosts", draw(NAMES)))
    return state(*objects)


@given(worlds(), worlds())
def test_any_world_becomes_any_other_in_one_pass(actual: State, desired: State) -> None:
    kernel = CascadingKernel(actual)
    ops = diff(actual, desired)

    kernel.apply(ops)

    assert desired == kernel.present
    assert desired == after(actual, ops, {})
    assert diff(kernel.present, desired) == []


@pytest.mark.parametrize("item", [BRIDGE, NAMESPACE, VETH, ADDRESS, ROUTE, ELEMENT])
def test_every_object_knows_its_own_key(item: KernelObject) -> None:
    assert state(item) == {item.key: item}
