"""Choosing ports of the host. Nothing is remembered: what is taken is read off the other sandboxes.

Of one address family, a port bound to every address excludes one bound to any, and the other way round.
Source: behaviour.md 2.9.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
    """The ports of the host as its processes leave them; read afresh at each call, in well under 1 ms."""

    def busy(self) -> Collection[tuple[str, Address, int]]:
        """(protocol, address, port) of every socket that listens, or is bound and waits for datagrams."""
        ...

    def ephemeral(self) -> Sequence[int]:
        """Ports that may be given to whoever asks for any, in ascending order."""
        ...

    def everywhere(self) -> tuple[Address, ...]:
        """0.0.0.0, and :: where the host has IPv6."""
        ...


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
    for request in sorted(wanted, key=_order):
        hosts = everywhere if request.host is None else (request.host,)
        port = request.first if _exact(request) else _first_free(request, hosts, ledger, host)
        for address in hosts:
            binding = PortBinding(request.protocol, request.container_port, address, port)
            ledger.enter(binding)
            bindings.append(binding)
    return tuple(bindings)


def _exact(request: PortRequest) -> bool:
    return request.first == request.last != 0


def _order(request: PortRequest) -> tuple[bool, int, int]:
    """Those without a choice go first."""
    return (not _exact(request), request.container_port, _PROTOCOLS.index(request.protocol))


def _first_free(request: PortRequest, hosts: Sequence[Address], ledger: "_Ledger", host: HostPorts) -> int:
    ledger.avoid(host)
    choices: Sequence[int] = range(request.first, request.last + 1)
    if request.first == 0:
        choices = ledger.rotated(request.protocol, host.ephemeral())
    for port in choices:
        if all(ledger.holder(request.protocol, address, port) is None for address in hosts):
            return port
    bounds = f"{min(choices)}-{max(choices)}" if choices else "of the host"
    raise Conflict(f"all ports are allocated: no {request.protocol} port {bounds} is free")


class _Ledger:
    """Who has which port, while one container's are being chosen."""

    def __init__(self, taken: Mapping[PortBinding, str]) -> None:
        self._holders: dict[tuple[str, int], dict[Address, str]] = {}
        self._avoids_host = False
        for binding, name in taken.items():
            self._write(binding.protocol, binding.host, binding.host_port, f"container {name}")

    def avoid(self, host: HostPorts) -> None:
        """What the host's processes use may not be chosen either."""
        if not self._avoids_host:
            self._avoids_host = True
            for protocol, address, port in host.busy():
                if self.holder(protocol, address, port) is None:
                    self._write(protocol, address, port, "a process of the host")

    def holder(self, protocol: str, address: Address, port: int) -> str | None:
        for other, name in self._holders.get((protocol, port), {}).items():
            if other.version == address.version and (
                other == address or other.is_unspecified or address.is_unspecified
            ):
                return name
        return None

    def rotated(self, protocol: str, choices: Sequence[int]) -> Sequence[int]:
        """From after the highest given out, then from the start: what was let go rests for a while."""
        given = [port for kind, port in self._holders if kind == protocol and port in choices]
        if not given:
            return choices
        start = next((index for index, port in enumerate(choices) if port > max(given)), 0)
        return (*choices[start:], *choices[:start])

    def enter(self, binding: PortBinding) -> None:
        holder = self.holder(binding.protocol, binding.host, binding.host_port)
        if holder is not None:
            where = f"[{binding.host}]" if binding.host.version == 6 else str(binding.host)
            raise Conflict(
                f"Bind for {where}:{binding.host_port} failed: port is already allocated (by {holder})"
            )
        self._write(binding.protocol, binding.host, binding.host_port, "the same container")

    def _write(self, protocol: str, address: Address, port: int, name: str) -> None:
        self._holders.setdefault((protocol, port), {})[address] = name
