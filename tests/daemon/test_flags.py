"""Every flag and every key: what is read, and what is refused in which words."""

import ipaddress
import json
from pathlib import Path
from typing import Any

import pytest

from bridgehead.core.images.registries import RegistryOptions
from bridgehead.core.ipam.pools import Pool
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.settings import DaemonOptions, DefaultBridge, DnsDefaults, FirewallBackend
from bridgehead.daemon.flags import FLAGS, Settings
from bridgehead.daemon.reading import parse, usage

POOL = Pool(ipaddress.ip_network("10.0.0.0/8"), 24)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "daemon.json"


def test_dockerds_flags_by_their_names() -> None:
    settings = parse(
        "-H unix:///a -H unix:///b --data-root /d --exec-root /e -p /p -D -l warn --group g".split()
    )

    assert (
        Settings(("unix:///a", "unix:///b"), "/d", "/e", "/p", debug=True, log_level="warn", group="g")
        == settings
    )


def test_the_file_has_the_same_keys(file: Path) -> None:
    file.write_text(json.dumps({"hosts": ["unix:///a"], "data-root": "/d", "debug": True}))

    settings = parse(["--config-file", str(file), "--exec-root", "/e"])

    assert Settings(("unix:///a",), "/d", "/e", debug=True) == settings


NETWORKING: tuple[tuple[str, dict[str, Any], DaemonOptions], ...] = (
    (
        "--bip=192.168.100.1/24 --fixed-cidr=192.168.100.128/25",
        {"bip": "192.168.100.1/24", "fixed-cidr": "192.168.100.128/25"},
        DaemonOptions(
            DefaultBridge(
                bip=ipaddress.ip_interface("192.168.100.1/24"),
                fixed_cidr=ipaddress.ip_network("192.168.100.128/25"),
            )
        ),
    ),
    (
        "--ipv6 --bip6=fd00::1/64 --fixed-cidr-v6 fd00::/80 --default-gateway-v6 fd00::9",
        {"ipv6": True, "bip6": "fd00::1/64", "fixed-cidr-v6": "fd00::/80", "default-gateway-v6": "fd00::9"},
        DaemonOptions(
            DefaultBridge(
                bip6=ipaddress.ip_interface("fd00::1/64"),
                fixed_cidr_v6=ipaddress.ip_network("fd00::/80"),
                default_gateway_v6=ipaddress.ip_address("fd00::9"),
                ipv6=True,
            )
        ),
    ),
    ("-b br0", {"bridge": "br0"}, DaemonOptions(DefaultBridge(name="br0"))),
    ("-bbr0", {"bridge": "br0"}, DaemonOptions(DefaultBridge(name="br0"))),
    (
        "--icc=false --ip-masq=false --ip=127.0.0.1 --mtu 1400 --default-gateway=172.17.0.9",
        {"icc": False, "ip-masq": False, "ip": "127.0.0.1", "mtu": 1400, "default-gateway": "172.17.0.9"},
        DaemonOptions(
            DefaultBridge(
                icc=False,
                masquerade=False,
                mtu=1400,
                host_address=ipaddress.ip_address("127.0.0.1"),
                default_gateway=ipaddress.ip_address("172.17.0.9"),
            )
        ),
    ),
    ("--ip=0.0.0.0 --mtu=0 --icc", {"ip": "0.0.0.0", "mtu": 0, "icc": True}, DaemonOptions()),
    (
        "--dns 8.8.8.8 --dns=2001:db8::1 --dns-search corp --dns-search=. --dns-opt ndots:2",
        {"dns": ["8.8.8.8", "2001:db8::1"], "dns-search": ["corp", "."], "dns-opts": ["ndots:2"]},
        DaemonOptions(dns=DnsDefaults(("8.8.8.8", "2001:db8::1"), ("corp", "."), ("ndots:2",))),
    ),
    (
        "--default-address-pool base=10.0.0.0/8,size=24 --default-address-pool=size=24,base=10.0.0.0/8",
        {"default-address-pools": [{"base": "10.0.0.0/8", "size": 24}, {"base": "10.0.0.0/8", "size": 24}]},
        DaemonOptions(pools=(POOL, POOL)),
    ),
    (
        "--insecure-registry reg.example:5000 --insecure-registry 10.1.2.3/8 --registry-mirror https://m.example/",
        {
            "insecure-registries": ["reg.example:5000", "10.1.2.3/8"],
            "registry-mirrors": ["https://m.example/"],
        },
        DaemonOptions(registries=RegistryOptions(("reg.example:5000", "10.0.0.0/8"), ("https://m.example",))),
    ),
    (
        "--default-network-opt bridge=a.b=1 --default-network-opt bridge=c=d=e",
        {"default-network-opts": {"bridge": {"a.b": "1", "c": "d=e"}}},
        DaemonOptions(network_options={"bridge": {"a.b": "1", "c": "d=e"}}),
    ),
    (
        "--iptables=false --ip6tables=0 --ip-forward=F --userland-proxy=false --allow-direct-routing",
        {
            "iptables": False,
            "ip6tables": False,
            "ip-forward": False,
            "userland-proxy": False,
            "allow-direct-routing": True,
        },
        DaemonOptions(
            iptables=False, ip6tables=False, ip_forward=False, userland_proxy=False, direct_routing=True
        ),
    ),
    (
        "--host-gateway-ip 10.1.1.1 --firewall-backend nftables",
        {"host-gateway-ip": "10.1.1.1", "firewall-backend": "nftables"},
        DaemonOptions(
            host_gateway=ipaddress.ip_address("10.1.1.1"), firewall_backend=FirewallBackend.NFTABLES
        ),
    ),
)


