"""Which ports of the host are in use, and which may be given to whoever asks for any."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from bridgehead.core.model.addresses import Address
from bridgehead.host.ports.table import entries

_SETTINGS = Path("/proc/sys/net/ipv4")
_DEFAULT_RANGE = (49153, 65535)
_ALL4, _ALL6 = IPv4Address(0), IPv6Address(0)


class KernelPorts:
    """As the calling thread's network namespace has it at the moment of the call."""

    def busy(self) -> set[tuple[str, Address, int]]:
        """(protocol, address, port) of every socket that listens, waits for datagrams, or is connected.

        One at :: may take IPv4 as well, and is told as both.
        """
        found: set[tuple[str, Address, int]] = set()
        for entry in entries():
            found.add((entry.protocol, entry.address, entry.port))
            if entry.address == _ALL6:
                found.add((entry.protocol, _ALL4, entry.port))
        return found

    def port_range(self) -> tuple[int, int]:
        """The first and the last port that the kernel hands out by itself."""
        try:
            first, last = (_SETTINGS / "ip_local_port_range").read_text(encoding="ascii").split()
        except OSError:
            return _DEFAULT_RANGE
        return int(first), int(last)

    def reserved(self) -> frozenset[int]:
        """Ports that an administrator keeps for programs which ask for them by number."""
        try:
            text = (_SETTINGS / "ip_local_reserved_ports").read_text(encoding="ascii").strip()
        except OSError:
            return frozenset()
        ports: set[int] = set()
        for part in filter(None, text.split(",")):
            first, _, last = part.partition("-")
            ports.update(range(int(first), int(last or first) + 1))
        return frozenset(ports)

    def ephemeral(self) -> Sequence[int]:
        """What of the range is not reserved, in ascending order."""
        first, last = self.port_range()
        reserved = self.reserved()
        every = range(first, last + 1)
        return [port for port in every if port not in reserved] if reserved else every

    def everywhere(self) -> tuple[Address, ...]:
        """0.0.0.0, and :: where the host has IPv6."""
        return (_ALL4, _ALL6) if Path("/proc/thread-self/net/if_inet6").exists() else (_ALL4,)
