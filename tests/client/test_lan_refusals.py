"""What macvlan and ipvlan cannot be is refused, in words, and changes nothing."""

from collections.abc import Iterator

import pytest

from tests.client.lan import create, lan_daemon, refused, run
from tests.support.bridgehead import plan
from tests.support.census import links
from tests.support.daemon import Daemon

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def machine() -> Iterator[Daemon]:
    with lan_daemon("lanless") as daemon:
        yield daemon


@pytest.fixture
def daemon(machine: Daemon) -> Iterator[Daemon]:
    yield machine
    machine.docker.remove_all()


REFUSALS = {
    "missing": ("nosuch0", (), "invalid subinterface vlan name nosuch0, example formatting is eth0.10"),
    "loopback": ("lo", (), "loopback interface is not a valid macvlan parent link"),
    "long": ("averyverylongname", (), "at most 15 letters"),
    "vlan 0": ("uplink.0", (), "vlan id must be between 1-4094, received: 0"),
    "vlan 4095": ("uplink.4095", (), "vlan id must be between 1-4094, received: 4095"),
    "vlan x": ("uplink.x", (), "unable to parse a valid vlan id from: x (ex. eth0.10 for vlan 10)"),
    "no base": ("eth7.10", (), "parent interface eth7 was not found on the host"),
    "mode": (
        "uplink",
        ("-o", "macvlan_mode=l2"),
        "requested macvlan mode 'l2' is not valid, 'bridge' mode is the macvlan driver default",
    ),
    "mtu": ("uplink", ("-o", "com.docker.network.driver.mtu=9000"), "takes 1500 at the most"),
    "subnet": ("uplink", ("--subnet", "172.17.5.0/24"), "Pool overlaps with other one on this address space"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_is_refused_before_anything_changes(daemon: Daemon, case: str) -> None:
    parent, words, sentence = REFUSALS[case]
    before = links(daemon.host)

    refusal = refused(
        daemon, "network", "create", "-d", "macvlan", "-o", f"parent={parent}", *words, "refused"
    )

    assert sentence in refusal
    assert before == links(daemon.host)
    assert plan(daemon) == []


def test_a_port_of_a_bridge_is_no_parent(daemon: Daemon) -> None:
    run(daemon, "one", "bridge")
    port = next(name for name in links(daemon.host) if name.startswith("veth"))

    refusal = refused(daemon, "network", "create", "-d", "macvlan", "-o", f"parent={port}", "refused")

    assert f"{port} cannot be a parent interface: it is a port of docker0" in refusal


@pytest.mark.parametrize(
    ("driver", "words", "option"),
    [
        ("ipvlan", ("-o", "parent=uplink"), "CONFIG_IPVLAN"),
        ("macvlan", (), "CONFIG_DUMMY"),
        ("macvlan", ("-o", "parent=uplink.50"), "CONFIG_VLAN_8021Q"),
    ],
)
def test_what_this_kernel_lacks_is_named(
    daemon: Daemon, driver: str, words: tuple[str, ...], option: str
) -> None:
    answer = daemon.docker("network", "create", "-d", driver, *words, "wished")

    if answer.code == 0:
        pytest.skip(f"this kernel has {option}")
    assert f"needs {option}, built in or as a module" in answer.err
    assert "wished" not in daemon.docker.ok("network", "ls")


def test_macvlan_networks_share_a_parent_unless_one_takes_it_whole(daemon: Daemon) -> None:
    first = create(daemon, "first", "--subnet", "10.1.0.0/24")
    create(daemon, "second", "--subnet", "10.2.0.0/24", "-o", "macvlan_mode=private")

    sharing = (
        "network",
        "create",
        "-d",
        "macvlan",
        "-o",
        "parent=uplink",
        "-o",
        "macvlan_mode=passthru",
        "x",
    )
    assert (
        f"cannot use mode passthru, macvlan network {first} is already using parent interface uplink "
        "(network first)" in refused(daemon, *sharing)
    )
    daemon.docker.ok("network", "rm", "first", "second")
    whole = create(daemon, "whole", "-o", "macvlan_mode=passthru")
    sharing = ("network", "create", "-d", "macvlan", "-o", "parent=uplink", "x")
    assert f"macvlan network {whole} is already using parent interface uplink in mode passthru" in refused(
        daemon, *sharing
    )
