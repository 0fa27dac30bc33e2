"""`--subnet`, `--ip-range`, `--gateway` and `--aux-address`: four lists of words, one list of subnets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from bridgehead.cli.client import Body, CommandFailed

Prefix = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


@dataclass(slots=True)
class _Subnet:
    text: str
    prefix: Prefix | None
    ip_range: str = ""
    gateway: str = ""
    auxiliary: dict[str, str] = field(default_factory=dict)


def subnet_configs(
    subnets: Iterable[str], ranges: Iterable[str], gateways: Iterable[str], auxiliary: Mapping[str, str]
) -> list[Body]:
    """The API's `IPAM.Config`. Text that is no address goes on as it is: the daemon's refusal says more.

    Raises:
        CommandFailed: something belongs to no subnet, or two subnets overlap.
    """
    known = _subnets(subnets)
    ranges, gateways = list(ranges), list(gateways)
    if not known and (ranges or gateways):
        raise CommandFailed("every ip-range or gateway must have a corresponding subnet")
    for text in ranges:
        _owner(known, text.partition("/")[0], f"no matching subnet for range {text}").ip_range = text
    for text in gateways:
        _owner(known, text, f"no matching subnet for gateway {text}").gateway = text
    for name, text in auxiliary.items():
        _owner(known, text, f"no matching subnet for aux-address {text}").auxiliary[name] = text
    return [_config(subnet) for subnet in known]


def _subnets(texts: Iterable[str]) -> list[_Subnet]:
    known: list[_Subnet] = []
    for text in texts:
        prefix = _prefix(text)
        if any(_overlap(prefix, other.prefix) for other in known):
            raise CommandFailed("multiple overlapping subnet configuration is not supported")
        known.append(_Subnet(text, prefix))
    return known


def _overlap(one: Prefix | None, other: Prefix | None) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(one, IPv6Network) and isinstance(other, IPv6Network) and one.overlaps(other)


def _owner(known: Iterable[_Subnet], text: str, missing: str) -> _Subnet:
    subnets = list(known)
    try:
        address = ip_address(text)
    except ValueError:
        address = None
    for subnet in subnets:
        if address is None or subnet.prefix is None or address in subnet.prefix:
            return subnet
    raise CommandFailed(missing)


def _prefix(text: str) -> Prefix | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _config(subnet: _Subnet) -> Body:
    said = {
        "Subnet": subnet.text,
        "IPRange": subnet.ip_range,
        "Gateway": subnet.gateway,
        "AuxiliaryAddresses": subnet.auxiliary,
    }
    return {key: value for key, value in said.items() if value}
