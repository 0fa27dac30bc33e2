"""Waking an interface inside a namespace, the last step of its birth: one that is up has its settings."""

from collections.abc import Iterable
from pathlib import Path

from bridgehead.core.endpoint_options import setting_path
from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.borrowed import BorrowedLink
from bridgehead.core.plan.lan import SubLink
from bridgehead.core.plan.objects import Veth
from bridgehead.host.namespaces.entering import inside
from bridgehead.host.netlink.doors import Doors
from bridgehead.host.netlink.links import change_link

_SETTINGS = Path("/proc/sys/net")


def wake(doors: Doors, link: Veth | SubLink | BorrowedLink, name: str, index: int) -> None:
    """`name` and `index` are those it has inside.

    Raises:
        OSError: the kernel's refusal.
        HostRefused: a setting cannot be had; it is named.
    """
    door = doors.into(link.namespace)
    if link.ipv6:
        door.trust_own_addresses(name)
        door.announce_ipv6(name)
    else:
        door.disable_ipv6(name)
    if link.sysctls:
        inside(link.namespace, lambda: _set(name, link.sysctls))
    mtu = None if isinstance(link, BorrowedLink) else link.mtu
    door.must(change_link(index, mtu=mtu or None, announces=True, up=True))


def _set(interface: str, settings: Iterable[str]) -> None:
    for setting in settings:
        path, value = setting_path(setting, interface)
        try:
            (_SETTINGS / path).write_text(value, encoding="ascii")
        except OSError as error:
            raise HostRefused(f"cannot set {setting} on {interface}: {error.strerror}") from error
