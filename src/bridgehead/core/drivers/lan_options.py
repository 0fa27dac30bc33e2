"""The options of macvlan and ipvlan: the parent, how endpoints share it, and what refuses them.

Source: behaviour.md 1.17, 2.4 and 2.17.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bridgehead.core.drivers import labels
from bridgehead.core.drivers.api import Ground, HostLink
from bridgehead.core.firewall.rules import is_plain
from bridgehead.core.model.errors import Forbidden, InvalidParameter, NotImplementedByDriver
from bridgehead.core.model.network import LanOptions, Network, ParentKind

PARENT = "parent"
KERNEL_OPTIONS = {
    "macvlan": "CONFIG_MACVLAN",
    "ipvlan": "CONFIG_IPVLAN",
    "vlan": "CONFIG_VLAN_8021Q",
    "dummy": "CONFIG_DUMMY",
}
_LARGEST_VLAN = 4094


@dataclass(frozen=True, slots=True)
class Words:
    """What sets one of the two drivers apart; the first of `modes` and of `flags` is the default."""

    driver: str
    dummy: str
    modes: Sequence[str]
    flags: Sequence[str] = ("",)
    shares_mac: bool = False


def parse(words: Words, network: Network, ground: Ground) -> LanOptions:
    """
    Raises:
        InvalidParameter: a word that means nothing, or a parent that cannot be one.
        Forbidden: the parent is taken; the network that has it is named.
        NotImplementedByDriver: the kernel lacks what is needed; its option is named.
    """
    given = network.options
    labels.check_announcements(given)
    mode, flag = _chosen(given, words, "mode", words.modes), _chosen(given, words, "flag", words.flags)
    _require(words.driver, ground)
    parent, kind = _parent(given.get(PARENT, ""), f"{words.dummy}-{network.id[:12]}", words, ground)
    options = LanOptions(
        parent=parent,
        mode=mode,
        parent_kind=kind,
        flag=flag,
        shares_mac=words.shares_mac,
        mtu=labels.size(given),
        interface_prefix=labels.interface_prefix(given),
    )
    _check_size(options, network, ground.links.get(options.base))
    _check_neighbours(words.driver, options, ground.networks)
    return options


def interfaces(given: Mapping[str, str]) -> tuple[str, ...]:
    """The host's interfaces that must be looked at: the parent, and what a VLAN of that name would be on."""
    parent = given.get(PARENT, "")
    return tuple(name for name in dict.fromkeys((parent, parent.rpartition(".")[0])) if is_plain(name))


def needed_kinds(driver: str, given: Mapping[str, str], links: Mapping[str, HostLink]) -> set[str]:
    """What the kernel must be able to make. No more is asked: it might load a module for the answer."""
    parent = given.get(PARENT, "")
    if not parent:
        return {driver, "dummy"}
    return {driver} if parent in links or "." not in parent else {driver, "vlan"}


def lacking(kind: str) -> str:
    return (
        f"the kernel of this host cannot make {kind} links: it needs {KERNEL_OPTIONS[kind]}, built in or "
        "as a module"
    )


def _chosen(given: Mapping[str, str], words: Words, what: str, known: Sequence[str]) -> str:
    value = given.get(f"{words.driver}_{what}") or known[0]
    if value in known:
        return value
    if known == ("",):
        return ""
    named = f"'{known[0]}' mode" if what == "mode" else f"'{known[0]}'"
    raise InvalidParameter(
        f"requested {words.driver} {what} '{value}' is not valid, {named} is the {words.driver} driver "
        f"default; there are {', '.join(known)}"
    )


def _require(kind: str, ground: Ground) -> None:
    if kind not in ground.link_kinds:
        raise NotImplementedByDriver(lacking(kind))


def _parent(name: str, dummy: str, words: Words, ground: Ground) -> tuple[str, ParentKind]:
    if not name:
        _require("dummy", ground)
        return dummy, ParentKind.DUMMY
    if not is_plain(name):
        raise InvalidParameter(
            f"invalid parent interface name {name!r}: at most 15 letters, digits and _ . @ : + -"
        )
    present = ground.links.get(name)
    if present is None:
        _check_vlan(name, words, ground)
        _require("vlan", ground)
        return name, ParentKind.VLAN
    _check_present(present, words)
    return name, ParentKind.VLAN if _made(name, ground.networks) else ParentKind.GIVEN


def _made(name: str, networks: Iterable[Network]) -> bool:
    """Whether it stands because another network asked for that VLAN; then it stays until the last is gone."""
    return any(
        other.lan is not None and other.lan.parent == name and other.lan.parent_kind is ParentKind.VLAN
        for other in networks
    )


def _check_present(link: HostLink, words: Words) -> None:
    if link.loopback:
        raise InvalidParameter(f"loopback interface is not a valid {words.driver} parent link")
    if link.port_of:
        raise InvalidParameter(
            f"{link.name} cannot be a parent interface: it is a port of {link.port_of}, which takes all its "
            f"frames; name {link.port_of} as the parent"
        )


def _check_vlan(name: str, words: Words, ground: Ground) -> None:
    base, dot, number = name.rpartition(".")
    if not dot:
        raise InvalidParameter(f"invalid subinterface vlan name {name}, example formatting is eth0.10")
    if not number.isascii() or not number.isdigit():
        raise InvalidParameter(f"unable to parse a valid vlan id from: {number} (ex. eth0.10 for vlan 10)")
    if not 1 <= int(number) <= _LARGEST_VLAN:
        raise InvalidParameter(f"vlan id must be between 1-4094, received: {int(number)}")
    if base not in ground.links:
        raise InvalidParameter(f"parent interface {base} was not found on the host")
    if ground.links[base].loopback:
        raise InvalidParameter(f"loopback interface is not a valid {words.driver} parent link")


def _check_size(options: LanOptions, network: Network, base: HostLink | None) -> None:
    if not options.mtu:
        return
    labels.check_size(network, options.mtu)
    if base is not None and options.mtu > base.mtu:
        raise InvalidParameter(
            f"invalid MTU number: {options.mtu}: parent interface {base.name} takes {base.mtu} at the most"
        )


def _check_neighbours(driver: str, options: LanOptions, networks: Iterable[Network]) -> None:
    for other in networks:
        if other.lan is None or other.lan.parent != options.parent:
            continue
        if driver == other.driver == "macvlan":
            _check_shared(options, other, other.lan)
            continue
        short = f"{'dm' if other.driver == 'macvlan' else 'di'}-{other.id[:12]}"
        raise Forbidden(
            f"network {short} is already using parent interface {options.parent} (network {other.name}, "
            f"driver {other.driver})"
        )


def _check_shared(options: LanOptions, other: Network, others: LanOptions) -> None:
    """Any number of macvlan networks may share a parent, unless one of them takes it whole."""
    taken = f"macvlan network {other.id} is already using parent interface {options.parent}"
    if options.exclusive:
        raise Forbidden(f"cannot use mode passthru, {taken} (network {other.name})")
    if others.exclusive:
        raise Forbidden(f"{taken} in mode passthru (network {other.name})")
