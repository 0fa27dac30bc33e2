"""Macvlan links and their parents on a real kernel."""

import ipaddress
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bridgehead.core.model.errors import Conflict
from bridgehead.core.plan.diff import Create, Delete, Update, diff
from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.core.plan.objects import KernelObject, LinkAddress, Namespace, state
from bridgehead.host.netlink.parents import HostParents
from bridgehead.host.netlink.plane import LinkPlane
from tests.host.netlink.conftest import ip
from tests.host.netlink.topology import reach, settled
from tests.support.wait import until

pytestmark = pytest.mark.host

PARENT = "eth9"
KINDS = ("macvlan", "ipvlan", "vlan", "dummy")


@pytest.fixture
def wire(folder: str) -> str:
    """A parent interface, and a machine's other end of its wire: "far"."""
    ip("link", "add", PARENT, "type", "veth", "peer", "name", "far")
    ip("link", "set", "far", "up")
    ip("link", "set", PARENT, "up")
    return folder


def endpoint(folder: str, number: int, **words: object) -> tuple[KernelObject, ...]:
    namespace = f"{folder}/{number}"
    address = ipaddress.ip_interface(f"192.0.2.{number}/24")
    return (
        Namespace(namespace),
        sublink(folder, number, **words),
        LinkAddress(namespace, "eth0", address),
    )


def sublink(folder: str, number: int, **words: object) -> SubLink:
    plain = SubLink(
        "macvlan", PARENT, f"{folder}/{number}", "eth0", "bridge", mac=f"02:42:00:00:00:{number:02x}"
    )
    return replace(plain, **words)  # type: ignore[arg-type] - words of the dataclass


def pings(namespace: str, address: str) -> bool:
    command = ["nsenter", f"--net={namespace}", "ping", "-c", "1", "-W", "1", address]
    return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"mode": "private"},
        {"mode": "vepa", "ipv6": True},
        {"mode": "passthru", "mac": ""},
        {"mode": "passthru"},
        {"mtu": 1400, "sysctls": ("net.ipv4.conf.IFNAME.log_martians=1",)},
    ],
)
def test_what_was_applied_is_observed_even_by_a_plane_without_memory(
    plane: LinkPlane, wire: str, words: dict[str, object]
) -> None:
    desired = state(*endpoint(wire, 2, **words))

    assert reach(plane, desired) == {}

    assert plane.observe() == desired
    newcomer = LinkPlane(wire)
    assert newcomer.observe() == desired
    assert newcomer.apply([Create(item) for item in desired.values()]) == {}
    assert reach(newcomer, {}) == {}
    until(lambda: newcomer.observe() == {}, "an empty host")
    newcomer.close()


def test_abandoned_work_is_finished_or_cleared_by_a_newcomer(wire: str) -> None:
    desired = state(*endpoint(wire, 2, mtu=1400))
    ops = diff({}, desired)

    for length in range(len(ops) + 1):
        for target in (desired, {}):
            plane, newcomer = LinkPlane(wire), LinkPlane(wire)
            plane.apply(ops[:length])
            plane.close()

            assert reach(newcomer, target) == {}
            until(lambda goal=target, eyes=newcomer: settled(eyes, goal), f"{length} operations")
            newcomer.close()


def test_a_changed_mode_and_a_downed_link_are_mended_in_place(plane: LinkPlane, wire: str) -> None:
    desired = state(*endpoint(wire, 2, mtu=1400))
    reach(plane, desired)
    inside = f"{wire}/2"
    before = ip("-o", "link", "show", "eth0", namespace=inside).partition(":")[0]

    for damage in (
        ("link", "set", "eth0", "type", "macvlan", "mode", "private"),
        ("link", "set", "eth0", "down"),
        ("link", "set", "eth0", "mtu", "1300"),
    ):
        ip(*damage, namespace=inside)
        ops = diff(plane.observe(), desired)
        assert any(isinstance(op, Update) for op in ops), damage
        assert plane.apply(ops) == {}
        until(lambda: settled(plane, desired), str(damage))

    assert before == ip("-o", "link", "show", "eth0", namespace=inside).partition(":")[0]


def test_a_parent_that_is_down_is_brought_up(plane: LinkPlane, wire: str) -> None:
    ip("link", "set", PARENT, "down")

    assert reach(plane, state(*endpoint(wire, 2), *endpoint(wire, 3))) == {}

    assert pings(f"{wire}/2", "192.0.2.3")


