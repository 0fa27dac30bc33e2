"""From what a client asked for a network to the network's subnets, checked as Docker checks them."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bridgehead.core.ipam.pools import Pool, choose
from bridgehead.core.model.addresses import Address, Prefix
from bridgehead.core.model.errors import Forbidden, InvalidParameter
from bridgehead.core.model.network import Network, Subnet
from bridgehead.core.model.requests import SubnetRequest


@dataclass(frozen=True, slots=True)
class Space:
    """What subnets may not touch: other networks (named in refusals), and the host's routes and servers."""

    networks: Sequence[Network]
    avoid: Sequence[Prefix] = ()

    def taken(self, version: int) -> Iterable[Prefix]:
        yield from (prefix for prefix in self.avoid if prefix.version == version)
        for network in self.networks:
            yield from (subnet.prefix for subnet in network.subnets if subnet.prefix.version == version)

    def holder(self, prefix: Prefix) -> tuple[Network, Prefix] | None:
        for network in self.networks:
            for subnet in network.subnets:
                if overlaps(subnet.prefix, prefix):
                    return network, subnet.prefix
        return None


def overlaps(one: Prefix, other: Prefix) -> bool:
    if isinstance(one, ipaddress.IPv4Network) and isinstance(other, ipaddress.IPv4Network):
        return one.overlaps(other)
    if isinstance(one, ipaddress.IPv6Network) and isinstance(other, ipaddress.IPv6Network):
        return one.overlaps(other)
    return False


def contains(prefix: Prefix, address: Address) -> bool:
    return prefix.version == address.version and address in prefix


def request(
    wanted: Sequence[SubnetRequest], space: Space, pools: Sequence[Pool], families: Sequence[int] = (4,)
) -> tuple[Subnet, ...]:
    """The subnets of a new network: those asked for, and one block from the pools for each family without.

    Raises:
        InvalidParameter: malformed, or inconsistent in itself; every fault is named in one message.
        Forbidden: it overlaps another network, which is named.
    """
    faults: list[str] = []
    drafts = [_parse(item, faults) for item in wanted if item.subnet]
    if faults:
        raise InvalidParameter("\n".join(["invalid network config:", *faults]))
    subnets = [draft for draft in drafts if draft is not None]
    _reject_overlap(subnets, space)
    if any(item.gateway or item.ip_range or item.auxiliary for item in wanted if not item.subnet):
        raise InvalidParameter("invalid network config:\nip-range, gateway and aux-address need a subnet")
    for family in families:
        if not any(subnet.prefix.version == family for subnet in subnets):
            fitting = [pool for pool in pools if pool.base.version == family]
            if not fitting:
                raise InvalidParameter(
                    f"there is no predefined IPv{family} pool: name an IPv{family} block with --subnet"
                )
            subnets.append(Subnet(choose(fitting, space.taken(family)), None))
    subnets.sort(key=lambda subnet: subnet.prefix.version)
    return tuple(_with_gateway(subnet) for subnet in subnets)


def _parse(item: SubnetRequest, faults: list[str]) -> Subnet | None:
    prefix = _prefix(item.subnet, "subnet", faults)
    if prefix is None:
        return None
    ip_range = _range(item.ip_range, prefix, faults) if item.ip_range else None
    gateway = _member(item.gateway, prefix, "gateway", faults) if item.gateway else None
    auxiliary = {
        name: address
        for name, text in item.auxiliary.items()
        if (address := _member(text, prefix, f"auxiliary address {name}:", faults)) is not None
    }
    if gateway is not None and gateway in auxiliary.values():
        faults.append(f"invalid auxiliary address: {gateway} is the gateway")
    return Subnet(prefix, gateway, ip_range, auxiliary, chosen_by_user=True)


def _prefix(text: str, what: str, faults: list[str]) -> Prefix | None:
    try:
        loose = ipaddress.ip_network(text, strict=False)
    except ValueError:
        loose = None
    if loose is None or "/" not in text:
        faults.append(f"invalid {what} {text}: invalid CIDR block notation")
        return None
    if str(loose.network_address) != text.partition("/")[0]:
        given = ipaddress.ip_address(text.partition("/")[0])
        if given != loose.network_address:
            faults.append(f"invalid {what} {text}: it should be {loose}")
            return None
    return loose


def _range(text: str, parent: Prefix, faults: list[str]) -> Prefix | None:
    ip_range = _prefix(text, "ip-range", faults)
    if ip_range is None:
        return None
    if ip_range.version != parent.version:
        faults.append(f"invalid ip-range {text}: parent subnet is an IPv{parent.version} block")
    elif ip_range.prefixlen < parent.prefixlen:
        faults.append(f"invalid ip-range {text}: CIDR block is bigger than its parent subnet {parent}")
    elif not overlaps(ip_range, parent):
        faults.append(f"invalid ip-range {text}: parent subnet {parent} doesn't contain ip-range")
    return ip_range


def _member(text: str, parent: Prefix, what: str, faults: list[str]) -> Address | None:
    try:
        address = ipaddress.ip_address(text.partition("/")[0])
    except ValueError:
        faults.append(f"invalid {what} {text}: invalid address")
        return None
    if not contains(parent, address):
        faults.append(f"invalid {what} {text}: parent subnet {parent} doesn't contain this address")
        return None
    if address in reserved(parent):
        faults.append(f"invalid {what} {text}: it is the network or broadcast address of {parent}")
        return None
    return address


def reserved(prefix: Prefix) -> tuple[Address, ...]:
    """Addresses no host may carry: none in /31 and /32, and no broadcast in IPv6."""
    if prefix.num_addresses <= 2:
        return ()
    if isinstance(prefix, ipaddress.IPv6Network):
        return (prefix.network_address,)
    return (prefix.network_address, prefix.broadcast_address)


def _reject_overlap(subnets: list[Subnet], space: Space) -> None:
    for position, subnet in enumerate(subnets):
        if held := space.holder(subnet.prefix):
            network, prefix = held
            raise Forbidden(
                "invalid pool request: Pool overlaps with other one on this address space: "
                f"{subnet.prefix} overlaps {prefix} of network {network.name}"
            )
        if any(overlaps(subnet.prefix, other.prefix) for other in subnets[:position]):
            raise Forbidden("invalid pool request: Pool overlaps with other one on this address space")


def _with_gateway(subnet: Subnet) -> Subnet:
    if subnet.gateway is not None:
        return subnet
    gateway = first_host(subnet.prefix, subnet.auxiliary.values())
    return Subnet(subnet.prefix, gateway, subnet.ip_range, subnet.auxiliary, subnet.chosen_by_user)


def first_host(prefix: Prefix, taken: Iterable[Address] = ()) -> Address:
    """The lowest address a bridge may have.

    Raises:
        InvalidParameter: there is none.
    """
    blocked = {*reserved(prefix), *taken}
    first = int(prefix.network_address)
    for offset in range(min(prefix.num_addresses, len(blocked) + 2)):
        candidate = type(prefix.network_address)(first + offset)
        if candidate not in blocked:
            return candidate
    raise InvalidParameter(f"invalid network config:\nsubnet {prefix} has no room for a gateway")
