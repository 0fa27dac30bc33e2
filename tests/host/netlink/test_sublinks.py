"""The exact requests for links that this kernel may be unable to make, and what is read of them."""

import pytest

from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.host.netlink.codec import attribute, u32
from bridgehead.host.netlink.lan_sight import parent_link, remembered, sub_link
from bridgehead.host.netlink.links import Link
from bridgehead.host.netlink.marks import LINK_GROUP, LINK_GROUP_WITH_IPV6
from bridgehead.host.netlink.sublinks import (
    ask_for_kind,
    change_sublink,
    create_parent,
    create_sublink,
    read_mode,
    read_vlan,
)

DOWN = "00" * 16


def spaced(*words: str) -> bytes:
    return bytes.fromhex("".join(words).replace(" ", ""))


def test_a_macvlan_is_asked_for_whole() -> None:
    link = SubLink("macvlan", "eth9", "/ns", "eth0", "vepa", mac="02:00:00:00:00:09", mtu=1400, ipv6=True)

    request = create_sublink(link, 7, 5)

    assert (request.kind, request.flags) == (16, 0x600)
    assert request.body == spaced(
        DOWN,
        "0900 0300 65746830 00 000000",  # IFLA_IFNAME eth0
        "0a00 0100 020000000009 0000",  # IFLA_ADDRESS
        "0800 0400 78050000",  # IFLA_MTU 1400
        "0800 1b00 36697262",  # IFLA_GROUP bri6
        "0800 0500 07000000",  # IFLA_LINK 7
        "0800 1c00 05000000",  # IFLA_NET_NS_FD 5
        "1c00 1200",  # IFLA_LINKINFO
        "0c00 0100 6d6163766c616e 00",  # IFLA_INFO_KIND macvlan
        "0c00 0200 0800 0100 02000000",  # IFLA_INFO_DATA: IFLA_MACVLAN_MODE vepa
    )


@pytest.mark.parametrize(
    ("mode", "flag", "numbers"),
    [
        ("l2", "bridge", ("0000", "0000")),
        ("l3", "private", ("0100", "0100")),
        ("l3s", "vepa", ("0200", "0200")),
    ],
)
def test_an_ipvlan_is_asked_for_without_an_address_of_its_own(
    mode: str, flag: str, numbers: tuple[str, str]
) -> None:
    link = SubLink("ipvlan", "eth9", "/ns", "eth0", mode, flag=flag)

    request = create_sublink(link, 7, 5)

    assert (request.kind, request.flags) == (16, 0x600)
    assert request.body == spaced(
        DOWN,
        "0900 0300 65746830 00 000000",  # IFLA_IFNAME eth0
        "0800 1b00 64697262",  # IFLA_GROUP brid
        "0800 0500 07000000",  # IFLA_LINK 7
        "0800 1c00 05000000",  # IFLA_NET_NS_FD 5
        "2400 1200",  # IFLA_LINKINFO
        "0b00 0100 6970766c616e 00 00",  # IFLA_INFO_KIND ipvlan
        "1400 0200",  # IFLA_INFO_DATA
        f"0600 0100 {numbers[0]} 0000",  # IFLA_IPVLAN_MODE
        f"0600 0200 {numbers[1]} 0000",  # IFLA_IPVLAN_FLAGS
    )


def test_a_vlan_is_asked_for_on_its_base() -> None:
    request = create_parent(ParentLink("eth9.50", "vlan", "eth9", 50), 7)

    assert (request.kind, request.flags) == (16, 0x608)
    assert request.body == spaced(
        DOWN,
        "0c00 0300 657468392e3530 00",  # IFLA_IFNAME eth9.50
        "0800 1b00 64697262",  # IFLA_GROUP brid
        "0800 0500 07000000",  # IFLA_LINK 7
        "1c00 1200",  # IFLA_LINKINFO
        "0900 0100 766c616e 00 000000",  # IFLA_INFO_KIND vlan
        "0c00 0200 0600 0100 3200 0000",  # IFLA_INFO_DATA: IFLA_VLAN_ID 50
    )


