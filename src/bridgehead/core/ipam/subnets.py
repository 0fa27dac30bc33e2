"""From what a client asked for a network to the network's subnets, checked as Docker checks them."""

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bridgehead.core.ipam.pools import Pool, choose, choose_of_size
from bridgehead.core.model.addresses import Address, Prefix
from bridgehead.core.model.errors import Forbidden, InvalidParameter
from bridgehead.core.model.network import Network, Subnet
from bridgehead.core.model.requests import SubnetRequest

BUILT_IN = frozenset({"default", "null", ""})
_NAMED_AT_MOST = 8


@dataclass(frozen=True, slots=True)
class Occupied:
    """A block the host itself uses; `by` says in words what for."""

    prefix: Prefix
    by: str


@dataclass(frozen=True, slots=True)
class Space:
    """What subnets may not touch: other networks (named in refusals), and what the host itself uses."""

    networks: Sequence[Network]
    occupied: Sequence[Occupied] = ()

    def given(self) -> Iterator[Prefix]:
        return (prefix for _, prefix in self._held())

    def avoid(self) -> Iterator[Prefix]:
        return (item.prefix for item in self.occupied)

    def holder(self, prefix: Prefix) -> tuple[Network, Prefix] | None:
        for network, held in self._held():
            if overlaps(held, prefix):
                return network, held
        return None

    def _held(self) -> Iterator[tuple[Network, Prefix]]:
        """A plugin's pool may be everywhere, which leaves no less room for others."""
        for network in self.networks:
            for subnet in network.subnets:
                if subnet.prefix.prefixlen:
                    yield network, subnet.prefix


def overlaps(one: Prefix, other: Prefix) -> bool:
    if isinstance(one, ipaddress.IPv4Network) and isinstance(other, ipaddress.IPv4Network):
        return one.overlaps(other)
    if isinstance(one, ipaddress.IPv6Network) and isinstance(other, ipaddress.IPv6Network):
        return one.overlaps(other)
    return False


def contains(prefix: Prefix, address: Address) -> bool:
    return prefix.version == address.version and address in prefix


def request(
    wanted: Sequence[SubnetRequest],
    space: Space,
    pools: Sequence[Pool],
    families: Sequence[int] = (4,),
    without_gateway: Collection[int] = (),
) -> tuple[Subnet, ...]:
    """The subnets of a new network: those asked for, and one block from the pools for each family without.

    What is asked for a family that the network does not have is passed over. Families `without_gateway` have
    one only if it was asked for.

    Raises:
        InvalidParameter: malformed, or inconsistent in itself; every fault is named in one message;
            or the pools are spent.
        Forbidden: it overlaps another network, which is named.
    """
    subnets = list(parsed(wanted, families))
    reject_overlap(subnets, space)
    sizes = dict(_sizes(wanted))
    for family in families:
        if not any(subnet.prefix.version == family for subnet in subnets):
            subnets.append(Subnet(_free(pools, family, sizes.get(family), space), None))
    subnets.sort(key=lambda subnet: subnet.prefix.version)
    return tuple(
        subnet if subnet.prefix.version in without_gateway else _with_gateway(subnet) for subnet in subnets
    )


def parsed(wanted: Sequence[SubnetRequest], families: Sequence[int]) -> tuple[Subnet, ...]:
    """What was asked for, as it was asked for.

    Raises:
        InvalidParameter: see `request`.
    """
    faults: list[str] = []
    if any(item.gateway or item.ip_range or item.auxiliary for item in wanted if not _is_definite(item)):
        faults.append("ip-range, gateway and aux-address need a subnet")
    drafts = [_parse(item, faults) for item in wanted if _is_definite(item) and _family(item) in families]
    if faults:
        raise InvalidParameter("\n".join(["invalid network config:", *faults]))
    return tuple(draft for draft in drafts if draft is not None)


def clashes(subnets: Sequence[Subnet], occupied: Sequence[Occupied]) -> list[str]:
    """Sentences on what the host can no longer reach once these subnets are there."""
    return [
        f"subnet {subnet.prefix} overlaps {item.by}: while the network exists, the host cannot reach what "
        "lies behind it at these addresses"
        for subnet in subnets
        for item in occupied
        if overlaps(subnet.prefix, item.prefix)
    ]


