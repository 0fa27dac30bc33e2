"""macvlan and ipvlan: what their options mean, what is refused, and what an endpoint is made of."""

import ipaddress
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bridgehead.core.drivers import lan_options
from bridgehead.core.drivers.api import Ground, HostLink, Place
from bridgehead.core.drivers.ipvlan import IPVLAN
from bridgehead.core.drivers.lan import LanDriver, parent_objects
from bridgehead.core.drivers.macvlan import MACVLAN
from bridgehead.core.model.errors import BridgeheadError, Forbidden, InvalidParameter, NotImplementedByDriver
from bridgehead.core.model.ids import ContainerID, EndpointID, NetworkID, SandboxID
from bridgehead.core.model.network import Endpoint, EndpointWish, LanOptions, Network, ParentKind
from bridgehead.core.model.requests import NetworkRequest
from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.core.plan.objects import LinkAddress

DRIVERS: Mapping[str, LanDriver] = {"macvlan": MACVLAN, "ipvlan": IPVLAN}
EVERYTHING = frozenset(lan_options.KERNEL_OPTIONS)
LINKS = {
    link.name: link
    for link in (HostLink("eth9"), HostLink("lo", loopback=True), HostLink("port", port_of="br0"))
}
IDENTIFIER = NetworkID("abcdef0123456789" * 4)


def shaped(
    driver: str = "macvlan",
    given: Mapping[str, str] | None = None,
    others: tuple[Network, ...] = (),
    kinds: frozenset[str] = EVERYTHING,
    **words: object,
) -> Network:
    options = given or {}
    network = Network(IDENTIFIER, "new", driver, "", options=options, **words)  # type: ignore[arg-type]
    request = NetworkRequest("new", driver, options=options)
    return DRIVERS[driver].shaped(network, request, Ground(1500, others, LINKS, kinds))


def other(driver: str, lan: LanOptions) -> Network:
    return Network(NetworkID("1" * 64), "other", driver, "", lan=lan)


def lan(driver: str, **given: str) -> LanOptions:
    found = shaped(driver, {"parent": "eth9", **given}).lan
    assert found
    return found


def test_modes_and_flags_have_dockers_defaults() -> None:
    assert lan("macvlan") == LanOptions("eth9", "bridge")
    assert lan("ipvlan") == LanOptions("eth9", "l2", flag="bridge", shares_mac=True)
    assert lan("macvlan", macvlan_mode="") == LanOptions("eth9", "bridge")


@pytest.mark.parametrize("mode", ["bridge", "private", "vepa", "passthru"])
def test_every_macvlan_mode_is_taken(mode: str) -> None:
    assert lan("macvlan", macvlan_mode=mode).mode == mode


@pytest.mark.parametrize("mode", ["l2", "l3", "l3s"])
@pytest.mark.parametrize("flag", ["bridge", "private", "vepa"])
def test_every_ipvlan_mode_goes_with_every_flag(mode: str, flag: str) -> None:
    found = lan("ipvlan", ipvlan_mode=mode, ipvlan_flag=flag)

    assert (found.mode, found.flag, found.routed) == (mode, flag, mode != "l2")


def test_without_a_parent_a_dummy_is_made_and_the_network_leads_nowhere() -> None:
    for driver, name in (("macvlan", "dm-abcdef012345"), ("ipvlan", "di-abcdef012345")):
        network = shaped(driver)

        assert network.lan
        assert (network.lan.parent, network.lan.parent_kind) == (name, ParentKind.DUMMY)
        assert network.internal
        assert list(parent_objects([network], name)) == [ParentLink(name, "dummy")]


def test_a_vlan_that_is_not_there_is_made_and_one_that_is_there_is_kept() -> None:
    made = shaped("macvlan", {"parent": "eth9.50"})
    assert made.lan
    assert (made.lan.parent_kind, made.lan.base) == (ParentKind.VLAN, "eth9")
    assert list(parent_objects([made], "eth9.50")) == [ParentLink("eth9.50", "vlan", "eth9", 50)]

    present = Ground(1500, (), {**LINKS, "eth9.50": HostLink("eth9.50")}, EVERYTHING)
    kept = DRIVERS["macvlan"].shaped(replace(made, lan=None), NetworkRequest("x"), present)
    assert kept.lan
    assert kept.lan.parent_kind is ParentKind.GIVEN
    assert list(parent_objects([kept], "eth9.50")) == []


