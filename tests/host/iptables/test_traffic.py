"""What passes and what does not, with real packets, in both variants of iptables and both address families.

FORWARD's policy is DROP throughout, as another dockerd or ufw leaves it. The places are those of `world`.
"""

import subprocess
from collections.abc import Iterator

import pytest

from bridgehead.core.firewall.iptables import IptablesSpelling
from bridgehead.core.plan.diff import diff
from bridgehead.host.iptables.plane import IptablesPlane
from bridgehead.host.iptables.programs import Programs, Variant
from tests.host.iptables.world import (
    ADOPTED,
    ELSEWHERE,
    INSIDE,
    LOCAL_PORT,
    PORTS,
    SECOND_SOURCE,
    World,
    address,
    build,
    wanted,
)
from tests.host.space import own_space

pytestmark = pytest.mark.host


@pytest.fixture(scope="module", params=list(Variant))
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with own_space():
        made = build(tmp_path_factory.mktemp("netns"))
        plane = IptablesPlane(Programs(request.param), adopted=ADOPTED)
        desired = wanted(IptablesSpelling(adopted=ADOPTED))
        assert plane.apply(diff(plane.observe(), desired)) == {}
        assert diff(plane.observe(), desired) == []
        for family in ("iptables", "ip6tables"):
            subprocess.run([f"{family}-{request.param}", "-P", "FORWARD", "DROP"], check=True, timeout=10)
        yield made


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    ("source", "target", "seen_as"),
    [
        # Within a network.
        ("web", "other", "web"),
        ("inner1", "inner2", "inner1"),
        ("apart1", "apart2", None),
        ("adopted", "adopted", "adopted"),
        # Between networks.
        ("web", "two", None),
        ("two", "web", None),
        ("two", "inner1", None),
        ("inner1", "two", None),
        ("adopted", "two", None),
        ("two", "adopted", None),
        ("web", "open", "web"),
        ("inner1", "open", None),
        ("two", "routed", "two"),
        # Out, and who they are there.
        ("web", "outside", "br-uplink"),
        ("two", "outside", "br-uplink"),
        ("apart1", "outside", "br-uplink"),
        ("adopted", "outside", "br-uplink"),
        ("routed", "outside", "routed"),
        ("inner1", "outside", None),
        # In, by routing: also what is published stays closed there, unless somebody asked for it.
        ("outside", "web", None),
        ("outside", "apart1", None),
        ("outside", "inner1", None),
        ("outside", "adopted", None),
        ("outside", "open", "outside"),
        ("outside", "routed", "outside"),
        ("outside", "direct", "outside"),
        ("outside", "trusting", "outside"),
        ("guest", "trusting", None),
        ("guest", "web", None),
        # The host itself.
        ("docker0", "web", "docker0"),
        ("br-inner", "inner1", "br-inner"),
        ("inner1", "br-inner", "inner1"),
    ],
)
def test_who_reaches_whom(world: World, version: int, source: str, target: str, seen_as: str | None) -> None:
    expected = address(seen_as, version) if seen_as else None

    assert expected == world.send(source, (address(target, version), INSIDE), target)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    ("source", "target"), [("outside", place) for place in ("open", "routed", "direct", "trusting", "two")]
)
def test_ports_that_were_not_published(world: World, version: int, source: str, target: str) -> None:
    expected = address(source, version) if target == "open" else None

    assert expected == world.send(source, (address(target, version), ELSEWHERE), target, ELSEWHERE)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("target", sorted(PORTS))
@pytest.mark.parametrize(
    "source", ["outside", "two", "web", "other", "apart1", "apart2", "routed", "inner1", "guest"]
)
def test_published_ports_are_reached_by_the_hosts_address(
    world: World, version: int, source: str, target: str
) -> None:
    """The server sees who asks, but for a container that asks itself."""
    seen = world.send(source, (address("br-uplink", version), PORTS[target]), target)

    if source == "inner1":
        assert seen is None
    elif source == target:
        assert seen is not None
        assert seen != address(source, version)
    else:
        assert address(source, version) == seen


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("target", sorted(PORTS))
def test_the_host_reaches_published_ports_by_its_own_address(world: World, version: int, target: str) -> None:
    seen = world.send("br-uplink", (address("br-uplink", version), PORTS[target]), target)

    assert seen == address("br-uplink", version)