def test_without_its_parent_an_endpoint_says_what_is_missing(plane: LinkPlane, wire: str) -> None:
    desired = state(*endpoint(wire, 2))
    reach(plane, desired)
    ip("link", "del", PARENT)

    failures = reach(plane, desired)

    assert "parent interface eth9 is not there, and eth0 needs it" in str(
        failures["link", f"{wire}/2", "eth0"]
    )
    ip("link", "add", PARENT, "type", "veth", "peer", "name", "far")
    assert reach(plane, desired) == {}
    assert plane.observe() == desired


@pytest.mark.parametrize(("theirs", "ours"), [("bridge", "passthru"), ("passthru", "bridge")])
def test_passthru_beside_an_interface_of_the_hosts_names_it(
    plane: LinkPlane, wire: str, theirs: str, ours: str
) -> None:
    ip("link", "add", "shim", "link", PARENT, "type", "macvlan", "mode", theirs)
    namespace, link, _ = endpoint(wire, 2, mode=ours)

    failures = plane.apply([Create(namespace), Create(link)])

    assert isinstance(failures[link.key], Conflict)
    assert f"shim stands on {PARENT}" in str(failures[link.key])


def test_a_parent_is_free_as_soon_as_its_only_user_is_gone(plane: LinkPlane, wire: str) -> None:
    first, second = state(*endpoint(wire, 2, mode="passthru")), state(*endpoint(wire, 3, mode="passthru"))
    reach(plane, first)

    for wanted in (second, first, second):
        assert reach(plane, wanted) == {}

    assert reach(plane, {}) == {}


def test_a_mac_address_that_the_parent_has_is_said(plane: LinkPlane, wire: str) -> None:
    [shown] = json.loads(ip("-j", "link", "show", PARENT))
    wanted = state(*endpoint(wire, 2, mac=shown["address"]))

    failures = reach(plane, wanted)

    assert f"MAC address {shown['address']} is in use upon eth9" in str(failures["link", f"{wire}/2", "eth0"])
    assert "eth0" not in ip("-o", "link", namespace=f"{wire}/2")


def test_an_interface_of_somebody_else_is_left_alone(plane: LinkPlane, wire: str) -> None:
    namespace, link, _ = endpoint(wire, 2)
    reach(plane, state(namespace))
    ip("link", "add", "eth0", "type", "bridge", namespace=f"{wire}/2")

    failures = plane.apply([Create(link)])

    assert "exists and is not ours" in str(failures[link.key])
    assert plane.apply([Delete(link)]) == {}
    assert "eth0" in ip("-o", "link", namespace=f"{wire}/2")


def test_what_the_kernel_cannot_make_is_known_without_making_anything(wire: str) -> None:
    before = ip("-o", "link")

    kinds = HostParents().link_kinds(KINDS)

    assert "macvlan" in kinds
    assert before == ip("-o", "link")
    for kind in ("ipvlan", "vlan", "dummy"):
        words = ("link", PARENT) if kind != "dummy" else ()
        made = _makes(kind, words)
        assert made == (kind in kinds), kind


def _makes(kind: str, words: tuple[str, ...]) -> bool:
    tail = ("id", "7") if kind == "vlan" else ()
    command = ["ip", "link", "add", *words, "name", "probe", "type", kind, *tail]
    made = subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0
    if made:
        ip("link", "del", "probe")
    return made


def test_the_hosts_interfaces_are_described(wire: str) -> None:
    ip("link", "add", "br7", "type", "bridge")
    ip("link", "set", "far", "master", "br7", "mtu", "1400")

    found = HostParents().links(("lo", "far", PARENT, "absent"))

    assert found["lo"].loopback
    assert (found["far"].port_of, found["far"].mtu) == ("br7", 1400)
    assert found[PARENT].port_of == ""
    assert "absent" not in found


@pytest.mark.parametrize("parent", [ParentLink("eth9.50", "vlan", PARENT, 50), ParentLink("dm-1", "dummy")])
def test_a_made_parent_lives_and_dies_with_its_wish(plane: LinkPlane, wire: str, parent: ParentLink) -> None:
    if parent.kind not in HostParents().link_kinds(KINDS):
        failures = plane.apply([Create(parent)])
        assert f"the kernel of this host cannot make {parent.kind} links" in str(failures[parent.key])
        assert Path(f"/proc/sys/net/ipv4/conf/{parent.name}").exists() is False
        return

    assert reach(plane, state(parent)) == {}

    assert plane.observe() == state(parent)
    ip("link", "set", parent.name, "down")
    assert [type(op) for op in diff(plane.observe(), state(parent))] == [Update]
    assert reach(plane, state(parent)) == {}
    assert reach(plane, {}) == {}
    assert parent.name not in ip("-o", "link")
