import ipaddress

import pytest

from bridgehead.core.drivers.bridge_options import parse
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import BridgeOptions, GatewayMode

PREFIX = "com.docker.network."


def options(internal: bool = False, **labels: str) -> BridgeOptions:
    given = {PREFIX + name.replace("__", "."): value for name, value in labels.items()}
    return parse(given, name="br-1", mtu=1500, internal=internal)


def test_without_labels_everything_is_as_docker_has_it() -> None:
    assert BridgeOptions("br-1") == options()


@pytest.mark.parametrize(
    ("labels", "field", "value"),
    [
        ({"bridge__name": "lan0"}, "name", "lan0"),
        ({"bridge__enable_icc": "false"}, "icc", False),
        ({"bridge__enable_ip_masquerade": "0"}, "masquerade", False),
        ({"bridge__inhibit_ipv4": "true"}, "address_on_bridge", False),
        ({"bridge__gateway_mode_ipv4": "routed"}, "mode4", GatewayMode.ROUTED),
        ({"bridge__gateway_mode_ipv6": "nat-unprotected"}, "mode6", GatewayMode.UNPROTECTED),
        ({"bridge__gateway_mode_ipv4": ""}, "mode4", GatewayMode.NAT),
        ({"bridge__host_binding_ipv4": "127.0.0.1"}, "host_binding", ipaddress.ip_address("127.0.0.1")),
        ({"host_ipv4": "192.0.2.1"}, "source4", ipaddress.ip_address("192.0.2.1")),
        ({"host_ipv6": "2001:db8::1"}, "source6", ipaddress.ip_address("2001:db8::1")),
        ({"bridge__trusted_host_interfaces": "eth0:wg0"}, "trusted", ("eth0", "wg0")),
        ({"container_iface_prefix": "net"}, "interface_prefix", "net"),
        ({"driver__mtu": "1400"}, "mtu", 1400),
        ({"driver__mtu": "0"}, "mtu", 1500),
        ({"advertise_addr_nmsgs": "0", "advertise_addr_ms": "2000"}, "name", "br-1"),
        ({"something.nobody.knows": "x"}, "name", "br-1"),
    ],
)
def test_a_label_means_one_thing(labels: dict[str, str], field: str, value: object) -> None:
    assert getattr(options(**labels), field) == value


def test_isolated_is_for_internal_networks() -> None:
    isolated = options(internal=True, bridge__gateway_mode_ipv4="isolated")

    assert isolated.keeps_no_address(4)
    assert not isolated.keeps_no_address(6)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({"bridge__gateway_mode_ipv4": "open"}, "unknown gateway mode open"),
        (
            {"bridge__gateway_mode_ipv6": "isolated"},
            "gateway mode 'isolated' can only be used for an internal network",
        ),
        (
            {"driver__mtu": "abc"},
            f'failed to parse {PREFIX}driver.mtu value: abc (strconv.Atoi: parsing "abc": invalid syntax)',
        ),
        ({"driver__mtu": "-1"}, "invalid MTU number: -1"),
        (
            {"bridge__enable_icc": "perhaps"},
            (
                f"failed to parse {PREFIX}bridge.enable_icc value: perhaps "
                '(strconv.ParseBool: parsing "perhaps": invalid syntax)'
            ),
        ),
        ({"host_ipv4": "here"}, f"failed to parse {PREFIX}host_ipv4 value: here (nil ip)"),
        ({"host_ipv4": "::1"}, f"failed to parse {PREFIX}host_ipv4 value: ::1 (it must be an IPv4 address)"),
        (
            {"bridge__name": "lan+"},
            ("invalid bridge name 'lan+': at most 15 letters, digits and _ . @ + -, without '+' at the end"),
        ),
        (
            {"host_ipv6": "fe80::1%eth0"},
            f"failed to parse {PREFIX}host_ipv6 value: fe80::1%eth0 (it must be an IPv6 address)",
        ),
        (
            {"advertise_addr_nmsgs": "4"},
            f"failed to parse {PREFIX}advertise_addr_nmsgs value: 4 (must be in the range 0 to 3)",
        ),
        (
            {"advertise_addr_ms": "99"},
            f"failed to parse {PREFIX}advertise_addr_ms value: 99 (must be in the range 100 to 2000)",
        ),
        (
            {"container_iface_prefix": "much-too-long-a-prefix"},
            (
                f"failed to parse {PREFIX}container_iface_prefix value: much-too-long-a-prefix "
                "(at most 12 plain characters)"
            ),
        ),
        (
            {"bridge__trusted_host_interfaces": 'eth0:"; drop'},
            (
                f'failed to parse {PREFIX}bridge.trusted_host_interfaces value: eth0:"; drop '
                "('\"; drop' cannot be the name of an interface)"
            ),
        ),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(labels: dict[str, str], sentence: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        options(**labels)

    assert refusal.value.message == sentence
