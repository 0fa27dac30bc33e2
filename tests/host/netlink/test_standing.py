"""What is said of an interface that was there before, with iproute2 as the witness who made it."""

import ipaddress

import pytest

from bridgehead.core.plan.objects import LinkAddress, state
from bridgehead.core.standing import Standing
from bridgehead.host.netlink.plane import LinkPlane
from bridgehead.host.netlink.standing import standing, wake
from tests.host.netlink.conftest import ip
from tests.host.netlink.topology import BRIDGE, NETWORK, reach

pytestmark = pytest.mark.host

address = ipaddress.ip_interface


@pytest.mark.usefixtures("folder")
def test_nothing_stands_under_a_name_that_is_free() -> None:
    assert standing("br0") is None


@pytest.mark.usefixtures("folder")
def test_somebodys_bridge_with_its_addresses_in_order_and_what_is_plugged_in() -> None:
    ip("link", "add", "br0", "type", "bridge")
    ip("link", "add", "vm1", "type", "veth", "peer", "name", "vm1-inside")
    ip("link", "set", "vm1", "master", "br0")
    for text in ("188.18.0.1/16", "10.0.0.1/24", "fd00::1/64"):
        ip("address", "add", text, "dev", "br0")
    ip("link", "set", "br0", "up")

    found = standing("br0")

    assert found == Standing(
        "br0",
        is_bridge=True,
        ours=False,
        up=True,
        foreign=(address("188.18.0.1/16"), address("10.0.0.1/24"), address("fd00::1/64")),
        ports=("vm1",),
    )


@pytest.mark.usefixtures("folder")
def test_what_is_no_bridge_is_said_to_be_none() -> None:
    ip("link", "add", "br0", "type", "veth", "peer", "name", "br1")

    found = standing("br0")

    assert found is not None
    assert (found.is_bridge, found.up) == (False, False)


def test_ours_is_known_by_its_mark_and_our_addresses_by_theirs(plane: LinkPlane) -> None:
    reach(plane, state(*NETWORK))
    ip("address", "add", "192.0.2.1/24", "dev", BRIDGE.name)

    found = standing(BRIDGE.name)

    ours = tuple(item.address for item in NETWORK if isinstance(item, LinkAddress))
    assert found is not None
    assert (found.ours, found.foreign) == (True, (address("192.0.2.1/24"),))
    assert set(found.own) == set(ours)


@pytest.mark.usefixtures("folder")
def test_a_bridge_that_is_down_is_brought_up() -> None:
    ip("link", "add", "br0", "type", "bridge")

    wake("br0")

    found = standing("br0")
    assert found is not None
    assert found.up
