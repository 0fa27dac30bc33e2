"""Beside others who write iptables rules: another dockerd, ufw, and the variant of iptables we do not use."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridgehead.core.firewall.iptables import IptablesSpelling, companion
from bridgehead.core.firewall.nft import GuardSpelling, NftSpelling
from bridgehead.core.firewall.tree import Place
from bridgehead.core.plan.diff import diff
from bridgehead.core.plan.filtering import FirewallRule
from bridgehead.core.plan.objects import State, state
from bridgehead.host.iptables.plane import IptablesPlane
from bridgehead.host.iptables.programs import Programs, Variant
from bridgehead.host.iptables.surroundings import foreign_drops
from bridgehead.host.namespaces.entering import socket_in
from bridgehead.host.nft.plane import FirewallPlane
from tests.host.iptables.conftest import command
from tests.host.iptables.world import (
    ADOPTED,
    ELSEWHERE,
    PORTS,
    World,
    address,
    build,
    build_two,
    policy,
    wanted,
    wanted_of_two,
)
from tests.host.space import NEW_NET, libc, own_space
from tests.support.oracle import available, oracle
from tests.support.testhost import UPLINK_ADDRESS, Host
from tests.support.wait import until

pytestmark = pytest.mark.host

# What `ufw enable` (0.36.2) leaves of FORWARD, its limits on logging aside.
UFW = """\
*filter
:FORWARD DROP [0:0]
:ufw-before-forward - [0:0]
:ufw-user-forward - [0:0]
:ufw-after-forward - [0:0]
:ufw-reject-forward - [0:0]
:ufw-track-forward - [0:0]
-A FORWARD -j ufw-before-forward
-A FORWARD -j ufw-after-forward
-A FORWARD -j ufw-reject-forward
-A FORWARD -j ufw-track-forward
-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-forward -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-forward -j ufw-user-forward
COMMIT
"""


SPELLING = IptablesSpelling(adopted=ADOPTED)


def ours(variant: Variant) -> IptablesPlane:
    return IptablesPlane(Programs(variant), adopted=ADOPTED)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with own_space():
        yield build(tmp_path)


def works(world: World) -> bool:
    """Out, in, and not around: as it should be."""
    out = world.send("two", (address("outside"), 9000), "outside")
    inside = world.send("outside", (address("br-uplink"), PORTS["two"]), "two")
    around = world.send("outside", (address("two"), 9000), "two")
    return (out, inside, around) == (address("br-uplink"), address("outside"), None)


@pytest.mark.parametrize("variant", list(Variant))
@pytest.mark.parametrize("first", ["ufw", "ours"])
def test_beside_ufw(world: World, variant: Variant, first: str) -> None:
    plane, desired = ours(variant), wanted(SPELLING)
    for turn in (first, "ours" if first == "ufw" else "ufw"):
        if turn == "ours":
            assert plane.apply(diff(plane.observe(), desired)) == {}
        else:
            command(f"iptables-{variant}-restore --noflush", script=UFW)

    assert works(world)
    assert diff(plane.observe(), desired) == []


@pytest.mark.parametrize("variant", list(Variant))
def test_the_other_variant_drops(world: World, variant: Variant) -> None:
    programs = Programs(variant)
    command(f"iptables-{variant.other}-restore --noflush", script=UFW)
    assert _settled(ours(variant), wanted(SPELLING))
    assert not works(world)

    found = list(foreign_drops(programs, with_own=False))
    assert [Place(4, "other/filter")] == [foreign.place for foreign in found]
    beside = (rule for foreign in found for rule in companion(*foreign.place))
    desired = wanted(IptablesSpelling(adopted=ADOPTED)) | state(*beside)

    assert _settled(ours(variant), desired)
    assert works(world)
    # And away again, by a process that knows nothing.
    assert _settled(ours(variant), wanted(SPELLING))
    assert not works(world)


@pytest.mark.parametrize("variant", list(Variant))
def test_the_companion_of_the_other_backend(world: World, tmp_path: Path, variant: Variant) -> None:
    """Our nftables table filters and translates; somebody's FORWARD would drop what it accepts."""
    table = FirewallPlane(str(tmp_path), socket_in)
    spelling = NftSpelling()
    rules = state(*spelling.base(), *spelling.network(policy("br-two")))
    assert table.apply(diff(table.observe(), rules)) == {}
    command(f"iptables-{variant}-restore --noflush", script=UFW)
    command(f"iptables-{variant} -N DOCKER-USER")
    outwards = ("two", (address("outside"), 9000), "outside")
    assert world.send(*outwards) is None

    found = list(foreign_drops(Programs(Variant.NFT), with_own=True))
    desired: State = state(
        *(rule for at in found for rule in companion(*at.place, after_user=at.has_user_chain))
    )
    plane = ours(Variant.NFT)
    assert _settled(plane, desired)

    assert address("br-uplink") == world.send(*outwards)
    forward = [line for line in command(f"iptables-{variant}-save").splitlines() if "-A FORWARD" in line]
    assert forward[0] == "-A FORWARD -j DOCKER-USER"
    command(f"iptables-{variant} -A DOCKER-USER -o br-uplink -j DROP")
    assert world.send(*outwards) is None
    table.close()


