"""What the kernel announces, heard in a namespace of its own; `ip` and `nft` do what is told."""

import ipaddress
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridgehead.core.plan.notice import (
    AddressAppeared,
    AddressGone,
    FirewallChanged,
    ForwardingChanged,
    LinkChanged,
    LinkGone,
    Notice,
    Overrun,
    RouteAppeared,
    RouteGone,
)
from bridgehead.host.watch.watch import KernelWatch
from tests.host.space import own_space
from tests.support.wait import until

pytestmark = pytest.mark.host


@pytest.fixture
def watch() -> Iterator[KernelWatch]:
    with own_space():
        made = KernelWatch(lambda: own)
        own: set[int] = set()
        yield made
        made.close()


def run(*words: str, script: str = "") -> int:
    process = subprocess.Popen(words, stdin=subprocess.PIPE, text=True)
    process.communicate(script, 20)
    assert process.returncode == 0
    return process.pid


def heard(watch: KernelWatch) -> list[Notice]:
    """All that was announced up to now: the kernel announces before it acknowledges."""
    notices: list[Notice] = []
    while select.select(watch.descriptors, [], [], 0)[0]:
        notices += watch.drain()
    return notices


def states(notices: list[Notice]) -> dict[tuple[str, ...], Notice]:
    return {notice.subject: notice for notice in notices}


def test_links_are_told_as_they_are_in_the_end(watch: KernelWatch) -> None:
    run("ip", "link", "add", "br0", "address", "02:00:00:00:00:01", "type", "bridge")
    run("ip", "link", "add", "veth0", "mtu", "1400", "type", "veth", "peer", "name", "veth1")
    run("ip", "link", "set", "veth0", "master", "br0", "up")

    told = states(heard(watch))

    assert told["link", "veth0"] == LinkChanged(
        "veth0", mac=mac("veth0"), mtu=1400, up=True, master="br0", by=told["link", "veth0"].by
    )
    bridge = told["link", "br0"]
    assert isinstance(bridge, LinkChanged)
    assert not bridge.up
    run("ip", "link", "set", "veth0", "nomaster")
    port = states(heard(watch))["link", "veth0"]
    assert isinstance(port, LinkChanged)
    assert port.master == ""


def mac(name: str) -> str:
    words = subprocess.run(["ip", "-o", "link", "show", name], capture_output=True, text=True, check=True)
    return words.stdout.partition("link/ether ")[2].split()[0]


def test_a_link_that_goes_or_takes_another_name_is_gone(watch: KernelWatch) -> None:
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "link", "add", "br1", "type", "bridge")
    heard(watch)

    pid = run("ip", "link", "del", "br0")
    run("ip", "link", "set", "br1", "name", "other")

    told = states(heard(watch))
    assert isinstance(told["link", "br0"], LinkGone)
    assert told["link", "br0"].by in {"", f"ip (pid {pid})"}  # the kernel may be asked too late who it was
    assert isinstance(told["link", "br1"], LinkGone)
    assert isinstance(told["link", "other"], LinkChanged)


@pytest.mark.parametrize(
    ("address", "subnet"), [("172.30.0.1/16", "172.30.0.0/16"), ("fd00:30::1/64", "fd00:30::/64")]
)
def test_addresses_and_their_routes_come_and_go(watch: KernelWatch, address: str, subnet: str) -> None:
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "link", "set", "br0", "up")
    route = ("route", subnet, "br0", "2")

    run("ip", "address", "add", address, "dev", "br0")
    told = states(heard(watch))
    assert isinstance(told["address", "br0", address], AddressAppeared)
    assert isinstance(told[route], RouteAppeared)

    run("ip", "address", "del", address, "dev", "br0")
    told = states(heard(watch))
    gone = told["address", "br0", address]
    assert isinstance(gone, AddressGone)
    assert gone.address == ipaddress.ip_interface(address)
    assert isinstance(told[route], RouteGone)


@pytest.mark.parametrize(
    ("setting", "family"), [("net/ipv4/ip_forward", 4), ("net/ipv6/conf/all/forwarding", 6)]
)
def test_forwarding_is_told_for_the_host_and_not_for_each_link(
    watch: KernelWatch, setting: str, family: int
) -> None:
    Path("/proc/sys", setting).write_text("1")
    Path("/proc/sys", setting).write_text("0")
    run("ip", "link", "add", "br0", "type", "bridge")

    told = [notice for notice in heard(watch) if isinstance(notice, ForwardingChanged)]

    assert told == [ForwardingChanged(family, on=True), ForwardingChanged(family, on=False)]


def test_a_firewall_transaction_is_one_notice_with_its_tables_and_its_author(watch: KernelWatch) -> None:
    script = "add table inet a\nadd chain inet a c\nadd rule inet a c accept\nadd table ip6 b\n"

    run("nft", "-f", "-", script=script)

    (told,) = heard(watch)
    assert isinstance(told, FirewallChanged)
    assert told.tables == {("inet", "a"), ("ip6", "b")}
    assert told.by.startswith("nft (pid ")
    run("nft", "flush", "ruleset")
    (told,) = heard(watch)
    assert isinstance(told, FirewallChanged)
    assert told.tables == {("inet", "a"), ("ip6", "b")}


def test_iptables_is_told_as_the_tables_it_changes(watch: KernelWatch) -> None:
    run("iptables", "-t", "nat", "-N", "DOCKER")

    tables = {
        table for notice in heard(watch) if isinstance(notice, FirewallChanged) for table in notice.tables
    }
    assert tables == {("ip", "nat")}


def test_our_own_firewall_work_is_not_told() -> None:
    own: set[int] = set()
    with own_space():
        watch = KernelWatch(lambda: own)
        nft = subprocess.Popen(["nft", "-f", "-"], stdin=subprocess.PIPE, text=True)
        own.add(nft.pid)
        nft.communicate("add table inet ours\n", 20)
        assert nft.returncode == 0

        assert heard(watch) == []
        run("nft", "add", "table", "inet", "theirs")
        assert [type(notice) for notice in heard(watch)] == [FirewallChanged]
        watch.close()


def test_what_happens_in_other_namespaces_is_not_heard(watch: KernelWatch) -> None:
    run("unshare", "--net", "sh", "-c", "ip link set lo up; ip link add br0 type bridge; nft add table ip x")

    assert heard(watch) == []


def test_lost_announcements_are_admitted_and_hearing_goes_on(watch: KernelWatch) -> None:
    names = [f"br{number}" for number in range(150)]
    run("ip", "-batch", "-", script="".join(f"link add {name} type bridge\n" for name in names))
    flips = "".join(f"link set {name} mtu {mtu}\n" for mtu in (1400, 1500) * 20 for name in names)
    run("ip", "-batch", "-", script=flips)

    told = heard(watch)

    assert Overrun() in told
    run("ip", "link", "del", "br7")
    assert [type(notice) for notice in heard(watch) if notice.subject == ("link", "br7")][-1:] == [LinkGone]


def test_a_listener_that_is_closed_leaves_no_descriptor() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    KernelWatch(lambda: ()).close()

    assert until(lambda: len(list(Path("/proc/self/fd").iterdir())) == before, "as before")
