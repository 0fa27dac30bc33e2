"""One attachment: what a client asks of it, and what it is shown of it."""

import ipaddress
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct, field

from bridgehead.core.model.addresses import Address, Interface, parse_mac
from bridgehead.core.model.container import Container
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.ids import short
from bridgehead.core.model.network import Endpoint, EndpointWish, Link, Network


class AddressSettings(Struct, rename="pascal"):
    ipv4: str = field(default="", name="IPv4Address")
    ipv6: str = field(default="", name="IPv6Address")
    link_local: list[str] = field(default_factory=list, name="LinkLocalIPs")


class EndpointSettings(Struct, rename="pascal"):
    ipam: AddressSettings = field(default_factory=AddressSettings, name="IPAMConfig")
    links: list[str] = []
    aliases: list[str] = []
    mac_address: str = ""
    driver_opts: dict[str, str] = {}
    gw_priority: int = 0


def wish(settings: EndpointSettings, extra_links: Sequence[str] = ()) -> EndpointWish:
    """
    Raises:
        InvalidParameter: naming everything that is wrong with the addresses, one problem a line.
    """
    problems: list[str] = []
    addresses = [
        *_parsed([settings.ipam.ipv4], "IPv4 address", ipaddress.IPv4Address, problems),
        *_parsed([settings.ipam.ipv6], "IPv6 address", ipaddress.IPv6Address, problems),
    ]
    link_local = _parsed(settings.ipam.link_local, "link-local IP address", ipaddress.ip_address, problems)
    mac = _parsed_mac(settings.mac_address, problems)
    if problems:
        raise InvalidParameter("\n".join(["invalid endpoint settings:", *problems]))
    return EndpointWish(
        addresses=tuple(addresses),
        link_local=tuple(link_local),
        mac=mac,
        aliases=tuple(settings.aliases),
        # The command line says the links of a user's network twice: here, and in the host configuration.
        links=tuple(dict.fromkeys(link(text) for text in (*settings.links, *extra_links))),
        driver_options=settings.driver_opts,
        gateway_priority=settings.gw_priority,
    )


def _parsed(
    texts: Iterable[str], kind: str, parse: Callable[[str], Address], problems: list[str]
) -> list[Address]:
    parsed = []
    for text in texts:
        try:
            parsed += [parse(text)] if text else []
        except ValueError:
            problems.append(f"invalid {kind}: {text}")
    return parsed


def _parsed_mac(text: str, problems: list[str]) -> str | None:
    try:
        return parse_mac(text) if text else None
    except InvalidParameter as error:
        problems.append(error.message)
        return None


def link(text: str) -> Link:
    target, _, alias = text.partition(":")
    if not target:
        raise InvalidParameter(f"bad format for links: {text}")
    # A rendered link (/child:/parent/alias) may come back from a client that read it in an inspect.
    return Link(target=target.removeprefix("/"), alias=alias.rpartition("/")[2] or target.removeprefix("/"))


def show(
    container: Container, wished: EndpointWish, network: Network | None, endpoint: Endpoint | None
) -> dict[str, object]:
    """The entry under NetworkSettings.Networks; without an endpoint only what was asked for."""
    ipv4 = _first(endpoint, 4)
    ipv6 = _first(endpoint, 6)
    return {
        "IPAMConfig": _show_addresses(wished),
        "Links": [f"{link.target}:{link.alias}" for link in wished.links] or None,
        "Aliases": list(wished.aliases) or None,
        "MacAddress": endpoint.mac if endpoint else (wished.mac or ""),
        "DriverOpts": dict(wished.driver_options) or None,
        "GwPriority": wished.gateway_priority,
        "NetworkID": network.id if network else "",
        "EndpointID": endpoint.id if endpoint else "",
        "Gateway": _gateway(network, ipv4),
        "IPAddress": str(ipv4.ip) if ipv4 else "",
        "IPPrefixLen": ipv4.network.prefixlen if ipv4 else 0,
        "IPv6Gateway": _gateway(network, ipv6),
        "GlobalIPv6Address": str(ipv6.ip) if ipv6 else "",
        "GlobalIPv6PrefixLen": ipv6.network.prefixlen if ipv6 else 0,
        "DNSNames": dns_names(container, wished, network),
    }


def dns_names(container: Container, wished: EndpointWish, network: Network | None) -> list[str] | None:
    """The names by which others on the network find this container; none on the predefined networks."""
    if network is None or not network.user_defined:
        return None
    names = (container.name, *wished.aliases, short(container.id), container.spec.hostname)
    return list(dict.fromkeys(name for name in names if name))


def _show_addresses(wished: EndpointWish) -> dict[str, object] | None:
    shown: dict[str, object] = {}
    for address in wished.addresses:
        shown[f"IPv{address.version}Address"] = str(address)
    if wished.link_local:
        shown["LinkLocalIPs"] = [str(address) for address in wished.link_local]
    return shown or None


def _first(endpoint: Endpoint | None, family: int) -> Interface | None:
    if endpoint is None:
        return None
    return next((address for address in endpoint.addresses if address.version == family), None)


def _gateway(network: Network | None, address: Interface | None) -> str:
    if network is None or address is None or network.internal:
        return ""
    for subnet in network.subnets:
        if subnet.gateway is not None and subnet.prefix == address.network:
            return str(subnet.router or subnet.gateway)
    return ""
