"""What is ours of macvlan and ipvlan networks, read from the kernel alone."""

from collections.abc import Iterable, Iterator, Mapping

from bridgehead.core.plan.lan import ParentLink, SubLink
from bridgehead.host.netlink.links import Link
from bridgehead.host.netlink.marks import LINK_GROUP_WITH_IPV6
from bridgehead.host.netlink.sublinks import PARENT_KINDS, SUBLINK_KINDS, read_mode, read_vlan

_OWN_MAC, _SIZE = "mac", "mtu="
_SETTING = "net."


def remembered(link: SubLink) -> str:
    """What its alias holds: the wishes that the kernel could not show again (see `marks`)."""
    words = [_OWN_MAC] if link.mac else []
    words += [f"{_SIZE}{link.mtu}"] if link.mtu else []
    return ",".join([*words, *link.sysctls])


def sub_link(lower: Link | None, inner: Link, namespace: str) -> SubLink:
    """`lower`: what has the index of its lower link in the daemon's own namespace."""
    mode, flag = read_mode(inner.kind, inner.details)
    words = inner.alias.split(",")
    size = next((int(word.removeprefix(_SIZE)) for word in words if _is_size(word)), 0)
    return SubLink(
        kind=inner.kind,
        lower=lower.name if lower and inner.peer_elsewhere else "",
        namespace=namespace,
        name=inner.name,
        mode=mode,
        flag=flag,
        mac=inner.mac if _OWN_MAC in words else "",
        mtu=size,
        ipv6=inner.group == LINK_GROUP_WITH_IPV6,
        sysctls=tuple(word for word in words if word.startswith(_SETTING)),
        whole=inner.up and size in {0, inner.mtu},
    )


def sub_links(host: Mapping[int, Link], ours: Iterable[Link], namespace: str) -> Iterator[SubLink]:
    for inner in ours:
        if inner.kind in SUBLINK_KINDS:
            yield sub_link(host.get(inner.peer), inner, namespace)


def parent_link(link: Link, base: Link | None) -> ParentLink:
    """A vlan is down with its base, and that is nobody's fault."""
    whole = (link.up or (base is not None and not base.up)) and not link.hears_routers
    if link.kind == "vlan":
        return ParentLink(link.name, "vlan", base.name if base else "", read_vlan(link.details), whole)
    return ParentLink(link.name, link.kind, whole=whole)


def parent_links(host: Mapping[int, Link], ours: Iterable[Link]) -> Iterator[ParentLink]:
    for link in ours:
        if link.kind in PARENT_KINDS:
            yield parent_link(link, None if link.peer_elsewhere else host.get(link.peer))


def _is_size(word: str) -> bool:
    """The container may have written whatever it likes."""
    number = word.removeprefix(_SIZE)
    return word.startswith(_SIZE) and number.isascii() and number.isdigit()
