"""Connections through published ports, named by their host side, so that old ones can be cut off."""

from dataclasses import dataclass

from bridgehead.core.model.addresses import Address


@dataclass(frozen=True, slots=True)
class Flow:
    """What is sent to this port of the host. 0.0.0.0 and :: are every address of their family."""

    protocol: str  # tcp | udp | sctp
    address: Address
    port: int
