import pytest

from bridgehead.core.endpoint_options import (
    interface_name,
    moved_from_container,
    setting_path,
    sysctls,
    with_sysctls,
)
from bridgehead.core.model.errors import InvalidParameter

IFNAME = "com.docker.network.endpoint.ifname"
SYSCTLS = "com.docker.network.endpoint.sysctls"


@pytest.mark.parametrize("name", ["eth7", "wan0", "a", "fifteen-letters", "dot.ted"])
def test_a_possible_name_is_taken(name: str) -> None:
    assert interface_name({IFNAME: name}) == name


@pytest.mark.parametrize(
    "name", ["sixteen-letters-", "a b", "a/b", "a:b", "veth%d", "lo", "all", "..", "a\nb"]
)
def test_an_impossible_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid interface name"):
        interface_name({IFNAME: name})


def test_settings_are_taken_in_order_and_cleaned() -> None:
    text = "net.ipv4.conf.IFNAME.log_martians=1, net.ipv6.neigh.ifname.gc_stale_time=30,"

    assert sysctls({SYSCTLS: text}) == (
        "net.ipv4.conf.IFNAME.log_martians=1",
        "net.ipv6.neigh.IFNAME.gc_stale_time=30",
    )


@pytest.mark.parametrize(
    "setting",
    [
        "net.ipv4.conf.eth0.log_martians=1",
        "net.core.conf.IFNAME.x=1",
        "kernel.conf.IFNAME.x=1",
        "net.ipv4.conf.IFNAME.log_martians",
        "net.ipv4.conf.IFNAME.log_martians=",
        "net.ipv4.conf/../../IFNAME.x=1",
        "net.ipv4.conf.IFNAME.x=\n",
        "net.ipv4.conf.IFNAME.x=é",
        "net.ipv4.conf.IFNAME.../x=1",
    ],
)
def test_another_kind_of_setting_is_refused_in_dockers_words(setting: str) -> None:
    with pytest.raises(InvalidParameter, match="unrecognised network interface sysctl"):
        sysctls({SYSCTLS: setting})


def test_more_than_a_link_can_remember_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="250 characters"):
        sysctls({SYSCTLS: ",".join(["net.ipv4.conf.IFNAME.log_martians=1"] * 9)})


def test_a_dot_in_an_interfaces_name_is_no_separator() -> None:
    assert setting_path("net.ipv4.conf.IFNAME.mc_forwarding=1", "eth0.7") == (
        "ipv4/conf/eth0.7/mc_forwarding",
        "1",
    )


def test_a_containers_settings_of_eth0_become_its_endpoints() -> None:
    kept, moved = moved_from_container(
        {"net.ipv4.conf.eth0.log_martians": "1", "net.ipv4.ip_forward": "0", "net.ipv4.conf.eth1.x": "1"}
    )

    assert kept == {"net.ipv4.ip_forward": "0", "net.ipv4.conf.eth1.x": "1"}
    assert with_sysctls({SYSCTLS: "a"}, moved) == {SYSCTLS: "a,net.ipv4.conf.IFNAME.log_martians=1"}
    assert with_sysctls({}, "") == {}
