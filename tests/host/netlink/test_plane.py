"""The link plane on a real kernel: what it makes, changes, sees and takes away."""

import ipaddress
import json
import socket
import struct
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bridgehead.core.plan.diff import Create, Delete, Update, diff
from bridgehead.core.plan.objects import (
    Bridge,
    LinkAddress,
    Namespace,
    Route,
    state,
)
from bridgehead.host.namespaces.entering import inside, socket_in
from bridgehead.host.namespaces.files import remove
from bridgehead.host.netlink.plane import LinkPlane
from tests.host.netlink.conftest import ip
from tests.host.netlink.topology import (
    BRIDGE,
    NETWORK,
    endpoint,
    index,
    kept,
    reach,
    settled,
    veth,
)
from tests.support.wait import until

pytestmark = pytest.mark.host


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_was_applied_is_observed_even_by_a_plane_without_memory(plane: LinkPlane, folder: str) -> None:
    desired = state(*NETWORK, *endpoint(folder, 2), *endpoint(folder, 3, ipv6=False))

    failures = reach(plane, desired)

    assert failures == {}
    assert desired == plane.observe()
    newcomer = LinkPlane(folder)
    assert desired == newcomer.observe()
    assert newcomer.apply([Create(item) for item in desired.values()]) == {}
    newcomer.close()


def test_work_that_was_abandoned_anywhere_is_finished_or_cleared_by_a_newcomer(folder: str) -> None:
    desired = state(*NETWORK, *endpoint(folder, 2))
    ops = diff({}, desired)

    for length in range(len(ops) + 1):
        for target in (desired, {}):
            plane, newcomer = LinkPlane(folder), LinkPlane(folder)
            plane.apply(ops[:length])
            plane.close()

            failures = reach(newcomer, target)

            assert failures == {}
            until(partial(settled, newcomer, target), f"{length} operations")
            newcomer.close()


def test_containers_of_one_bridge_reach_each_other_and_their_gateway(plane: LinkPlane, folder: str) -> None:
    reach(plane, state(*NETWORK, *endpoint(folder, 2), *endpoint(folder, 3)))

    for family, peer, gateway in [
        (socket.AF_INET, "172.30.0.3", "172.30.0.1"),
        (socket.AF_INET6, "fd00:30::3", "fd00:30::1"),
    ]:
        for place, address in [(f"{folder}/3", peer), ("", gateway)]:
            with (
                socket_in(place, family, socket.SOCK_STREAM) as server,
                socket_in(f"{folder}/2", family, socket.SOCK_STREAM) as client,
            ):
                server.bind((address, 0))
                server.listen()
                client.settimeout(5)
                client.connect(server.getsockname())


