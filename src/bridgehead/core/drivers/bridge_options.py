"""The bridge driver's options: labels on a network, parsed into `BridgeOptions`, refused in Docker's words.

Labels that the driver does not know are kept and mean nothing, as Docker does. Source: behaviour.md 2.4.
"""

import ipaddress
from collections.abc import Mapping

from bridgehead.core.firewall.rules import is_plain
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import BridgeOptions, GatewayMode

_PREFIX = "com.docker.network."
_LONGEST_INTERFACE = 15
_LONGEST_PREFIX = 12  # so that three digits fit behind it
_SMALLEST_MTU, _LARGEST_MTU = 68, 65535
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}
_ANNOUNCEMENTS = {"advertise_addr_nmsgs": range(4), "advertise_addr_ms": range(100, 2001)}


def parse(given: Mapping[str, str], *, name: str, mtu: int, internal: bool) -> BridgeOptions:
    """`name` and `mtu` are what the bridge gets without such a label.

    Raises:
        InvalidParameter: the label, its value, and what is wrong with it.
    """
    modes = {family: _mode(given, family, internal=internal) for family in (4, 6)}
    check_announcements(given)
    return BridgeOptions(
        name=_interface_name(given.get(f"{_PREFIX}bridge.name") or name),
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


def families(given: Mapping[str, str], *, ipv4: bool, ipv6: bool) -> tuple[int, ...]:
    """The address families of a network; labels outweigh what the request says.

    Raises:
        InvalidParameter: none at all, or a label that is no truth value.
    """
    wanted = {4: ipv4, 6: ipv6}
    for family in wanted:
        label = f"{_PREFIX}enable_ipv{family}"
        if label in given:
            if given[label] not in _TRUE | _FALSE:
                raise InvalidParameter(f'driver-opt "{label}" is not a valid bool')
            wanted[family] = given[label] in _TRUE
    chosen = tuple(family for family, is_on in wanted.items() if is_on)
    if not chosen:
        raise InvalidParameter("IPv4 or IPv6 must be enabled")
    return chosen


def _refused(label: str, value: str, why: str) -> InvalidParameter:
    return InvalidParameter(f"failed to parse {label} value: {value} ({why})")


def _mode(given: Mapping[str, str], family: int, *, internal: bool) -> GatewayMode:
    text = given.get(f"{_PREFIX}bridge.gateway_mode_ipv{family}") or GatewayMode.NAT
    try:
        mode = GatewayMode(text)
    except ValueError:
        raise InvalidParameter(f"unknown gateway mode {text}") from None
    if mode is GatewayMode.ISOLATED and not internal:
        raise InvalidParameter("gateway mode 'isolated' can only be used for an internal network")
    return mode


def _flag(given: Mapping[str, str], label: str, *, default: bool) -> bool:
    text = given.get(_PREFIX + label)
    if text is None:
        return default
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise _refused(_PREFIX + label, text, f'strconv.ParseBool: parsing "{text}": invalid syntax')


def size(given: Mapping[str, str]) -> int:
    """The MTU in bytes; 0 where nothing is said.

    Raises:
        InvalidParameter: no link can have it.
    """
    label = f"{_PREFIX}driver.mtu"
    value = _integer(label, given[label]) if label in given else 0
    if value < 0 or value > _LARGEST_MTU or 0 < value < _SMALLEST_MTU:
        raise InvalidParameter(f"invalid MTU number: {value}")
    return value


def check_announcements(given: Mapping[str, str]) -> None:
    """
    Raises:
        InvalidParameter: how often or when addresses are announced is no number, or out of its range.
    """
    for label, allowed in _ANNOUNCEMENTS.items():
        _check_within(given, _PREFIX + label, allowed)


def _check_within(given: Mapping[str, str], label: str, allowed: range) -> None:
    if label in given and _integer(label, given[label]) not in allowed:
        why = f"must be in the range {allowed.start} to {allowed.stop - 1}"
        raise _refused(label, given[label], why)


def _integer(label: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _refused(label, text, f'strconv.Atoi: parsing "{text}": invalid syntax') from None


def _address(given: Mapping[str, str], label: str, family: int) -> Address | None:
    text = given.get(_PREFIX + label)
    if not text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise _refused(_PREFIX + label, text, "nil ip") from None
    if address.version != family or "%" in text:
        raise _refused(_PREFIX + label, text, f"it must be an IPv{family} address")
    return address


def _trusted(given: Mapping[str, str]) -> tuple[str, ...]:
    label = f"{_PREFIX}bridge.trusted_host_interfaces"
    names = tuple(filter(None, given.get(label, "").split(":")))
    for name in names:
        if not is_plain(name):
            raise _refused(label, given[label], f"{name!r} cannot be the name of an interface")
    return names


def interface_prefix(given: Mapping[str, str]) -> str:
    """
    Raises:
        InvalidParameter: no interface can begin like that.
    """
    text = given.get(f"{_PREFIX}container_iface_prefix") or "eth"
    if len(text) > _LONGEST_PREFIX or not is_plain(text):
        raise _refused(
            f"{_PREFIX}container_iface_prefix", text, f"at most {_LONGEST_PREFIX} plain characters"
        )
    return text


def _interface_name(name: str) -> str:
    if not is_plain(name) or name in {".", ".."} or ":" in name:
        raise InvalidParameter(
            f"invalid bridge name {name!r}: at most {_LONGEST_INTERFACE} letters, digits and _ . @ + -, "
            "without '+' at the end"
        )
    return name
