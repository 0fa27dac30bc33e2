"""Ports in Docker's spelling, "80/tcp": exposed by a container, published on the host."""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence

from bridgehead.api.wire.container_body import PortBinding
from bridgehead.core.exposed import HIGHEST, ports
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.container import Container, PortRequest
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.network import PortBinding as Bound

_HOST_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


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
    if last < first or last > HIGHEST:
        raise InvalidParameter(f'invalid port specification: "{text}"')
    return first, last
