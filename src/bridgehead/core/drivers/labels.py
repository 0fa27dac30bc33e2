"""Options that every built-in driver knows, by Docker's labels: families, size, names, announcements.

Source: behaviour.md 2.4.
"""

from collections.abc import Mapping

from bridgehead.core.firewall.rules import is_plain
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import SMALLEST_IPV6_MTU, Network

PREFIX = "com.docker.network."
TRUE = {"1", "t", "T", "TRUE", "true", "True"}
FALSE = {"0", "f", "F", "FALSE", "false", "False"}
_LONGEST_PREFIX = 12  # so that three digits fit behind it
_SMALLEST_MTU, _LARGEST_MTU = 68, 65535
_ANNOUNCEMENTS = {"advertise_addr_nmsgs": range(4), "advertise_addr_ms": range(100, 2001)}


def families(given: Mapping[str, str], *, ipv4: bool, ipv6: bool) -> tuple[int, ...]:
    """The address families of a network; labels outweigh what the request says.

    Raises:
        InvalidParameter: none at all, or a label that is no truth value.
    """
    wanted = {4: ipv4, 6: ipv6}
    for family in wanted:
        label = f"{PREFIX}enable_ipv{family}"
        if label in given:
            if given[label] not in TRUE | FALSE:
                raise InvalidParameter(f'driver-opt "{label}" is not a valid bool')
            wanted[family] = given[label] in TRUE
    chosen = tuple(family for family, is_on in wanted.items() if is_on)
    if not chosen:
        raise InvalidParameter("IPv4 or IPv6 must be enabled")
    return chosen


def size(given: Mapping[str, str]) -> int:
    """The MTU in bytes; 0 where nothing is said.

    Raises:
        InvalidParameter: no link can have it.
    """
    label = f"{PREFIX}driver.mtu"
    value = _integer(label, given[label]) if label in given else 0
    if value < 0 or value > _LARGEST_MTU or 0 < value < _SMALLEST_MTU:
        raise InvalidParameter(f"invalid MTU number: {value}")
    return value


def check_size(network: Network, mtu: int) -> None:
    """
    Raises:
        InvalidParameter: such links are too small for a network with IPv6.
    """
    if network.ipv6 and mtu < SMALLEST_IPV6_MTU:
        raise InvalidParameter(f"invalid MTU number: {mtu}: IPv6 needs {SMALLEST_IPV6_MTU} at the least")


def check_announcements(given: Mapping[str, str]) -> None:
    """
    Raises:
        InvalidParameter: how often or when addresses are announced is no number, or out of its range.
    """
    for label, allowed in _ANNOUNCEMENTS.items():
        _check_within(given, PREFIX + label, allowed)


def _check_within(given: Mapping[str, str], label: str, allowed: range) -> None:
    if label in given and _integer(label, given[label]) not in allowed:
        why = f"must be in the range {allowed.start} to {allowed.stop - 1}"
        raise refused(label, given[label], why)


def interface_prefix(given: Mapping[str, str]) -> str:
    """
    Raises:
        InvalidParameter: no interface can begin like that.
    """
    text = given.get(f"{PREFIX}container_iface_prefix") or "eth"
    if len(text) > _LONGEST_PREFIX or not is_plain(text):
        raise refused(f"{PREFIX}container_iface_prefix", text, f"at most {_LONGEST_PREFIX} plain characters")
    return text


def refused(label: str, value: str, why: str) -> InvalidParameter:
    return InvalidParameter(f"failed to parse {label} value: {value} ({why})")


def _integer(label: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise refused(label, text, f'strconv.Atoi: parsing "{text}": invalid syntax') from None