def test_a_dummy_is_asked_for_by_its_kind_alone() -> None:
    request = create_parent(ParentLink("dm-1", "dummy"), 0)

    assert request.body == spaced(
        DOWN,
        "0900 0300 646d2d31 00 000000",  # IFLA_IFNAME dm-1
        "0800 1b00 64697262",  # IFLA_GROUP brid
        "1000 1200",  # IFLA_LINKINFO
        "0a00 0100 64756d6d79 00 0000",  # IFLA_INFO_KIND dummy
    )


def test_asking_for_a_kind_can_make_nothing() -> None:
    request = ask_for_kind("ipvlan")

    assert (request.kind, request.flags) == (16, 0x600)
    assert request.body == spaced(
        DOWN,
        "0800 1f00 88130000",  # IFLA_NUM_TX_QUEUES 5000, more than any kernel gives
        "1000 1200",  # IFLA_LINKINFO
        "0b00 0100 6970766c616e 00 00",  # IFLA_INFO_KIND ipvlan
    )


def test_a_changed_way_of_sharing_names_the_link_and_nothing_else() -> None:
    request = change_sublink(9, SubLink("ipvlan", "eth9", "/ns", "eth0", "l3", flag="bridge"))

    assert (request.kind, request.flags) == (16, 0)
    assert request.body[4:8] == b"\x09\0\0\0"
    assert request.body[16:20] == spaced("2400 1200")


def link(kind: str, details: bytes, **words: object) -> Link:
    plain: dict[str, object] = {
        "index": 9,
        "family": 0,
        "name": "eth0",
        "kind": kind,
        "group": LINK_GROUP,
        "mac": "02:00:00:00:00:09",
        "mtu": 1500,
        "up": True,
        "master": 0,
        "peer": 7,
        "peer_elsewhere": True,
        "route_localnet": False,
        "hears_routers": False,
        "hairpin": False,
        "alias": "",
        "details": details,
    }
    return Link(**{**plain, **words})  # type: ignore[arg-type] - the fields above


def test_an_ipvlan_is_read_as_it_was_asked_for() -> None:
    wanted = SubLink(
        "ipvlan",
        "eth9",
        "/ns",
        "eth0",
        "l3s",
        flag="private",
        mtu=1400,
        ipv6=True,
        sysctls=("net.ipv4.conf.IFNAME.log_martians=1",),
    )
    details = attribute(1, b"\2\0") + attribute(2, b"\1\0")
    lower = link("", b"", name="eth9", index=7)
    inner = link("ipvlan", details, mtu=1400, group=LINK_GROUP_WITH_IPV6, alias=remembered(wanted))

    assert sub_link(lower, inner, "/ns") == wanted
    assert not sub_link(lower, link("ipvlan", details, mtu=1300, alias=remembered(wanted)), "/ns").whole
    assert sub_link(None, inner, "/ns").lower == ""


def test_whatever_a_container_writes_into_the_alias_is_no_size() -> None:
    for alias in ("mtu=", "mtu=\u00b2", "mtu=x,mac", "mtu=-1", ",,,"):
        assert sub_link(None, link("macvlan", u32(1, 4), alias=alias), "/ns").mtu == 0


def test_a_vlan_is_read_as_it_was_asked_for_and_is_down_with_its_base() -> None:
    wanted = ParentLink("eth9.50", "vlan", "eth9", 50)
    details = attribute(1, b"\x32\0")
    base = link("", b"", name="eth9", index=7)

    assert parent_link(link("vlan", details, name="eth9.50"), base) == wanted
    assert not parent_link(link("vlan", details, name="eth9.50", up=False), base).whole
    assert parent_link(link("vlan", details, up=False), link("", b"", up=False)).whole
    assert read_vlan(details) == 50


def test_what_has_no_name_is_no_mode_of_ours() -> None:
    assert read_mode("macvlan", u32(1, 16)) == ("", "")  # source
    assert read_mode("macvlan", b"") == ("", "")
