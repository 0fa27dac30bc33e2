"""The result of ADD in each version's shape, behind what earlier plugins found."""

import pytest

from bridgehead.cni.namespace import Link, Route, Seen
from bridgehead.cni.results import Address, addresses, dns, result

_INSIDE = Link(number=4, name="eth0", mac="02:00:00:00:00:07", mtu=1500, peer=9)
_HOST = Link(number=9, name="veth1", mac="02:00:00:00:00:99", mtu=1500, peer=4)
_SEEN = Seen(_INSIDE, ("10.1.0.7/16",), (Route("0.0.0.0/0", "10.1.0.1"),), _HOST)
_GIVEN = (Address("10.1.0.7/16", "10.1.0.1"), Address("fd00::7/64", ""))


def test_result_in_the_newest_shape() -> None:
    assert result("1.1.0", "/run/netns/x", _SEEN, _GIVEN, {"nameservers": ["127.0.0.11"]}, {}) == {
        "cniVersion": "1.1.0",
        "interfaces": [
            {"name": "veth1", "mac": "02:00:00:00:00:99", "mtu": 1500},
            {"name": "eth0", "mac": "02:00:00:00:00:07", "mtu": 1500, "sandbox": "/run/netns/x"},
        ],
        "ips": [
            {"address": "10.1.0.7/16", "gateway": "10.1.0.1", "interface": 1},
            {"address": "fd00::7/64", "interface": 1},
        ],
        "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.0.1"}],
        "dns": {"nameservers": ["127.0.0.11"]},
    }


@pytest.mark.parametrize(
    ("version", "family", "mtu"),
    [("0.3.1", "4", None), ("0.4.0", "4", None), ("1.0.0", None, None), ("1.1.0", None, 1500)],
)
def test_fields_that_not_every_version_has(version: str, family: str | None, mtu: int | None) -> None:
    found = result(version, "/run/netns/x", _SEEN, _GIVEN, {}, {})

    assert found["ips"][0].get("version") == family
    assert found["interfaces"][1].get("mtu") == mtu


def test_host_side_that_is_elsewhere_is_left_out() -> None:
    found = result("1.0.0", "/run/netns/x", _SEEN._replace(host=None), _GIVEN, {}, {})

    assert [entry["name"] for entry in found["interfaces"]] == ["eth0"]
    assert {entry["interface"] for entry in found["ips"]} == {0}


def test_what_earlier_plugins_found_stays() -> None:
    previous = {
        "cniVersion": "1.0.0",
        "interfaces": [{"name": "first0", "sandbox": "/run/netns/x"}],
        "ips": [{"address": "192.0.2.1/24", "interface": 0}],
        "routes": [{"dst": "192.0.2.0/24"}],
        "dns": {"nameservers": ["192.0.2.53"]},
        "org.example.extra": 7,
    }

    found = result("1.0.0", "/run/netns/x", _SEEN, _GIVEN, {}, previous)

    assert [entry["name"] for entry in found["interfaces"]] == ["first0", "veth1", "eth0"]
    assert [entry["interface"] for entry in found["ips"]] == [0, 2, 2]
    assert [route["dst"] for route in found["routes"]] == ["192.0.2.0/24", "0.0.0.0/0"]
    assert found["dns"] == {"nameservers": ["192.0.2.53"]}
    assert found["org.example.extra"] == 7


def test_addresses_as_the_daemon_tells_them() -> None:
    settings = {
        "IPAddress": "10.1.0.7",
        "IPPrefixLen": 16,
        "Gateway": "10.1.0.1",
        "GlobalIPv6Address": "fd00::7",
        "GlobalIPv6PrefixLen": 64,
        "IPv6Gateway": "",
    }

    assert addresses(settings) == _GIVEN
    assert addresses({"IPAddress": "", "GlobalIPv6Address": ""}) == ()


def test_name_servers_as_a_resolver_reads_them() -> None:
    text = "# by hand\nnameserver 127.0.0.11\nsearch a.test b.test\noptions ndots:0 edns0\n\nsortlist x\n"

    assert dns(text) == {
        "nameservers": ["127.0.0.11"],
        "search": ["a.test", "b.test"],
        "options": ["ndots:0", "edns0"],
    }
    assert dns("") == {}