@pytest.mark.parametrize("variant", list(Variant))
def test_flushed_rules_open_nothing(world: World, tmp_path: Path, variant: Variant) -> None:
    spelling = IptablesSpelling(adopted=ADOPTED, guard=GuardSpelling())
    everything, planes = wanted(spelling), (ours(variant), FirewallPlane(str(tmp_path), socket_in))
    for plane in planes:
        own = {key: item for key, item in everything.items() if type(item) in plane.kinds}
        assert plane.apply(diff(plane.observe(), own)) == {}
    assert works(world)

    for family in ("iptables", "ip6tables"):
        command(f"{family}-{variant} -F")
        command(f"{family}-{variant} -t nat -F")

    for version in (4, 6):
        for source, target in (
            ("two", "web"),
            ("outside", "web"),
            ("apart2", "apart1"),
            ("inner1", "outside"),
        ):
            assert world.send(source, (address(target, version), 9000), target) is None
    assert address("web") == world.send("web", (address("other"), 9000), "other")
    planes[1].close()


@pytest.mark.parametrize("version", [4, 6])
def test_conversations_outlast_a_flush_of_everything(world: World, tmp_path: Path, version: int) -> None:
    """Into a published port, and out under the host's address; nobody repairs anything here."""
    spelling = IptablesSpelling(adopted=ADOPTED, guard=GuardSpelling())
    everything, planes = wanted(spelling), (ours(Variant.NFT), FirewallPlane(str(tmp_path), socket_in))
    for plane in planes:
        own = {key: item for key, item in everything.items() if type(item) in plane.kinds}
        assert plane.apply(diff(plane.observe(), own)) == {}
    inwards = ("outside", (address("br-uplink", version), PORTS["web"]), "web")
    outwards = ("two", (address("outside", version), ELSEWHERE), "outside", ELSEWHERE)
    with world.conversation(*inwards) as ask, world.conversation(*outwards) as call:
        seen = [ask(), call()]

        command("nft flush ruleset")

        assert seen == [address("outside", version), address("br-uplink", version)]
        assert [ask(), call()] == seen
    planes[1].close()


def _settled(plane: IptablesPlane, desired: State) -> bool:
    return plane.apply(diff(plane.observe(), desired)) == {} and diff(plane.observe(), desired) == []


@pytest.mark.parametrize(
    "script", ["", "*filter\n:MINE - [0:0]\n-A FORWARD -j MINE\n-A MINE -j ACCEPT\nCOMMIT\n"]
)
def test_who_drops_nothing_gets_no_companion(world: World, script: str) -> None:
    for variant in Variant:
        command(f"iptables-{variant}-restore --noflush", script=script)
    assert _settled(ours(Variant.NFT), wanted(SPELLING))

    assert list(foreign_drops(Programs(Variant.NFT), with_own=True)) == []