@pytest.mark.parametrize(("flags", "keys", "options"), NETWORKING, ids=[item[0] for item in NETWORKING])
def test_networking_alike_as_flag_and_as_key(
    file: Path, flags: str, keys: dict[str, Any], options: DaemonOptions
) -> None:
    file.write_text(json.dumps(keys))

    assert parse(flags.split()).options == options
    assert parse(["--config-file", str(file)]).options == options


def test_every_networking_flag_is_tried_above() -> None:
    tried = " ".join(flags for flags, _, _ in NETWORKING)
    apart = (
        "host data-root exec-root pidfile config-file debug log-level group label plan bridge live-restore "
        "tls tlsverify tlscacert tlscert tlskey"
    )

    untried = [
        flag.name for flag in FLAGS if f"--{flag.name}" not in tried and flag.name not in apart.split()
    ]

    assert untried == []


def test_the_manuals_range_with_host_bits_is_a_network() -> None:
    settings = parse(["--fixed-cidr=172.17.1.1/24"])

    assert settings.options.bridge.fixed_cidr == ipaddress.ip_network("172.17.1.0/24")


def test_switches_share_a_dash_and_the_last_value_counts() -> None:
    settings = parse(["-Dl", "warn", "--icc=false", "--icc"])

    assert (settings.debug, settings.log_level, settings.options.bridge.icc) == (True, "warn", True)