def lent_twice(subnets: Sequence[Subnet], occupied: Sequence[Occupied]) -> list[str]:
    """Sentences on addresses that somebody has in the host's own network and that containers may be given."""
    return [
        f"containers may be given {item.prefix.network_address}, which is {item.by}: keep it from them with "
        "--aux-address, or name a free part of the subnet with --ip-range"
        for subnet in subnets
        for item in occupied
        if item.prefix.num_addresses == 1
        and contains(subnet.ip_range or subnet.prefix, item.prefix.network_address)
        and item.prefix.network_address not in {subnet.gateway, *subnet.auxiliary.values()}
    ]


def passed_over(wanted: Sequence[SubnetRequest], families: Sequence[int]) -> list[str]:
    """Sentences on what was asked for a family that the network does not have."""
    return [
        f"subnet {item.subnet} is not used: IPv{_family(item)} is off in this network"
        for item in wanted
        if item.subnet and _family(item) not in families
    ]


def _family(item: SubnetRequest) -> int:
    return 6 if ":" in item.subnet else 4


def _is_definite(item: SubnetRequest) -> bool:
    """Neither nothing, nor 0.0.0.0/N, which is any free block of that size."""
    return bool(item.subnet) and item.subnet.partition("/")[0] not in {"0.0.0.0", "::"}


def _sizes(wanted: Sequence[SubnetRequest]) -> Iterator[tuple[int, int]]:
    """(family, prefix length) of what is wanted at whatever place."""
    for item in wanted:
        if item.subnet and not _is_definite(item):
            size = item.subnet.partition("/")[2]
            if not size.isascii() or not size.isdigit() or len(size) > len("128"):
                raise InvalidParameter(
                    f"invalid network config:\ninvalid subnet {item.subnet}: invalid CIDR block notation"
                )
            yield _family(item), int(size)


def _free(pools: Sequence[Pool], family: int, size: int | None, space: Space) -> Prefix:
    fitting = [pool for pool in pools if pool.base.version == family]
    if not fitting:
        raise InvalidParameter(
            f"there is no predefined IPv{family} pool: name an IPv{family} block with --subnet"
        )
    if size is None:
        found = choose(fitting, tuple(space.given()), tuple(space.avoid()))
    else:
        found = choose_of_size(fitting, size, tuple(space.given()), tuple(space.avoid()))
    if found is None:
        raise InvalidParameter(_spent(family, size, space))
    return found


def _spent(family: int, size: int | None, space: Space) -> str:
    holders = [
        network.name
        for network in space.networks
        if any(subnet.prefix.version == family for subnet in network.subnets)
    ]
    used = [item.by for item in space.occupied if item.prefix.version == family]
    what = "all predefined address pools have been fully subnetted" if size is None else f"no /{size} is free"
    kept_clear = f", and they keep clear of {_some(used)}" if used else ""
    return (
        f"{what}: {len(holders)} networks hold blocks of the pools ({_some(holders)}){kept_clear}; remove "
        "unused networks (docker network prune), name a free block with --subnet, or give the daemon another "
        "--default-address-pool"
    )


def _some(words: Sequence[str]) -> str:
    more = len(words) - _NAMED_AT_MOST
    return ", ".join([*words[:_NAMED_AT_MOST], *([f"and {more} more"] if more > 0 else [])])


def _parse(item: SubnetRequest, faults: list[str]) -> Subnet | None:
    prefix = _prefix(item.subnet, "subnet", faults)
    if prefix is None:
        return None
    if prefix.is_multicast or prefix.is_loopback:
        faults.append(f"invalid subnet {item.subnet}: no container can have such an address")
    ip_range = _range(item.ip_range, prefix, faults) if item.ip_range else None
    gateway = _member(item.gateway, prefix, "gateway", faults) if item.gateway else None
    auxiliary = {
        name: address
        for name, text in item.auxiliary.items()
        if (address := _member(text, prefix, f"auxiliary address {name}:", faults)) is not None
    }
    if gateway is not None and gateway in auxiliary.values():
        faults.append(f"invalid auxiliary address: {gateway} is the gateway")
    return Subnet(prefix, gateway, ip_range, auxiliary)


def _prefix(text: str, what: str, faults: list[str]) -> Prefix | None:
    try:
        loose = ipaddress.ip_network(text, strict=False)
    except ValueError:
        loose = None
    if loose is None or "/" not in text or "%" in text:
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
        address = None
    if address is None or "%" in text:
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


def reject_overlap(subnets: Sequence[Subnet], space: Space) -> None:
    """
    Raises:
        Forbidden: one touches another network, which is named, or another of them.
    """
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
    return replace(subnet, gateway=gateway)


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
