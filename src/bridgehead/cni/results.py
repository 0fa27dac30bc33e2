"""What a successful ADD tells: interfaces, addresses, routes, DNS; behind what other plugins found."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bridgehead.cni.namespace import Seen
from bridgehead.cni.request import VERSIONS
from bridgehead.cni.sandboxes import Record

Result = Mapping[str, Any]


class Address(NamedTuple):
    """`address` with its prefix length; `gateway` may be empty."""

    address: str
    gateway: str


def addresses(settings: Record) -> tuple[Address, ...]:
    """Those the daemon gave an attachment, as the API shows them."""
    found = []
    if settings.get("IPAddress"):
        found.append(
            Address(f"{settings['IPAddress']}/{settings['IPPrefixLen']}", settings.get("Gateway", ""))
        )
    if settings.get("GlobalIPv6Address"):
        address = f"{settings['GlobalIPv6Address']}/{settings['GlobalIPv6PrefixLen']}"
        found.append(Address(address, settings.get("IPv6Gateway", "")))
    return tuple(found)


def result(
    version: str, netns: str, seen: Seen, given: Sequence[Address], dns: Result, previous: Result
) -> Result:
    """`previous` is a prevResult, of the same version, or empty."""
    interfaces = [*(previous.get("interfaces") or []), *_interfaces(version, netns, seen)]
    ips = [*(previous.get("ips") or []), *(_ip(version, address, len(interfaces) - 1) for address in given)]
    routes = [
        *(previous.get("routes") or []),
        *({"dst": route.destination, "gw": route.gateway} for route in seen.routes),
    ]
    return {
        **previous,
        "cniVersion": version,
        "interfaces": interfaces,
        "ips": ips,
        "routes": routes,
        "dns": dns or previous.get("dns") or {},
    }


def _interfaces(version: str, netns: str, seen: Seen) -> list[dict[str, Any]]:
    """The host's side first, when it is known; the container's last."""
    tells_mtu = VERSIONS.index(version) >= VERSIONS.index("1.1.0")
    links = [seen.link] if seen.host is None else [seen.host, seen.link]
    entries: list[dict[str, Any]] = [{"name": link.name, "mac": link.mac} for link in links]
    if tells_mtu:
        entries = [{**entry, "mtu": link.mtu} for entry, link in zip(entries, links, strict=True)]
    entries[-1]["sandbox"] = netns
    return entries


def _ip(version: str, given: Address, interface: int) -> Result:
    entry: dict[str, Any] = {"address": given.address, "interface": interface}
    if given.gateway:
        entry["gateway"] = given.gateway
    if VERSIONS.index(version) < VERSIONS.index("1.0.0"):
        entry["version"] = "6" if ":" in given.address else "4"
    return entry


def dns(resolv_conf: str) -> Result:
    """A resolver's configuration in CNI's words."""
    found: dict[str, list[str]] = {"nameservers": [], "search": [], "options": []}
    for line in resolv_conf.splitlines():
        match line.split():
            case ["nameserver", server, *_]:
                found["nameservers"].append(server)
            case ["search", *domains]:
                found["search"] = domains
            case ["options", *options]:
                found["options"] += options
            case _:
                pass
    return {key: values for key, values in found.items() if values}