@pytest.mark.parametrize(
    ("content", "flags", "words"),
    [
        ('{"data-root": "/a"}', ["--data-root", "/b"], r"both.*data-root: .from flag: /b, from file: /a."),
        (
            '{"dns": ["1.1.1.1"]}',
            ["--dns", "8.8.8.8"],
            r"dns: .from flag: \[8.8.8.8\], from file: \[1.1.1.1\]",
        ),
        ('{"dns-opts": ["a"]}', ["--dns-opt", "b"], r"dns-opts: .from flag: \[b\], from file: \[a\]."),
        ('{"icc": true}', ["--icc=false"], r"icc: .from flag: false, from file: true."),
        ('{"no-such": 1}', [], "don't match any configuration option: no-such"),
        ('{"plan": true}', [], "don't match any configuration option: plan"),
        ('{"default-address-pool": []}', [], "don't match any configuration option: default-address-pool"),
        ("{", [], "is not JSON"),
        ("[" * 100_000, [], "is not JSON"),
        ("[]", [], "one JSON object"),
        ('{"debug": "yes"}', [], "debug: expected true or false, found 'yes'"),
        ('{"hosts": "unix:///a"}', [], "hosts: expected a list of texts"),
        (
            '{"hosts": ["tcp://0.0.0.0:1"]}',
            [],
            "tcp://0.0.0.0:1: without TLS anybody who can connect is root",
        ),
        ('{"tls": "yes"}', [], "tls: expected true or false, found 'yes'"),
        ('{"tlsverify": true}', ["--tlsverify"], "tlsverify: .from flag: true, from file: true."),
        ('{"data-root": "relative"}', [], "absolute path"),
        ('{"log-level": "loud"}', [], "log-level 'loud'"),
        ('{"bip": "nonsense"}', [], "bip: invalid CIDR address: nonsense"),
        ('{"mtu": "1400"}', [], "mtu: expected a number, found '1400'"),
        ('{"mtu": true}', [], "mtu: expected a number, found True"),
        ('{"default-address-pools": [{"base": "10.0.0.0/8"}]}', [], "default-address-pools: expected a list"),
        (
            '{"default-address-pools": [{"base": "x", "size": 9}]}',
            [],
            "default-address-pools: invalid base pool",
        ),
        ('{"default-network-opts": {"bridge": 1}}', [], "default-network-opts: expected"),
    ],
)
def test_what_makes_no_sense_in_the_file_is_named(
    file: Path, content: str, flags: list[str], words: str
) -> None:
    file.write_text(content)

    with pytest.raises(InvalidParameter, match=words):
        parse(["--config-file", str(file), *flags])


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--nonsense", "unknown flag: --nonsense"),
        ("-x", "unknown shorthand flag: 'x' in -x"),
        ("--bip", "flag needs an argument: --bip"),
        ("-b", "flag needs an argument: 'b' in -b"),
        ("--icc false", "\"bridgehead daemon\" accepts no arguments, but 'false' is one"),
        ("--icc=maybe", 'invalid argument "maybe" for "--icc" flag: strconv.ParseBool: parsing "maybe"'),
        ("--mtu=wide", 'invalid argument "wide" for "--mtu" flag: strconv.ParseInt: parsing "wide"'),
        ("--mtu=10", "invalid mtu 10: it must be between 68 and 65535"),
        ("--mtu=1000 --ipv6", "invalid mtu 1000: with --ipv6 it must be 1280 at the least"),
        ("--bip=nonsense", 'for "--bip" flag: invalid CIDR address: nonsense'),
        ("--bip=10.0.0.1", "invalid IPv4 CIDR address: 10.0.0.1"),
        ("--bip=fd00::1/64", "invalid IPv4 CIDR address: fd00::1/64"),
        ("--ip=nonsense", 'for "--ip" flag: nonsense is not an ip address'),
        ("--dns=nonsense", 'for "--dns" flag: nonsense is not an ip address'),
        ("--dns-search=-x", 'for "--dns-search" flag: -x is not a valid domain'),
        ("--default-gateway=fd00::1", "fd00::1 is not an IPv4 address"),
        ("--label=bare", "bad attribute format: bare"),
        ("--default-address-pool nonsense", "invalid field 'nonsense' must be a key=value pair"),
        ("--default-address-pool base=10.0.0.0/8", "invalid pools size: 0"),
        ("--default-address-pool base=10.0.0.0/16,size=8", "invalid pools size: 8"),
        ("--default-address-pool base=10.0.0.0/16,length=24", "unexpected key 'length'"),
        ("--default-network-opt bridge=x", "it must be driver=key=value"),
        ("--insecure-registry http://x", "insecure registry http://x should not contain '://'"),
        ("--insecure-registry 1.2.3.4/99", "insecure registry 1.2.3.4/99 is not valid: invalid CIDR address"),
        ("--insecure-registry a@b", "insecure registry a@b is not valid: invalid host"),
        ("--registry-mirror m.example", 'invalid mirror: "m.example" is no URL of the form https://host'),
        ("--registry-mirror https://me:pw@m.example", "invalid mirror"),
        ("--firewall-backend pf", "invalid firewall-backend 'pf': it is none of auto, iptables, nftables"),
        ("-b br0 --bip 10.0.0.1/24", "You specified -b & --bip, mutually exclusive options"),
        ("--icc=false --iptables=false", "You specified --iptables=false with --icc=false. ICC=false uses"),
        ("--bip 10.0.0.1/24 --fixed-cidr 10.1.0.0/25", "outside of 10.0.0.0/24, the subnet of --bip"),
    ],
)
def test_what_makes_no_sense_on_the_command_line_is_named(flags: str, words: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        parse(flags.split())

    assert words in refusal.value.message


def test_a_file_that_was_named_must_exist(file: Path) -> None:
    with pytest.raises(InvalidParameter, match="does not exist"):
        parse(["--config-file", str(file)])


def test_a_file_that_is_no_text_is_no_json(file: Path) -> None:
    file.write_bytes(b"\xff\xfe{}")
    with pytest.raises(InvalidParameter, match="is not JSON"):
        parse(["--config-file", str(file)])


def test_help_names_every_flag() -> None:
    assert [flag.name for flag in FLAGS if f"--{flag.name} " not in usage()] == []
