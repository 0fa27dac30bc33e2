"""Doors into network namespaces: a netlink socket and the IPv6 settings of each, opened once and kept.

Entering costs a thread, so an open door is kept while its namespace lives. An open door also keeps the
namespace alive: whoever removes one closes its door first.
"""

import errno
import os
import socket
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from bridgehead.host.namespaces.entering import inside
from bridgehead.host.namespaces.files import identity, lend, make
from bridgehead.host.netlink.codec import Message, Request
from bridgehead.host.netlink.links import LOOPBACK, Link, change_link, get_link, read_link
from bridgehead.host.netlink.route_socket import Reply, RouteSocket

_IPV6_SETTINGS = "/proc/sys/net/ipv6/conf"
_MOST_DOORS = 128  # two descriptors each


class Door:
    """Must be made by a thread that is inside; may be used from any."""

    def __init__(self) -> None:
        raw = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self._socket = RouteSocket(raw)
        # The folder belongs to the namespace it was opened in, so its files can be written from outside.
        self._ipv6_settings = _open_folder(_IPV6_SETTINGS)

    def exchange(self, requests: Sequence[Request]) -> list[Reply]:
        return self._socket.exchange(requests)

    def ask(self, request: Request) -> Message:
        return self._socket.ask(request)

    def must(self, *requests: Request) -> None:
        """Send all in one go; the first refusal is raised."""
        for reply in self._socket.exchange(requests):
            if reply.error is not None:
                raise reply.error

    def dump(self, request: Request) -> list[Message]:
        return self._socket.dump(request)

    def find(self, name: str) -> Link | None:
        return self.find_all([name]).get(name)

    def must_find(self, name: str) -> Link:
        link = self.find(name)
        if link is None:
            raise OSError(errno.ENODEV, f"there is no interface named {name}")
        return link

    def find_all(self, names: Iterable[str]) -> dict[str, Link]:
        """The links of these names that are there."""
        wanted = list(dict.fromkeys(names))
        found: dict[str, Link] = {}
        for name, reply in zip(wanted, self.exchange([get_link(name) for name in wanted]), strict=True):
            if reply.message is not None:
                found[name] = read_link(reply.message)
            elif reply.error is not None and reply.error.errno != errno.ENODEV:
                raise reply.error
        return found

    def disable_ipv6(self, link: str) -> None:
        self._set_ipv6(link, "disable_ipv6", b"1")

    def ignore_routers(self, link: str) -> None:
        """Whoever may send raw packets there, as containers may, could else become the way out for IPv6."""
        self._set_ipv6(link, "accept_ra", b"0")

    def trust_own_addresses(self, link: str) -> None:
        """No waiting until nobody else is known to have an address, be it ours or the kernel's own."""
        self._set_ipv6(link, "accept_dad", b"0")

    def announce_ipv6(self, link: str) -> None:
        """Tell the neighbours once the link is up, so that none goes on asking for a former holder."""
        self._set_ipv6(link, "ndisc_notify", b"1")

    def _set_ipv6(self, link: str, name: str, value: bytes) -> None:
        """Nothing where the kernel has no such settings."""
        if self._ipv6_settings is None:
            return
        try:
            setting = os.open(f"{link}/{name}", os.O_WRONLY | os.O_CLOEXEC, dir_fd=self._ipv6_settings)
        except FileNotFoundError:
            return  # too small for IPv6
        try:
            os.write(setting, value)
        finally:
            os.close(setting)

    def close(self) -> None:
        self._socket.close()
        if self._ipv6_settings is not None:
            os.close(self._ipv6_settings)
            self._ipv6_settings = None


class Doors:
    """`host` leads into the daemon's own namespace, which is '' in keys."""

    def __init__(self) -> None:
        self.host = Door()
        self._open: OrderedDict[str, tuple[int, Door]] = OrderedDict()

    def make(self, path: str) -> None:
        """A new namespace at `path`, with its loopback up; one that is there already is left as it is."""
        if identity(path) is not None:
            return
        self.close(path)
        opened: list[Door] = []
        try:
            make(path, lambda: opened.append(_furnished()))
        except OSError:
            for door in opened:
                door.close()
            raise
        self._keep(path, identity(path) or 0, opened[0])

    def borrow(self, path: str, source: str, inode: int) -> None:
        """Keep at `path` a namespace that somebody else made, and have its loopback up.

        Raises:
            HostRefused: `source` is not, or no longer, the namespace with that inode.
        """
        if identity(path) != inode:
            self.close(path)
            lend(path, source, inode)
        self.into(path).must(change_link(LOOPBACK, up=True))

    def into(self, path: str) -> Door:
        """The door into the namespace kept at `path` now.

        Raises:
            FileNotFoundError: none is kept there.
        """
        if not path:
            return self.host
        inode = identity(path)
        if inode is None:
            raise FileNotFoundError(errno.ENOENT, f"there is no network namespace at {path}")
        if path in self._open:
            known, door = self._open[path]
            if known == inode:
                self._open.move_to_end(path)
                return door
            self.close(path)
        door = inside(path, Door)
        self._keep(path, inode, door)
        return door

    def close(self, path: str) -> None:
        if path in self._open:
            _, door = self._open.pop(path)
            door.close()

    def close_others(self, paths: Iterable[str]) -> None:
        """Close every door but those to `paths`."""
        for path in self._open.keys() - set(paths):
            self.close(path)

    def close_all(self) -> None:
        self.close_others(())
        self.host.close()

    def _keep(self, path: str, inode: int, door: Door) -> None:
        self._open[path] = (inode, door)
        if len(self._open) > _MOST_DOORS:
            self.close(next(iter(self._open)))


def _furnished() -> Door:
    door = Door()
    try:
        door.must(change_link(LOOPBACK, up=True))
    except OSError:
        door.close()
        raise
    return door


def _open_folder(path: str) -> int | None:
    """None where the kernel has no such settings."""
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