@pytest.mark.parametrize(("target", "port"), [*sorted(PORTS.items()), ("web", LOCAL_PORT)])
def test_the_host_reaches_published_ports_by_its_loopback(world: World, target: str, port: int) -> None:
    assert world.send("br-uplink", ("127.0.0.1", port), target) is not None


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    ("source", "target", "port", "seen_as"),
    [
        ("apart1", "apart2", ELSEWHERE, "apart1"),
        ("apart2", "apart1", ELSEWHERE, None),
        ("apart1", "apart2", 9002, None),
    ],
)
def test_a_link_opens_one_port_one_way(
    world: World, version: int, source: str, target: str, port: int, seen_as: str | None
) -> None:
    expected = address(seen_as, version) if seen_as else None

    assert expected == world.send(source, (address(target, version), port), target, port)


@pytest.mark.parametrize("version", [4, 6])
def test_a_chosen_source_address(world: World, version: int) -> None:
    expected = f"10.77.12.{SECOND_SOURCE}" if version == 4 else f"fd00:77:c::{SECOND_SOURCE:x}"

    assert expected == world.send("snat", (address("outside", version), INSIDE), "outside")


@pytest.fixture
def dockerds_jump(request: pytest.FixtureRequest, world: World) -> Iterator[None]:
    """From PREROUTING to DOCKER, whatever the address, as another dockerd has it."""
    jump = "PREROUTING -m addrtype --dst-type LOCAL -j DOCKER".split()
    command = f"iptables-{request.node.callspec.params['world']}"
    subprocess.run([command, "-t", "nat", "-A", *jump], check=True, timeout=10)
    yield
    subprocess.run([command, "-t", "nat", "-D", *jump], check=True, timeout=10)


@pytest.mark.usefixtures("dockerds_jump")
def test_nor_where_another_dockerd_leads_there(world: World) -> None:
    test_the_hosts_loopback_is_not_for_others(world, "outside", LOCAL_PORT, "web")


@pytest.mark.parametrize(
    ("source", "port", "server"),
    [
        ("outside", LOCAL_PORT, "web"),
        ("outside", PORTS["web"], "web"),
        ("two", LOCAL_PORT, "web"),
        ("two", ELSEWHERE, "docker0"),
        ("adopted", ELSEWHERE, "docker0"),
    ],
)
def test_the_hosts_loopback_is_not_for_others(world: World, source: str, port: int, server: str) -> None:
    enter = ["nsenter", f"--net={world.namespaces / source}"]
    gateway = address("br-uplink" if source == "outside" else f"br-{source}")
    # As somebody who wants to: 127.0.0.1 by way of us. The table `local` would keep it at home.
    for words in (
        "ip rule add pref 10 lookup 100",
        "ip rule add pref 20 lookup local",
        "ip rule del pref 0",
        f"ip route add 127.0.0.1 via {gateway} dev eth0 table 100 src {address(source)}",
        "sysctl -q -w net.ipv4.conf.all.route_localnet=1",
    ):
        subprocess.run([*enter, *words.split()], check=True, timeout=10)
    try:
        seen = world.send(source, ("127.0.0.1", port), server, INSIDE if server == "web" else port)
    finally:
        for words in ("ip rule add pref 0 lookup local", "ip rule del pref 10", "ip rule del pref 20"):
            subprocess.run([*enter, *words.split()], check=True, timeout=10)
        subprocess.run([*enter, "ip", "route", "flush", "table", "100"], check=True, timeout=10)

    assert seen is None
