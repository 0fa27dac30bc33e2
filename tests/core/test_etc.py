import ipaddress
from dataclasses import replace

import pytest

from bridgehead.core import etc
from bridgehead.core.model.container import ContainerSpec, ProcessSpec


def spec(**words: object) -> ContainerSpec:
    return ContainerSpec(ProcessSpec(("sh",)), **{"hostname": "h1", **words})  # type: ignore[arg-type]


HOST = etc.parse_resolv_conf(
    "# made by hand\nnameserver 10.0.0.1 # first\nnameserver 127.0.0.53\n"
    "search a.example b.example\noptions timeout:3\n"
)


def test_a_hosts_settings_are_read() -> None:
    expected = etc.ResolvConf(("10.0.0.1", "127.0.0.53"), ("a.example", "b.example"), ("timeout:3",))

    assert expected == replace(HOST, text="")


def test_a_hosts_file_that_serves_as_it_is_stays_as_it_is() -> None:
    text = "# by hand\nnameserver 10.0.0.1\nsearch a.example\n"

    assert text == etc.resolv_conf(etc.parse_resolv_conf(text), embedded=False)


def test_a_sandbox_with_names_asks_the_embedded_resolver() -> None:
    text = etc.resolv_conf(HOST, embedded=True)

    assert text == "search a.example b.example\nnameserver 127.0.0.11\noptions timeout:3 ndots:0\n"


def test_a_users_ndots_is_kept() -> None:
    settings = etc.overridden(HOST, spec(dns_options=("ndots:3",)))

    assert "options ndots:3\n" in etc.resolv_conf(settings, embedded=True)


def test_loopback_servers_mean_nothing_inside() -> None:
    assert "nameserver 10.0.0.1\n" in etc.resolv_conf(HOST, embedded=False)
    assert "127.0.0.53" not in etc.resolv_conf(HOST, embedded=False)


def test_without_any_server_public_ones_are_asked() -> None:
    text = etc.resolv_conf(etc.ResolvConf(("::1",)), embedded=False)

    assert text == "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"


@pytest.mark.parametrize(
    ("ipv6", "servers"),
    [
        (False, "nameserver 10.0.0.1\n"),
        (True, "nameserver fd00::53\nnameserver 10.0.0.1\n"),
    ],
)
def test_servers_of_a_family_that_the_container_lacks_are_left_out(*, ipv6: bool, servers: str) -> None:
    host = etc.parse_resolv_conf("nameserver fd00::53\nnameserver 10.0.0.1\n")

    assert servers == etc.resolv_conf(host, embedded=False, ipv6=ipv6)


def test_a_users_own_server_is_asked_whatever_it_is() -> None:
    settings = etc.overridden(HOST, spec(dns=("127.0.0.1", "fd00::53")))

    assert "nameserver 127.0.0.1\nnameserver fd00::53\n" in etc.resolv_conf(settings, embedded=False)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"dns": ("1.1.1.1",)}, etc.ResolvConf(("1.1.1.1",), HOST.search, HOST.options, chosen=True)),
        ({"dns_search": (".",)}, etc.ResolvConf(HOST.servers, (), HOST.options)),
        ({"dns_search": ("x",)}, etc.ResolvConf(HOST.servers, ("x",), HOST.options)),
    ],
)
def test_each_kind_is_overridden_by_itself(
    words: dict[str, tuple[str, ...]], expected: etc.ResolvConf
) -> None:
    assert expected == etc.overridden(HOST, spec(**words))


@pytest.mark.parametrize(
    ("words", "last"),
    [
        ({}, "172.18.0.2\th1\n"),
        ({"domainname": "d.com"}, "172.18.0.2\th1.d.com h1\n"),
        ({"hostname": "h1.d.com"}, "172.18.0.2\th1.d.com h1\n"),
        ({"extra_hosts": ("db:10.0.0.7",)}, "10.0.0.7\tdb\n172.18.0.2\th1\n"),
        ({"extra_hosts": ("up:host-gateway",)}, "172.17.0.1\tup\nfd00::1\tup\n172.18.0.2\th1\n"),
    ],
)
def test_hosts_ends_with_what_is_its_own(words: dict[str, object], last: str) -> None:
    gateways = [ipaddress.ip_address("172.17.0.1"), ipaddress.ip_address("fd00::1")]

    text = etc.hosts(spec(**words), [ipaddress.ip_address("172.18.0.2")], gateways)

    assert text.startswith("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n")
    assert text.endswith(f"ff02::2\tip6-allrouters\n{last}")


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (("ndots:1",), True),
        (("timeout:1", "ndots:12"), True),
        (("ndots:0",), False),
        (("ndots:x",), False),
        ((), False),
    ],
)
def test_ndots_counts_as_chosen_when_it_is_above_zero(options: tuple[str, ...], *, chosen: bool) -> None:
    settings = etc.overridden(etc.ResolvConf(("10.0.0.1",)), spec(dns_options=options))

    assert etc.searches_short_names(settings) is chosen
