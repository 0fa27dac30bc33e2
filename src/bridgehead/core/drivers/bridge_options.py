"""The bridge driver's options: labels on a network, parsed into `BridgeOptions`, refused in Docker's words.

Labels that the driver does not know are kept and mean nothing, as Docker does. Source: behaviour.md 2.4.
"""

import ipaddress
from collections.abc import Mapping

from bridgehead.core.drivers.labels import (
    FALSE,
    PREFIX,
    TRUE,
    check_announcements,
    interface_prefix,
    refused,
    size,
)
from bridgehead.core.firewall.rules import is_plain
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import BridgeOptions, GatewayMode

_LONGEST_INTERFACE = 15


def parse(given: Mapping[str, str], *, name: str, mtu: int, internal: bool) -> BridgeOptions:
    """`name` and `mtu` are what the bridge gets without such a label.

    Raises:
        InvalidParameter: the label, its value, and what is wrong with it.
    """
    modes = {family: _mode(given, family, internal=internal) for family in (4, 6)}
    check_announcements(given)
    return BridgeOptions(
        name=_interface_name(given.get(f"{PREFIX}bridge.name") or name),
        icc=_flag(given, "bridge.enable_icc", default=True),
        masquerade=_flag(given, "bridge.enable_ip_masquerade", default=True),
        mtu=size(given) or mtu,
        interface_prefix=interface_prefix(given),
        address_on_bridge=not _flag(given, "bridge.inhibit_ipv4", default=False),
        mode4=modes[4],
        mode6=modes[6],
        host_binding=_address(given, "bridge.host_binding_ipv4", 4),
        source4=_address(given, "host_ipv4", 4),
        source6=_address(given, "host_ipv6", 6),
        trusted=_trusted(given),
    )


def _mode(given: Mapping[str, str], family: int, *, internal: bool) -> GatewayMode:
    text = given.get(f"{PREFIX}bridge.gateway_mode_ipv{family}") or GatewayMode.NAT
    try:
        mode = GatewayMode(text)
    except ValueError:
        raise InvalidParameter(f"unknown gateway mode {text}") from None
    if mode is GatewayMode.ISOLATED and not internal:
        raise InvalidParameter("gateway mode 'isolated' can only be used for an internal network")
    return mode


def _flag(given: Mapping[str, str], label: str, *, default: bool) -> bool:
    text = given.get(PREFIX + label)
    if text is None:
        return default
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise refused(PREFIX + label, text, f'strconv.ParseBool: parsing "{text}": invalid syntax')


def _address(given: Mapping[str, str], label: str, family: int) -> Address | None:
    text = given.get(PREFIX + label)
    if not text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise refused(PREFIX + label, text, "nil ip") from None
    if address.version != family or "%" in text:
        raise refused(PREFIX + label, text, f"it must be an IPv{family} address")
    return address


def _trusted(given: Mapping[str, str]) -> tuple[str, ...]:
    label = f"{PREFIX}bridge.trusted_host_interfaces"
    names = tuple(filter(None, given.get(label, "").split(":")))
    for name in names:
        if not is_plain(name):
            raise refused(label, given[label], f"{name!r} cannot be the name of an interface")
    return names


def _interface_name(name: str) -> str:
    if not is_plain(name) or name in {".", ".."} or ":" in name:
        raise InvalidParameter(
            f"invalid bridge name {name!r}: at most {_LONGEST_INTERFACE} letters, digits and _ . @ + -, "
            "without '+' at the end"
        )
    return name
