"""What is called what, by network: an index over NameRecords that follows each change by itself.

It is the one mutable value of this room, because it changes with every container that starts and is
rebuilt by nobody: one `put` costs the names of one endpoint, however many others there are.
"""

import ipaddress
from collections.abc import Iterator
from string import ascii_lowercase, ascii_uppercase, hexdigits
from typing import TypeVar

from bridgehead.core.dns.message import LONGEST_LABEL, LONGEST_NAME
from bridgehead.core.plan.names import NameRecord

K = TypeVar("K")
V = TypeVar("V")

_REVERSE_4 = ".in-addr.arpa"
_REVERSE_6 = ".ip6.arpa"
REVERSE = (_REVERSE_4, _REVERSE_6)
"""How the names of addresses end."""

_NIBBLES = 32
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


class Zone:
    def __init__(self) -> None:
        self._records: dict[str, NameRecord] = {}
        # (network id, name) -> endpoint -> addresses; (network id, address) -> endpoint -> name on the wire
        self._names: dict[tuple[str, str], dict[str, tuple[bytes, ...]]] = {}
        self._pointers: dict[tuple[str, bytes], dict[str, bytes]] = {}
        self._network_names: dict[str, dict[str, str]] = {}

    def __iter__(self) -> Iterator[NameRecord]:
        return iter(self._records.values())

    def put(self, record: NameRecord) -> None:
        """Take the record in, in place of an earlier one of the same endpoint.

        Raises:
            ValueError: one of its addresses is none; nothing changed.
        """
        packed = tuple(ipaddress.ip_address(address).packed for address in record.addresses)
        self.drop(record.endpoint)
        self._records[record.endpoint] = record
        self._network_names.setdefault(record.network, {})[record.endpoint] = fold(record.network_name)
        for key in _keys(record):
            self._names.setdefault(key, {})[record.endpoint] = packed
        if pointer := _pointer(record):
            for address in packed:
                self._pointers.setdefault((record.network, address), {})[record.endpoint] = pointer

    def drop(self, endpoint: str) -> None:
        record = self._records.pop(endpoint, None)
        if record is None:
            return
        _forget(self._network_names, record.network, endpoint)
        for key in _keys(record):
            _forget(self._names, key, endpoint)
        for address in record.addresses:
            _forget(self._pointers, (record.network, ipaddress.ip_address(address).packed), endpoint)

    def addresses(self, network: str, name: str) -> tuple[bytes, ...] | None:
        """All addresses under a lower-case name, 4 or 16 bytes each; None: the network has no such name."""
        endpoints = self._names.get((network, name))
        if endpoints is None:
            return None
        return tuple(address for addresses in endpoints.values() for address in addresses)

    def network_name(self, network: str) -> str | None:
        """Its folded name; None while it has no endpoint."""
        return _any(self._network_names.get(network))

    def pointer(self, network: str, address: bytes) -> bytes | None:
        """The name of the endpoint with this address, in wire form."""
        return _any(self._pointers.get((network, address)))


def fold(name: str) -> str:
    """A name as it is compared: letters of the ASCII alphabet have no case, others do (RFC 4343)."""
    return name.translate(_LOWER)


def reverse_address(name: str) -> bytes | None:
    """The address a folded name below in-addr.arpa or ip6.arpa stands for."""
    try:
        if name.endswith(_REVERSE_4):
            parts = name.removesuffix(_REVERSE_4).split(".")
            return ipaddress.IPv4Address(".".join(reversed(parts))).packed
        if name.endswith(_REVERSE_6):
            digits = name.removesuffix(_REVERSE_6).split(".")
            if len(digits) == _NIBBLES and all(len(digit) == 1 and digit in hexdigits for digit in digits):
                return int("".join(reversed(digits)), 16).to_bytes(16, "big")
    except ValueError:
        return None
    return None


def wire_name(name: str) -> bytes | None:
    """A dotted name in wire form; None when DNS cannot carry it."""
    try:
        labels = [label.encode("utf-8", "surrogateescape") for label in name.split(".")]
    except UnicodeEncodeError:
        return None
    if not all(0 < len(label) <= LONGEST_LABEL for label in labels):
        return None
    wire = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    return wire if len(wire) <= LONGEST_NAME else None


def _keys(record: NameRecord) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(map(fold, record.names)):
        yield record.network, name
        yield record.network, f"{name}.{fold(record.network_name)}"


def _pointer(record: NameRecord) -> bytes | None:
    return wire_name(f"{record.names[0]}.{record.network_name}") if record.names else None


def _any(endpoints: dict[str, V] | None) -> V | None:
    return next(iter(endpoints.values())) if endpoints else None


def _forget(index: dict[K, dict[str, V]], key: K, endpoint: str) -> None:
    endpoints = index.get(key)
    if endpoints is not None:
        endpoints.pop(endpoint, None)
        if not endpoints:
            del index[key]
