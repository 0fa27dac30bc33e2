"""What is read off a machine, on one that the test made."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridgehead.host.machine import surroundings
from tests.host.netlink.conftest import ip
from tests.host.space import own_space
from tests.support.router import advertise
from tests.support.wait import until

pytestmark = pytest.mark.host


@pytest.fixture(autouse=True)
def _machine() -> Iterator[None]:
    with own_space():
        ip("link", "add", "uplink", "type", "veth", "peer", "name", "router")
        yield


def _up() -> None:
    ip("link", "set", "router", "up")
    ip("link", "set", "uplink", "up")


def test_the_mtu_is_that_of_the_interface_with_the_default_route() -> None:
    ip("address", "add", "192.0.2.2/24", "dev", "uplink")
    ip("link", "set", "uplink", "mtu", "1280")
    _up()
    assert surroundings.uplink_mtu() == 1500

    ip("route", "add", "default", "via", "192.0.2.1")

    assert surroundings.uplink_mtu() == 1280


def test_an_interface_with_an_advertised_default_route_is_named_until_it_may_forward() -> None:
    _up()
    assert surroundings.advertised_uplinks() == ()

    until(lambda: advertise("router"), "an address to advertise from")
    until(lambda: "proto ra" in ip("-6", "route"), "an advertised route")

    assert surroundings.advertised_uplinks() == ("uplink",)
    Path("/proc/sys/net/ipv6/conf/uplink/accept_ra").write_text("2")
    assert surroundings.advertised_uplinks() == ()


def test_a_default_route_of_ones_own_is_not_advertised() -> None:
    ip("address", "add", "2001:db8::2/64", "dev", "uplink", "nodad")
    _up()
    ip("-6", "route", "add", "default", "via", "2001:db8::1", "dev", "uplink")

    assert surroundings.advertised_uplinks() == ()
