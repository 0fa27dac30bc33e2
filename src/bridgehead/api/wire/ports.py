"""Ports in Docker's spelling, "80/tcp": exposed by a container, published on the host."""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence

from bridgehead.api.wire.container_body import PortBinding
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.container import Container, PortRequest
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import PortBinding as Bound

_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(\w+))?")
_HOST_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_HIGHEST = 65535
_PROTOCOLS = ("tcp", "udp", "sctp")


def exposed(keys: Iterable[str]) -> tuple[str, ...]:
    """Every port of every key, in order and once."""
    found = {f"{port}/{protocol}": None for key in keys for port, protocol in ports(key)}
    return tuple(found)


def ports(key: str) -> list[tuple[int, str]]:
    """The ports of "80", "80/udp" or "8000-8010/tcp".

    Raises:
        InvalidParameter: it is none of these.
    """
    found = _PORT.fullmatch(key)
    if found is None:
        raise InvalidParameter(f'invalid port specification: "{key}"')
    first, last, protocol = int(found[1]), int(found[2] or found[1]), (found[3] or "tcp").lower()
    if last < first or last > _HIGHEST or protocol not in _PROTOCOLS:
        raise InvalidParameter(f'invalid port specification: "{key}"')
    return [(port, protocol) for port in range(first, last + 1)]


def by_port(container: Container, bindings: Iterable[Bound]) -> dict[str, list[dict[str, str]] | None]:
    """As an inspect shows them: every exposed port, with where it is published, or null."""
    shown: dict[str, list[dict[str, str]] | None] = dict.fromkeys(container.spec.exposed_ports)
    for bound in bindings:
        entry = {"HostIp": str(bound.host), "HostPort": str(bound.host_port or "")}
        key = f"{bound.container_port}/{bound.protocol}"
        shown[key] = [*(shown.get(key) or ()), entry]
    return shown


def listed(container: Container, bindings: Sequence[Bound]) -> list[dict[str, object]]:
    """As a list shows them: one entry a binding, and one for each port that is only exposed."""
    shown: list[dict[str, object]] = []
    bound = {(item.container_port, item.protocol) for item in bindings}
    for key in container.spec.exposed_ports:
        shown += [
            {"PrivatePort": port, "Type": protocol}
            for port, protocol in ports(key)
            if (port, protocol) not in bound
        ]
    shown += [
        {
            "IP": str(item.host),
            "PrivatePort": item.container_port,
            "PublicPort": item.host_port,
            "Type": item.protocol,
        }
        for item in bindings
    ]
    return shown


def published(bindings: Mapping[str, Sequence[PortBinding]]) -> tuple[PortRequest, ...]:
    """A port without any binding is bound to a port of the daemon's choice, as one with an empty binding is.

    Raises:
        InvalidParameter: a port or an address does not parse.
    """
    return tuple(
        PortRequest(protocol, port, _host_address(binding.host_ip), *_host_ports(binding.host_port))
        for key, wanted in bindings.items()
        for port, protocol in _publishable(key)
        for binding in wanted or [PortBinding()]
    )


def _publishable(key: str) -> list[tuple[int, str]]:
    found = ports(key)
    if found[0][0] == 0:
        raise InvalidParameter(f'invalid port specification: "{key}"')
    return found


def _host_address(text: str) -> Address | None:
    """An IPv4 address in IPv6's clothes is one of IPv4."""
    try:
        found = ipaddress.ip_address(text.strip("[]")) if text else None
    except ValueError:
        raise InvalidParameter(f"invalid host address to publish on: {text}") from None
    if not isinstance(found, ipaddress.IPv6Address):
        return found
    if found.is_link_local:
        raise InvalidParameter(
            f"invalid host address to publish on: {text}: link-local addresses stay on their link"
        )
    return found.ipv4_mapped or found


def _host_ports(text: str) -> tuple[int, int]:
    found = _HOST_PORT.fullmatch(text or "0")
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if last < first or last > _HIGHEST:
        raise InvalidParameter(f'invalid port specification: "{text}"')
    return first, last
