"""The kernel's tables of sockets, as the calling thread's network namespace has them."""

import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from bridgehead.core.model.addresses import Address

_FOLDER = "/proc/thread-self/net"
_TABLES = (("tcp", "tcp"), ("tcp", "tcp6"), ("udp", "udp"), ("udp", "udp6"))
# Of connections that are over, or not yet accepted, no process is left or come.
_NOBODYS = frozenset({"03", "06"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One socket that has a port. `inode` is how its process calls it."""

    protocol: str
    address: Address
    port: int
    inode: int
    listening: bool


def entries() -> Iterator[Entry]:
    """Every socket by which a port is in use."""
    for protocol, table in _TABLES:
        try:
            with open(f"{_FOLDER}/{table}", encoding="ascii") as lines:  # noqa: PTH123 - hot
                yield from _parsed(protocol, lines)
        except FileNotFoundError:
            # A kernel without IPv6.
            continue


def _parsed(protocol: str, lines: Iterable[str]) -> Iterator[Entry]:
    known: dict[str, Address] = {}
    for line in lines:
        fields = line.split()
        place, _, port = fields[1].partition(":")
        if not port or fields[0] == "sl" or fields[3] in _NOBODYS:
            continue
        address = known.get(place)
        if address is None:
            address = known[place] = _address(place)
        listening = fields[3] in {"0A", "07"}
        yield Entry(protocol, address, int(port, 16), int(fields[9]), listening)


def _address(text: str) -> Address:
    """Written as the processor keeps it, four bytes at a time."""
    words = (text[start : start + 8] for start in range(0, len(text), 8))
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    return ip_address(socket.inet_ntop(family, packed))
