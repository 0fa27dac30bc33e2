"""Choosing ports of the host. Nothing is remembered: what is taken is read off the other sandboxes.

Of one address family, a port bound to every address excludes one bound to any, and the other way round.
Source: behaviour.md 2.9.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bridgehead.core.model.addresses import Address
from bridgehead.core.model.container import PortRequest
from bridgehead.core.model.errors import Conflict
from bridgehead.core.model.network import PortBinding

_PROTOCOLS = ("tcp", "udp", "sctp")


class Relays(StrEnum):
    """Which published ports are carried over by hand: none, those no rule can lead in, or all."""

    NONE = "none"
    WHERE_NEEDED = "where needed"
    ALL = "all"


class HostPorts(Protocol):
    """The ports of the host as its processes leave them; read afresh at each call."""

    def busy(self) -> Collection[tuple[str, Address, int]]:
        """(protocol, address, port) of every socket that listens, or is bound and waits for datagrams."""
        ...

    def ephemeral(self) -> Sequence[int]:
        """Ports that may be given to whoever asks for any, in ascending order."""
        ...

    def everywhere(self) -> tuple[Address, ...]:
        """0.0.0.0, and :: where the host has IPv6."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """The ports of the host as they were when somebody looked. Fits `HostPorts`."""

    in_use: Collection[tuple[str, Address, int]]
    to_give: Sequence[int]
    every: tuple[Address, ...]

    @staticmethod
    def now(host: HostPorts) -> "Seen":
        return Seen(host.busy(), host.ephemeral(), host.everywhere())

    def busy(self) -> Collection[tuple[str, Address, int]]:
        return self.in_use

    def ephemeral(self) -> Sequence[int]:
        return self.to_give

    def everywhere(self) -> tuple[Address, ...]:
        return self.every


def assign(
    wanted: Iterable[PortRequest],
    everywhere: Sequence[Address],
    taken: Mapping[PortBinding, str],
    host: HostPorts,
) -> tuple[PortBinding, ...]:
    """A port of the host for each request: on its own address, or the same number on each of `everywhere`.

    `taken` names the container of each binding that stands. Exact ports are not looked up on the host:
    whoever holds one is found out, and named, when it is bound.

    Raises:
        Conflict: an exact port is another container's, or a range has none left.
    """
    ledger = _Ledger(taken)
    bindings: list[PortBinding] = []
    for request in sorted(dict.fromkeys(wanted), key=_order):
        hosts = everywhere if request.host is None else (request.host,)
        port = request.first if exact(request) else _first_free(request, hosts, ledger, host)
        for address in hosts:
            binding = PortBinding(request.protocol, request.container_port, address, port)
            ledger.enter(binding)
            bindings.append(binding)
    return tuple(bindings)


def exact(request: PortRequest) -> bool:
    """Whether one port alone will do, so that nobody has to look which are free."""
    return request.first == request.last != 0


def _order(request: PortRequest) -> tuple[bool, int, int]:
    """Those without a choice go first."""
    return (not exact(request), request.container_port, _PROTOCOLS.index(request.protocol))


def _first_free(request: PortRequest, hosts: Sequence[Address], ledger: "_Ledger", host: HostPorts) -> int:
    ledger.look_at(host)
    within = range(request.first, request.last + 1) if request.first else ledger.ephemeral
    for port in within if request.first else ledger.in_turn(request.protocol):
        if ledger.free(request.protocol, hosts, port):
            return port
    bounds = f"{within[0]}-{within[-1]}" if within else "of the host"
    raise Conflict(f"all ports are allocated: no {request.protocol} port {bounds} is free")


class _Ledger:
    """Who has which port, while one container's are being chosen."""

    def __init__(self, taken: Mapping[PortBinding, str]) -> None:
        self._holders: dict[tuple[str, int], dict[Address, str]] = {}
        self._busy: dict[tuple[str, int], list[Address]] | None = None
        self._next: dict[str, int] = {}
        self.ephemeral: Sequence[int] = ()
        for binding, name in taken.items():
            self._write(binding, f"container {name}")

    def look_at(self, host: HostPorts) -> None:
        """What the host's processes use may not be chosen either. Once: all is chosen at one moment."""
        if self._busy is None:
            self._busy = {}
            self.ephemeral = host.ephemeral()
            for protocol, address, port in host.busy():
                self._busy.setdefault((protocol, port), []).append(address)

    def free(self, protocol: str, hosts: Sequence[Address], port: int) -> bool:
        used = (*self._holders.get((protocol, port), ()), *(self._busy or {}).get((protocol, port), ()))
        return not any(_meet(host, other) for host in hosts for other in used)

    def in_turn(self, protocol: str) -> Iterator[int]:
        """From after the highest given out, then from the start: what was let go rests for a while."""
        if protocol not in self._next:
            given = (port for kind, port in self._holders if kind == protocol and self._is_ephemeral(port))
            self._next[protocol] = bisect_right(self.ephemeral, max(given, default=-1))
        start, count = self._next[protocol], len(self.ephemeral)
        for place in range(start, start + count):
            self._next[protocol] = place + 1
            yield self.ephemeral[place % count]

    def _is_ephemeral(self, port: int) -> bool:
        place = bisect_right(self.ephemeral, port)
        return place > 0 and self.ephemeral[place - 1] == port

    def enter(self, binding: PortBinding) -> None:
        for other, holder in self._holders.get((binding.protocol, binding.host_port), {}).items():
            if _meet(binding.host, other):
                where = f"[{binding.host}]" if binding.host.version == 6 else str(binding.host)
                raise Conflict(
                    f"Bind for {where}:{binding.host_port} failed: port is already allocated (by {holder})"
                )
        self._write(binding, "the same container")

    def _write(self, binding: PortBinding, holder: str) -> None:
        self._holders.setdefault((binding.protocol, binding.host_port), {})[binding.host] = holder


def _meet(one: Address, other: Address) -> bool:
    """Whether no two sockets can have the same port at both."""
    return one.version == other.version and (one == other or one.is_unspecified or other.is_unspecified)
