"""An endpoint's ports, as they stand in the `Options` of four questions."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from bridgehead.core.remote import words
from bridgehead.core.remote.words import wire_name


class TransportPort(Struct, frozen=True, kw_only=True, rename=wire_name):
    """`proto` is IP's number: 6 tcp, 17 udp, 132 sctp."""

    proto: int
    port: int


class PortBinding(Struct, frozen=True, kw_only=True, rename=wire_name):
    """A port published on the host; texts are "" where nothing is said, `host_port` is 0 for any."""

    proto: int
    ip: str = ""
    port: int
    host_ip: str = ""
    host_port: int = 0
    host_port_end: int = 0


def exposed_ports(options: Mapping[str, Any]) -> tuple[TransportPort, ...]:
    """
    Raises:
        ValueError: there is something else in its place.
    """
    return msgspec.convert(options.get(words.EXPOSED_PORTS) or (), tuple[TransportPort, ...])


def port_map(options: Mapping[str, Any]) -> tuple[PortBinding, ...]:
    return msgspec.convert(options.get(words.PORT_MAP) or (), tuple[PortBinding, ...])
