"""The subnets of the default network, from its options, what its bridge has already, and the pools."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bridgehead.core.ipam import subnets
from bridgehead.core.ipam.pools import Pool
from bridgehead.core.model.addresses import Address, Interface, Prefix
from bridgehead.core.model.errors import Conflict, InvalidParameter
from bridgehead.core.model.network import Network, Subnet
from bridgehead.core.settings import DefaultBridge
from bridgehead.core.standing import Standing


@dataclass(frozen=True, slots=True)
class _Wish:
    """One family's options. `whole`: without an own address, `fixed` is the subnet and not a part of it."""

    version: int
    own: Interface | None
    fixed: Prefix | None
    router: Address | None
    whole: bool
    flags: tuple[str, str]


def chosen(
    options: DefaultBridge,
    standing: Standing | None,
    pools: Sequence[Pool],
    others: Sequence[Network],
    occupied: Sequence[subnets.Occupied],
    bridge: str,
) -> tuple[Subnet, ...]:
    """
    Raises:
        InvalidParameter, Conflict: see the message.
    """
    four = _Wish(
        4, options.bip, options.fixed_cidr, options.default_gateway, whole=False, flags=("bip", "fixed-cidr")
    )
    six = _Wish(
        6,
        options.bip6,
        options.fixed_cidr_v6,
        options.default_gateway_v6,
        whole=True,
        flags=("bip6", "fixed-cidr-v6"),
    )
    space = subnets.Space(others, occupied)
    return tuple(
        _subnet(wish, standing, pools, space, bridge) for wish in ((four, six) if options.ipv6 else (four,))
    )


def _subnet(
    wish: _Wish, standing: Standing | None, pools: Sequence[Pool], space: subnets.Space, bridge: str
) -> Subnet:
    present = [item for item in standing.addresses if item.version == wish.version] if standing else []
    address = _address(wish, present, space, bridge)
    bare = _bare(address.network, address.ip) if address else _unaddressed(wish, pools, space)
    _check_free(bare.prefix, space, wish)
    fixed = wish.fixed if wish.fixed != bare.prefix else None
    if fixed is not None and not _within(fixed, bare.prefix):
        raise InvalidParameter(
            f"--{wish.flags[1]}={fixed} is outside of {bare.prefix}, the subnet of {bridge}: "
            f"choose a part of it, or another subnet with --{wish.flags[0]}"
        )
    router = wish.router if wish.router != bare.gateway else None
    label = f"DefaultGatewayIPv{wish.version}"
    if router is not None and not subnets.contains(bare.prefix, router):
        raise InvalidParameter(
            f"auxiliary address: ({label}:{router}) must belong to the master pool: {bare.prefix}"
        )
    auxiliary = {label: router} if router is not None else {}
    return Subnet(bare.prefix, bare.gateway, ip_range=fixed, auxiliary=auxiliary, router=router)


def _address(
    wish: _Wish, present: Sequence[Interface], space: subnets.Space, bridge: str
) -> Interface | None:
    """The bridge's own address, if anything says which."""
    if wish.own is None:
        usable = [item for item in present if space.holder(item.network) is None]
        fitting = [item for item in usable if wish.fixed is None or _within(wish.fixed, item.network)]
        return next(iter(fitting if wish.whole and wish.fixed else (*fitting, *usable)), None)
    if present and wish.own not in present:
        held = " and ".join(map(str, present))
        raise Conflict(
            f"bridge address {held} of {bridge} does not match requested configuration {wish.own} "
            f"(--{wish.flags[0]}): stop the containers on {bridge} and remove it with "
            f"'ip link delete {bridge}', or start without --{wish.flags[0]}"
        )
    if wish.own.ip in subnets.reserved(wish.own.network):
        raise InvalidParameter(
            f"--{wish.flags[0]}={wish.own}: that is the network or broadcast address of {wish.own.network}; "
            f"give the address of {bridge}, as in {wish.own.network[1]}/{wish.own.network.prefixlen}"
        )
    return wish.own


def _unaddressed(wish: _Wish, pools: Sequence[Pool], space: subnets.Space) -> Subnet:
    if wish.whole and wish.fixed is not None:
        return _bare(wish.fixed, subnets.first_host(wish.fixed))
    if wish.fixed is not None and (block := _block_around(wish.fixed, pools)):
        return _bare(block, subnets.first_host(block))
    if not any(pool.base.version == wish.version for pool in pools):
        raise InvalidParameter(
            f"IPv{wish.version} is enabled for the default bridge, but no subnet is configured. Specify an "
            f"IPv{wish.version} subnet using --{wish.flags[1]}"
        )
    return subnets.request((), space, pools, (wish.version,))[0]


def _bare(prefix: Prefix, gateway: Address) -> Subnet:
    return Subnet(prefix, gateway)


def _block_around(fixed: Prefix, pools: Iterable[Pool]) -> Prefix | None:
    """The pools' block that has all of `fixed` in it."""
    for pool in pools:
        if fixed.prefixlen >= pool.size and _within(fixed, pool.base):
            return fixed.supernet(new_prefix=pool.size)
    return None


def _check_free(prefix: Prefix, space: subnets.Space, wish: _Wish) -> None:
    if held := space.holder(prefix):
        network, taken = held
        raise Conflict(
            f"the default network cannot have {prefix}: it overlaps {taken} of network {network.name}. "
            f"Remove that network, or choose another subnet with --{wish.flags[0]}"
        )


def _within(part: Prefix, whole: Prefix) -> bool:
    return (
        part.version == whole.version and part.prefixlen >= whole.prefixlen and subnets.overlaps(part, whole)
    )