def test_looking_at_legacy_tables_makes_none(world: World) -> None:
    plane = ours(Variant.NFT)
    assert _settled(plane, wanted(SPELLING))
    list(foreign_drops(Programs(Variant.NFT), with_own=True))

    assert Path("/proc/thread-self/net/ip_tables_names").read_text() == ""


@pytest.mark.parametrize("family", [4, 6])
def test_a_change_of_a_legacy_table_is_seen_once_and_only_if_it_is_not_ours(
    world: World, family: int
) -> None:
    name, programs = "iptables" if family == 4 else "ip6tables", Programs(Variant.LEGACY)
    assert programs.legacy_changes() == frozenset()
    programs.restore(family, "*filter\n-A FORWARD -j ACCEPT\nCOMMIT\n")
    assert programs.legacy_changes() == frozenset()

    command(f"{name}-legacy -F FORWARD")

    assert programs.legacy_changes() == {(family, "filter")}
    assert programs.legacy_changes() == frozenset()


@contextmanager
def _inside(host: Host) -> Iterator[None]:
    """This thread in the host's network."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/proc/{host.pid}/ns/net", os.O_RDONLY)
    try:
        assert libc.setns(there, NEW_NET) == 0
        yield
    finally:
        assert libc.setns(here, NEW_NET) == 0
        os.close(here)
        os.close(there)


@pytest.mark.skipif(not available(), reason="no dockerd here: run script/bootstrap --oracle")
@pytest.mark.timeout(180)
def test_beside_another_dockerd(host: Host, tmp_path: Path) -> None:
    """It flushes and fills chains of the same names at each start; whatever either does, both work."""
    outside = host.outside()
    (tmp_path / "outside").symlink_to(f"/proc/{outside.pid}/ns/net")
    spelling = IptablesSpelling(families=(4,))

    def we() -> bool:
        return world.send("outside", (UPLINK_ADDRESS, PORTS["two"]), "two") is not None

    def they() -> bool:
        with socket_in(str(tmp_path / "outside"), socket.AF_INET, socket.SOCK_STREAM, 0) as channel:
            channel.settimeout(1)
            try:
                channel.connect((UPLINK_ADDRESS, 8080))
                channel.sendall(b"GET /passwd HTTP/1.0\r\n\r\n")
                return b" 200 OK" in channel.recv(100)
            except OSError:
                return False

    def settle(ports: int) -> list[FirewallRule]:
        ops = diff(plane.observe(), wanted_of_two(spelling, ports))
        assert plane.apply(ops) == {}
        assert diff(plane.observe(), wanted_of_two(spelling, ports)) == []
        return [op.object for op in ops if isinstance(op.object, FirewallRule)]

    serve = ("busybox", "httpd", "-f", "-p", "80", "-h", "/etc")
    with _inside(host), oracle(host) as dockerd:
        world, plane = build_two(tmp_path), IptablesPlane(Programs(Variant.NFT))
        settle(1)
        dockerd.import_image()
        dockerd.docker.ok("run", "-d", "--restart=always", "--stop-signal=KILL", "-p", "8080:80", *serve)
        until(they, "the other's port")
        assert we()

        # We come and go, and so do our ports.
        for ports in (40, 0, 2):
            settle(ports)
            assert they()
        assert we()

        # The other makes networks and starts anew; what that cost us is seen and put back.
        dockerd.docker.ok("network", "create", "theirs")
        dockerd.docker.ok("run", "-d", "--stop-signal=KILL", "--network=theirs", "-p", "8081:80", *serve)
        settle(2)
        assert we()
        dockerd.restart()
        until(they, "the other's port after its restart")
        assert settle(2) != []
        assert we()
        assert they()
        assert settle(2) == []
