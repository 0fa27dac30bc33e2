"""What the host uses of the address space: its routes, its own addresses and its name servers; and its names.

Everything is read from /proc and by one ioctl, which follow the daemon's own network namespace.
"""

import array
import fcntl
import ipaddress
import socket
import struct
from collections.abc import Collection, Iterator, Sequence

from bridgehead.core.ipam.subnets import Occupied
from bridgehead.core.model.addresses import Prefix
from bridgehead.host.machine.changes import AddressChanges
from bridgehead.host.machine.surroundings import hostname, hosts_text, read, resolv_conf

# A wider route is a part of the way to everywhere, as a VPN makes it (0.0.0.0/1 and 128.0.0.0/1).
_WIDEST = {4: 8, 6: 16}
_SIOCGIFCONF = 0x8912
_ENTRY_SIZE = 40  # struct ifreq: a name of 16 bytes, then a socket address
_FIRST_ROOM = 64
_REFUSES = 0x200  # RTF_REJECT
_ANY = "00000000"
_LINK_LOCAL = ipaddress.IPv6Network("fe80::/10")


class HostSurroundings:
    """Fits `engine.world.Surroundings`. Reading all routes takes long beside many networks, so that is done
    again only if somebody changed something.
    """

    def __init__(self) -> None:
        self._changes = AddressChanges()
        self._found: tuple[Occupied, ...] | None = None

    def occupied(self, ours: Collection[str]) -> Sequence[Occupied]:
        if self._changes.concern_others(ours) or self._found is None:
            self._found = (*_routes4(ours), *_routes6(ours), *_addresses4(ours), *_addresses6(ours))
        return (*self._found, *_servers())

    def names(self) -> tuple[str, str]:
        return hostname(), hosts_text()

    def close(self) -> None:
        self._changes.close()


def _routes4(ours: Collection[str]) -> Iterator[Occupied]:
    for line in read("/proc/self/net/route").splitlines()[1:]:
        interface, destination, gateway, *_, mask, _, _, _ = line.split()
        if interface in ours:
            continue
        prefix = ipaddress.ip_network((_number4(destination), _number4(mask).bit_count()))
        if prefix.prefixlen >= _WIDEST[4]:
            via = "" if gateway == _ANY else f" via {ipaddress.ip_address(_number4(gateway))}"
            yield Occupied(prefix, f"the route {prefix}{via}{_dev(interface)}")


def _routes6(ours: Collection[str]) -> Iterator[Occupied]:
    for line in read("/proc/self/net/ipv6_route").splitlines():
        destination, length, _, _, gateway, _, _, _, flags, interface = line.split()
        refuses = bool(int(flags, 16) & _REFUSES)
        if interface in ours or (interface == "lo" and not refuses):
            continue
        prefix = ipaddress.IPv6Network((int(destination, 16), int(length, 16)))
        if prefix.prefixlen < _WIDEST[6] or prefix.is_multicast or prefix.subnet_of(_LINK_LOCAL):
            continue
        via = f" via {ipaddress.IPv6Address(int(gateway, 16))}" if int(gateway, 16) else ""
        yield Occupied(prefix, f"the route {prefix}{via}{'' if refuses else _dev(interface)}")


def _dev(interface: str) -> str:
    """A route that refuses has no interface."""
    return "" if interface == "*" else f" dev {interface}"


def _addresses4(ours: Collection[str]) -> Iterator[Occupied]:
    raw = _configuration()
    for at in range(0, len(raw), _ENTRY_SIZE):
        interface = raw[at : at + 16].partition(b"\0")[0].decode(errors="replace").partition(":")[0]
        address = ipaddress.IPv4Address(raw[at + 20 : at + 24])
        if interface not in ours and not address.is_loopback:
            yield Occupied(ipaddress.ip_network(address), f"the address {address} of {interface}")


def _configuration() -> bytes:
    """All IPv4 addresses; the kernel fills what room it is given, so a full answer may be a cut one."""
    room = _FIRST_ROOM * _ENTRY_SIZE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        while True:
            entries = array.array("B", bytes(room))
            where, _ = entries.buffer_info()
            answer = fcntl.ioctl(probe, _SIOCGIFCONF, struct.pack("iP", room, where))
            length: int = struct.unpack("iP", answer)[0]
            if length + _ENTRY_SIZE <= room:
                return entries.tobytes()[:length]
            room *= 4


def _addresses6(ours: Collection[str]) -> Iterator[Occupied]:
    for line in read("/proc/self/net/if_inet6").splitlines():
        text, *_, interface = line.split()
        address = ipaddress.IPv6Address(int(text, 16))
        if interface not in ours and not address.is_loopback and not address.is_link_local:
            yield Occupied(ipaddress.ip_network(address), f"the address {address} of {interface}")


def _servers() -> Iterator[Occupied]:
    for server in resolv_conf().servers:
        address = ipaddress.ip_address(server.partition("%")[0])
        if not address.is_loopback and not address.is_link_local:
            prefix: Prefix = ipaddress.ip_network(address)
            yield Occupied(prefix, f"the name server {address}")


def _number4(text: str) -> int:
    """/proc shows the four bytes as one number of the machine's own order."""
    return int.from_bytes(struct.pack("=I", int(text, 16)), "big")