def announce_router(namespace: str) -> None:
    """As anybody can who may send raw packets: Docker's containers may."""
    advertisement = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
    with socket_in(namespace, socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as impostor:
        impostor.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        scope = inside(namespace, partial(socket.if_nametoindex, "eth0"))
        until(lambda: _sent(impostor, advertisement, scope), "an address to send from")


def _sent(sender: socket.socket, message: bytes, scope: int) -> bool:
    try:
        return sender.sendto(message, ("ff02::1", 0, 0, scope)) > 0
    except OSError:
        return False


def test_a_container_cannot_become_the_hosts_way_out(plane: LinkPlane, folder: str) -> None:
    desired = state(*NETWORK, *endpoint(folder, 2))
    reach(plane, desired)
    announce_router(f"{folder}/2")
    time.sleep(0.2)
    assert ip("-6", "route", "show", "default") == ""

    Path(f"/proc/sys/net/ipv6/conf/{BRIDGE.name}/accept_ra").write_text("1")
    announce_router(f"{folder}/2")
    until(lambda: ip("-6", "route", "show", "default"), "what would happen")
    assert plane.observe() != desired
    reach(plane, desired)
    assert plane.observe() == desired


def test_deleting_everything_leaves_nothing(plane: LinkPlane, folder: str) -> None:
    before = ip("-o", "link")
    reach(plane, state(*NETWORK, *(item for number in range(2, 12) for item in endpoint(folder, number))))

    ops = [*(Delete(veth(folder, number)) for number in range(2, 12)), *diff(plane.observe(), {})]
    failures = plane.apply(ops)

    assert failures == {}
    assert plane.observe() == {}
    assert kept(folder) == []
    assert before == ip("-o", "link")


def test_a_name_is_free_as_soon_as_its_deletion_returns(plane: LinkPlane, folder: str) -> None:
    desired = state(*NETWORK, *endpoint(folder, 2))
    reach(plane, desired)

    for _ in range(5):
        assert plane.apply([Delete(veth(folder, 2))]) == {}
        assert reach(plane, desired) == {}

    assert desired == plane.observe()


def test_a_bridge_changes_in_place(plane: LinkPlane) -> None:
    reach(plane, state(BRIDGE))
    before = index("br-test")
    wanted = Bridge("br-test", "02:42:00:00:00:99", 9000)

    failures = reach(plane, state(wanted))

    assert failures == {}
    assert state(wanted) == plane.observe()
    assert before == index("br-test")


def test_a_veth_moves_to_another_bridge_in_place(plane: LinkPlane, folder: str) -> None:
    other = Bridge("br-other", "02:42:00:00:00:02", 1400)
    reach(plane, state(*NETWORK, *endpoint(folder, 2)))
    before = index("eth0", f"{folder}/2")
    moved = replace(veth(folder, 2), bridge="br-other", mtu=1400)
    desired = state(*NETWORK, other, *endpoint(folder, 2), moved)

    failures = reach(plane, desired)

    assert failures == {}
    assert desired == plane.observe()
    assert before == index("eth0", f"{folder}/2")


def test_a_bridge_keeps_its_size_when_smaller_ports_come_and_go(plane: LinkPlane, folder: str) -> None:
    small = replace(veth(folder, 2), mtu=1400)
    desired = state(BRIDGE, Namespace(f"{folder}/2"), small)

    reach(plane, desired)

    assert desired == plane.observe()
    reach(plane, state(BRIDGE, Namespace(f"{folder}/2")))
    assert state(BRIDGE, Namespace(f"{folder}/2")) == plane.observe()


def test_a_gateway_changes_in_place(plane: LinkPlane, folder: str) -> None:
    reach(plane, state(*NETWORK, *endpoint(folder, 2)))
    before = Route(f"{folder}/2", ipaddress.ip_network("::/0"), "eth0", ipaddress.ip_address("fd00:30::1"))
    after = replace(before, gateway=ipaddress.ip_address("fd00:30::9"))

    failures = plane.apply([Update(before, after)])

    assert failures == {}
    assert state(*NETWORK, *endpoint(folder, 2), after) == plane.observe()


@pytest.mark.parametrize("name", ["br-test", "br.with.dots"])
def test_a_bridge_lets_out_what_comes_from_loopback_if_wished(plane: LinkPlane, name: str) -> None:
    shown = Path(f"/proc/sys/net/ipv4/conf/{name}/route_localnet")
    for wanted in (True, False, True):
        bridge = replace(BRIDGE, name=name, route_localnet=wanted)

        failures = reach(plane, state(bridge))

        assert failures == {}
        assert state(bridge) == plane.observe()
        assert shown.read_text().strip() == str(int(wanted))


@pytest.mark.parametrize("wanted", [True, False])
def test_hairpin_changes_in_place(plane: LinkPlane, folder: str, *, wanted: bool) -> None:
    born = replace(veth(folder, 2), hairpin=not wanted)
    reach(plane, state(*NETWORK, *endpoint(folder, 2), born))
    before = index("eth0", f"{folder}/2")
    desired = state(*NETWORK, *endpoint(folder, 2), replace(born, hairpin=wanted))

    failures = reach(plane, desired)

    assert failures == {}
    assert desired == plane.observe()
    (port,) = json.loads(ip("-j", "-d", "link", "show", "veth2"))
    assert port["linkinfo"]["info_slave_data"]["hairpin"] is wanted
    assert before == index("eth0", f"{folder}/2")


def test_a_bridge_of_somebody_else_takes_our_pairs_and_is_left_behind(plane: LinkPlane, folder: str) -> None:
    ip("link", "add", "br0", "type", "bridge")
    ip("link", "set", "br0", "up")
    foreign = replace(veth(folder, 2), bridge="br0", peer="ward-0.x_1")
    desired = state(Namespace(f"{folder}/2"), foreign)

    assert reach(plane, desired) == {}
    assert desired == plane.observe()
    ip("link", "set", "veth2", "nomaster")
    assert reach(plane, desired) == {}
    assert desired == plane.observe()

    assert reach(plane, {}) == {}
    until(partial(settled, plane, {}), "nothing of ours")
    assert "br0" in ip("link", "show", "br0")


@pytest.mark.parametrize(
    "damage",
    [
        "link set br-test down",
        "link set br-test mtu 1300",
        "link set veth2 type bridge_slave hairpin off",
        "link del br-test",
        "route del 172.30.0.0/16 dev br-test",
        "-6 route del fd00:30::/64 dev br-test",
        "addr del 172.30.0.1/16 dev br-test",
        "link set veth2 nomaster",
        "link set veth2 down",
        "link del veth2",
        "netns link set eth0 down",
        "netns link set eth0 mtu 1300",
        "netns link set eth0 address 02:42:ac:1e:00:77",
        "netns addr flush dev eth0",
        "netns route del default",
        "netns link del eth0",
    ],
)
def test_damage_is_seen_and_repaired_in_two_passes(plane: LinkPlane, folder: str, damage: str) -> None:
    through = replace(veth(folder, 2), hairpin=True)
    desired = state(*NETWORK, *endpoint(folder, 2), through)
    reach(plane, desired)
    inner = damage.startswith("netns ")
    ip(*damage.removeprefix("netns ").split(), namespace=f"{folder}/2" if inner else "")

    assert desired != plane.observe()
    assert reach(plane, desired) == {}

    assert reach(plane, desired) == {}
    assert desired == plane.observe()


def test_a_namespace_that_was_replaced_is_entered_anew(plane: LinkPlane, folder: str) -> None:
    desired = state(*NETWORK, *endpoint(folder, 2))
    reach(plane, desired)
    other = LinkPlane(folder)
    other.apply([Delete(Namespace(f"{folder}/2")), Create(Namespace(f"{folder}/2"))])
    other.close()

    failures = reach(plane, desired)

    assert failures == {}
    assert desired == plane.observe()


def test_the_half_of_a_pair_whose_namespace_is_lost_is_a_leftover(plane: LinkPlane, folder: str) -> None:
    reach(plane, state(*NETWORK, *endpoint(folder, 2)))
    with socket_in(f"{folder}/2", socket.AF_INET, socket.SOCK_DGRAM):
        remove(f"{folder}/2")

        assert ("link", "", "veth2") in plane.observe()
        assert reach(plane, state(*NETWORK)) == {}

        assert "veth2" not in ip("-o", "link")
    assert state(*NETWORK) == plane.observe()


def test_nothing_answers_any_more_out_of_a_deleted_namespace_that_somebody_else_is_in(
    plane: LinkPlane, folder: str
) -> None:
    reach(plane, state(*NETWORK, *endpoint(folder, 2), *endpoint(folder, 3)))
    with socket_in(f"{folder}/2", socket.AF_INET, socket.SOCK_DGRAM):
        assert plane.apply([Delete(Namespace(f"{folder}/2"))]) == {}

        assert "veth2" not in ip("-o", "link")
        assert state(*NETWORK, *endpoint(folder, 3)) == plane.observe()


def test_a_file_that_keeps_no_namespace_is_a_leftover(plane: LinkPlane, folder: str) -> None:
    for number in (2, 3):
        Path(folder, str(number)).touch()

    failures = reach(plane, state(Namespace(f"{folder}/2")))

    assert failures == {}
    assert state(Namespace(f"{folder}/2")) == plane.observe()
    assert kept(folder) == ["2"]


def test_deleting_what_is_gone_succeeds(plane: LinkPlane, folder: str) -> None:
    everything = [*NETWORK, *endpoint(folder, 2)]
    assert plane.apply([Delete(item) for item in reversed(everything)]) == {}
    reach(plane, state(*NETWORK, *endpoint(folder, 2)))
    ip("link", "del", "veth2")

    failures = plane.apply([Delete(item) for item in reversed(everything)])

    assert failures == {}
    assert plane.observe() == {}


def test_ipv6_is_off_inside_unless_wanted_and_never_on_outer_ends(plane: LinkPlane, folder: str) -> None:
    reach(plane, state(BRIDGE, *endpoint(folder, 2), *endpoint(folder, 3, ipv6=False)))

    def disabled(number: int) -> str:
        setting = Path("/proc/sys/net/ipv6/conf/eth0/disable_ipv6")
        return inside(f"{folder}/{number}", setting.read_text).strip()

    assert [disabled(2), disabled(3)] == ["0", "1"]
    assert ip("-6", "addr", "show", "veth2") + ip("-6", "addr", "show", "veth3") == ""
    assert "tentative" not in ip("-6", "addr", "show", "eth0", "scope", "global", namespace=f"{folder}/2")


def test_neighbours_hear_at_once_that_an_address_has_moved(plane: LinkPlane, folder: str) -> None:
    """Both families. A third endpoint keeps the bridge from forgetting by itself."""
    others = (*NETWORK, *endpoint(folder, 3))
    addresses = {"172.30.0.2": socket.AF_INET, "fd00:30::2": socket.AF_INET6}
    reach(plane, state(*others, *endpoint(folder, 2)))
    for address, family in addresses.items():
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", (address, 9))

    def known(mac: str) -> bool:
        return all(f"lladdr {mac}" in ip("neigh", "show", "to", address) for address in addresses)

    until(lambda: known("02:42:ac:1e:00:02"), "the neighbours are known")
    reach(plane, state(*others))
    reach(plane, state(*others, *endpoint(folder, 2), replace(veth(folder, 2), mac="02:42:ac:1e:00:77")))

    until(lambda: known("02:42:ac:1e:00:77"), "the neighbours know better", limit_s=3)


def test_a_new_namespace_has_its_loopback_up(plane: LinkPlane, folder: str) -> None:
    plane.apply([Create(Namespace(f"{folder}/2"))])

    assert "LOOPBACK,UP" in ip("link", "show", "lo", namespace=f"{folder}/2")


def test_no_descriptor_stays_open(folder: str) -> None:
    before = open_files()
    plane = LinkPlane(folder)
    reach(plane, state(*NETWORK, *endpoint(folder, 2)))
    steady = open_files()
    for _ in range(3):
        reach(
            plane, state(*NETWORK, *endpoint(folder, 2), *endpoint(folder, 3), Namespace(f"{folder}/nope/x"))
        )
        reach(plane, state(*NETWORK, *endpoint(folder, 2)))
    reach(plane, state(*NETWORK, *endpoint(folder, 2)))

    until(lambda: steady == open_files(), "the sockets of acknowledged deletions are closed")
    plane.close()
    assert before == open_files()


@pytest.mark.parametrize("mtu", [1279, 68])
def test_links_too_small_for_ipv6_are_made_and_changed(plane: LinkPlane, folder: str, mtu: int) -> None:
    items = (*NETWORK, *endpoint(folder, 2, ipv6=False))
    usual = state(*(item for item in items if not isinstance(item, LinkAddress) or item.address.version == 4))
    small = state(*(replace(item, mtu=mtu) if hasattr(item, "mtu") else item for item in usual.values()))

    assert reach(plane, small) == {}
    assert small == plane.observe()
    for wanted in (usual, small):
        assert reach(plane, wanted) == {}
        assert wanted == plane.observe()