def test_a_vlan_made_for_another_network_is_held_by_both() -> None:
    first = replace(shaped("macvlan", {"parent": "eth9.50"}), id=NetworkID("1" * 64), name="first")
    present = Ground(1500, (first,), {**LINKS, "eth9.50": HostLink("eth9.50")}, EVERYTHING)

    second = DRIVERS["macvlan"].shaped(replace(first, id=IDENTIFIER, lan=None), NetworkRequest("x"), present)

    assert list(parent_objects([second], "eth9.50")) == list(parent_objects([first, second], "eth9.50"))


REFUSALS: Mapping[str, tuple[str, Mapping[str, str], type[BridgeheadError], str]] = {
    "loopback": (
        "ipvlan",
        {"parent": "lo"},
        InvalidParameter,
        "loopback interface is not a valid ipvlan parent link",
    ),
    "vlan on loopback": (
        "macvlan",
        {"parent": "lo.5"},
        InvalidParameter,
        "loopback interface is not a valid",
    ),
    "no vlan": (
        "macvlan",
        {"parent": "eth1"},
        InvalidParameter,
        "invalid subinterface vlan name eth1, example formatting is eth0.10",
    ),
    "vlan 0": ("macvlan", {"parent": "eth9.0"}, InvalidParameter, "between 1-4094, received: 0"),
    "vlan 4095": ("macvlan", {"parent": "eth9.4095"}, InvalidParameter, "between 1-4094, received: 4095"),
    "vlan word": (
        "macvlan",
        {"parent": "eth9.x"},
        InvalidParameter,
        "unable to parse a valid vlan id from: x",
    ),
    "arabic": ("macvlan", {"parent": "eth9.\u0661"}, InvalidParameter, "invalid parent interface name"),
    "no base": ("macvlan", {"parent": "eth1.5"}, InvalidParameter, "parent interface eth1 was not found"),
    "long": ("macvlan", {"parent": "e" * 16}, InvalidParameter, "at most 15"),
    "slash": ("macvlan", {"parent": "../x"}, InvalidParameter, "invalid parent interface name"),
    "port": (
        "macvlan",
        {"parent": "port"},
        InvalidParameter,
        "port cannot be a parent interface: it is a port",
    ),
    "macvlan mode": (
        "macvlan",
        {"parent": "eth9", "macvlan_mode": "l2"},
        InvalidParameter,
        "requested macvlan mode 'l2' is not valid, 'bridge' mode is the macvlan driver default",
    ),
    "ipvlan mode": (
        "ipvlan",
        {"parent": "eth9", "ipvlan_mode": "bridge"},
        InvalidParameter,
        "requested ipvlan mode 'bridge' is not valid, 'l2' mode is the ipvlan driver default",
    ),
    "ipvlan flag": (
        "ipvlan",
        {"parent": "eth9", "ipvlan_flag": "open"},
        InvalidParameter,
        "requested ipvlan flag 'open' is not valid, 'bridge' is the ipvlan driver default",
    ),
    "size": (
        "macvlan",
        {"parent": "eth9", "com.docker.network.driver.mtu": "1501"},
        InvalidParameter,
        "invalid MTU number: 1501: parent interface eth9 takes 1500 at the most",
    ),
    "size of a vlan": (
        "macvlan",
        {"parent": "eth9.5", "com.docker.network.driver.mtu": "1501"},
        InvalidParameter,
        "takes 1500 at the most",
    ),
    "announcements": (
        "macvlan",
        {"parent": "eth9", "com.docker.network.advertise_addr_nmsgs": "9"},
        InvalidParameter,
        "must be in the range 0 to 3",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_means_nothing_is_refused(case: str) -> None:
    driver, given, kind, sentence = REFUSALS[case]

    with pytest.raises(kind) as refusal:
        shaped(driver, given)

    assert sentence in refusal.value.message


@pytest.mark.parametrize("missing", sorted(EVERYTHING))
def test_a_kernel_that_lacks_something_is_told_its_option(missing: str) -> None:
    parents = {"macvlan": "eth9", "ipvlan": "eth9", "vlan": "eth9.5", "dummy": ""}
    driver = missing if missing in DRIVERS else "macvlan"

    with pytest.raises(NotImplementedByDriver, match=lan_options.KERNEL_OPTIONS[missing]):
        shaped(driver, {"parent": parents[missing]}, kinds=EVERYTHING - {missing})


def test_no_more_is_asked_of_the_kernel_than_is_needed() -> None:
    def needed(**given: str) -> set[str]:
        return lan_options.needed_kinds("macvlan", given, LINKS)

    assert needed(parent="eth9") == {"macvlan"}
    assert needed(parent="eth9.5") == {"macvlan", "vlan"}
    assert needed() == {"macvlan", "dummy"}
    assert lan_options.interfaces({"parent": "eth9.5"}) == ("eth9.5", "eth9")
    assert lan_options.interfaces({"parent": "no/name"}) == ()


def test_macvlan_networks_share_a_parent_unless_one_takes_it_whole() -> None:
    shared, whole = LanOptions("eth9", "private"), LanOptions("eth9", "passthru")

    assert shaped(given={"parent": "eth9"}, others=(other("macvlan", shared),)).lan
    with pytest.raises(
        Forbidden,
        match=f"cannot use mode passthru, macvlan network {'1' * 64} is already using parent interface eth9",
    ):
        shaped(given={"parent": "eth9", "macvlan_mode": "passthru"}, others=(other("macvlan", shared),))
    with pytest.raises(Forbidden, match="is already using parent interface eth9 in mode passthru"):
        shaped(given={"parent": "eth9"}, others=(other("macvlan", whole),))


@pytest.mark.parametrize(
    ("driver", "present", "name"),
    [("ipvlan", "ipvlan", "di"), ("ipvlan", "macvlan", "dm"), ("macvlan", "ipvlan", "di")],
)
def test_ipvlan_has_its_parent_for_itself(driver: str, present: str, name: str) -> None:
    taken = other(present, LanOptions("eth9", "l2"))

    with pytest.raises(Forbidden) as refusal:
        shaped(driver, {"parent": "eth9"}, others=(taken,))

    assert f"network {name}-111111111111 is already using parent interface eth9" in refusal.value.message
    assert "network other" in refusal.value.message


def test_a_small_size_goes_without_ipv6_alone() -> None:
    small = {"parent": "eth9", "com.docker.network.driver.mtu": "1000"}

    assert shaped(given=small).lan
    with pytest.raises(InvalidParameter, match="IPv6 needs 1280"):
        shaped(given=small, ipv6=True)


def test_a_gateway_is_reserved_only_where_something_is_sent_there() -> None:
    expected = {"l2": (), "l3": (4, 6), "l3s": (4, 6)}
    for mode, without in expected.items():
        network = shaped("ipvlan", {"parent": "eth9", "ipvlan_mode": mode})
        assert DRIVERS["ipvlan"].without_gateway(network) == without
    assert DRIVERS["macvlan"].without_gateway(shaped(given={"parent": "eth9"})) == ()
    assert DRIVERS["macvlan"].without_gateway(shaped(given={"parent": "eth9"}, internal=True)) == (4, 6)
    assert DRIVERS["macvlan"].without_gateway(shaped()) == (4, 6)


def test_what_routes_by_addresses_needs_them() -> None:
    assert shaped("ipvlan", {"parent": "eth9"}, ipam_driver="null").lan
    with pytest.raises(InvalidParameter, match="routes by addresses"):
        shaped("ipvlan", {"parent": "eth9", "ipvlan_mode": "l3"}, ipam_driver="null")


def test_an_endpoint_is_a_link_and_its_addresses() -> None:
    network = shaped(given={"parent": "eth9", "com.docker.network.driver.mtu": "1400"})
    address = ipaddress.ip_interface("10.0.0.2/24")
    end = Endpoint(
        EndpointID("e"),
        network.id,
        SandboxID("s"),
        ContainerID("c"),
        EndpointWish(link_local=(ipaddress.ip_address("fe80::7"),)),
        interface="eth0",
        mac="02:00:00:00:00:01",
        addresses=(address,),
    )

    link, *addresses = DRIVERS["macvlan"].endpoint_objects(network, end, Place("/ns", published=True))

    assert link == SubLink(
        "macvlan", "eth9", "/ns", "eth0", "bridge", mac="02:00:00:00:00:01", mtu=1400, ipv6=True
    )
    assert addresses == [
        LinkAddress("/ns", "eth0", address),
        LinkAddress("/ns", "eth0", ipaddress.ip_interface("fe80::7/64")),
    ]
    assert list(DRIVERS["macvlan"].network_objects(network)) == []
    assert list(DRIVERS["macvlan"].published_objects(network, end, (), ())) == []
    assert list(DRIVERS["macvlan"].linked_objects(network, end, end, ())) == []


def test_only_what_can_change_in_place_does() -> None:
    link = SubLink("macvlan", "eth9", "/ns", "eth0", "bridge", mac="02:00:00:00:00:01")

    assert link.can_become(replace(link, mode="private"))
    assert replace(link, whole=False).can_become(link)
    assert not link.can_become(replace(link, mode="passthru"))
    assert not link.can_become(replace(link, lower="eth8"))
    assert not link.can_become(replace(link, mac="02:00:00:00:00:02"))
    parent = ParentLink("eth9.5", "vlan", "eth9", 5)
    assert replace(parent, whole=False).can_become(parent)
    assert not parent.can_become(replace(parent, base="eth8"))
