"""The three networks that always exist: bridge (docker0), host and none; with `--bridge=none` only two.

bridge is a function of the daemon's options, the address pools and what is on the machine already, made anew
at each start. Only its id is kept; and while containers run on it, its bridge and its subnets.

Its address is that of `--bip`, or one that the bridge has, or one from the pools. As the manual of `--bip`
says, that flag does not change a docker0 that has another address: the start is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bridgehead.core.default_subnets import chosen
from bridgehead.core.facts import HostFacts
from bridgehead.core.model.errors import Conflict, InvalidParameter
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import BridgeOptions, Network, Phase, Subnet
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.standing import Standing

DRIVERS: Mapping[str, str] = {"bridge": "bridge", "host": "host", "none": "null"}
DOCKER0 = "docker0"
_WHERE = 'Error creating default "bridge" network'


@dataclass(frozen=True, slots=True)
class Outcome:
    """`warnings`: what the options ask for and cannot have while containers run."""

    snapshot: Snapshot
    warnings: tuple[str, ...] = ()


def established(snapshot: Snapshot, facts: HostFacts, ids: Sequence[NetworkID], created: str) -> Outcome:
    """The snapshot with the three as the options want them. `ids`: three unused ones, for those that lack.

    Raises:
        InvalidParameter, Conflict: the options fit neither each other nor the machine; says what to do.
    """
    for (name, driver), identifier in zip(DRIVERS.items(), ids, strict=True):
        if name != "bridge" and snapshot.network_named(name) is None:
            snapshot = snapshot.put(Network(identifier, name, driver, created, phase=Phase.READY))
    stored = snapshot.network_named("bridge")
    attached = bool(stored and snapshot.network_endpoints(stored.id))
    if facts.options.bridge.absent:
        return _without_bridge(snapshot, stored, attached=attached)
    others = tuple(network for network in snapshot.networks.values() if network is not stored)
    if stored is None:
        return Outcome(snapshot.put(_network(facts, others, ids[0], created)))
    if not attached:
        wanted = _network(facts, others, stored.id, stored.created)
        return Outcome(snapshot if wanted == stored else snapshot.put(wanted))
    return _under_containers(snapshot, facts, others, stored)


def _without_bridge(snapshot: Snapshot, stored: Network | None, *, attached: bool) -> Outcome:
    if stored is None:
        return Outcome(snapshot)
    if attached:
        return Outcome(snapshot, ("--bridge=none: the default network stays while containers run on it",))
    return Outcome(snapshot.drop(stored))


def _under_containers(
    snapshot: Snapshot, facts: HostFacts, others: Sequence[Network], stored: Network
) -> Outcome:
    """Containers run on it: everything may change but where they are plugged in and what they are called."""
    as_it_is = replace(facts, bridge=_as_stored(facts.bridge, stored))
    wanted = _network(as_it_is, others, stored.id, stored.created)
    if differences := _differences(stored, wanted):
        return Outcome(
            snapshot,
            (f"containers run on the default network, which stays as it is: {'; '.join(differences)}",),
        )
    return Outcome(snapshot.put(wanted))


def _as_stored(standing: Standing | None, stored: Network) -> Standing | None:
    """What the bridge must be like, should it have gone away under the containers."""
    bridge = stored.bridge
    if standing is not None or bridge is None or not bridge.managed:
        return standing
    kept = tuple(subnet.address for subnet in stored.subnets if subnet.address is not None)
    return Standing(bridge.name, is_bridge=True, ours=True, own=kept)


def _differences(stored: Network, wanted: Network) -> list[str]:
    found = []
    if stored.bridge and wanted.bridge and stored.bridge.name != wanted.bridge.name:
        found.append(f"it is on {stored.bridge.name}, not {wanted.bridge.name}")
    has, asked = ([str(subnet.address) for subnet in network.subnets] for network in (stored, wanted))
    if has != asked:
        found.append(f"it has {' and '.join(has)}, not {' and '.join(asked)}")
    return found


def _network(facts: HostFacts, others: Sequence[Network], identifier: NetworkID, created: str) -> Network:
    bridge = _bridge(facts, others)
    return Network(
        id=identifier,
        name="bridge",
        driver="bridge",
        created=created,
        subnets=_subnets(facts, others, bridge.name),
        bridge=bridge,
        options=_shown(bridge),
        ipv6=facts.options.bridge.ipv6,
        phase=Phase.READY,
    )


def _subnets(facts: HostFacts, others: Sequence[Network], bridge: str) -> tuple[Subnet, ...]:
    return chosen(facts.options.bridge, facts.bridge, facts.pools, others, facts.occupied, bridge)


def _bridge(facts: HostFacts, others: Sequence[Network]) -> BridgeOptions:
    options, standing = facts.options.bridge, facts.bridge
    name = options.name or DOCKER0
    _check_standing(name, standing, facts.rival)
    for other in others:
        if other.bridge is not None and other.bridge.name == name:
            raise Conflict(f"{_WHERE}: {name} is the bridge of network {other.name}; name another one")
    return BridgeOptions(
        name=name,
        icc=options.icc,
        masquerade=options.masquerade and facts.options.iptables,
        mtu=options.mtu or facts.mtu,
        is_default=True,
        managed=standing is None or standing.ours,
        host_binding=options.host_address,
        standing=tuple(address.ip for address in standing.foreign) if standing else (),
    )


def _check_standing(name: str, standing: Standing | None, rival: str) -> None:
    if standing is None:
        if name != DOCKER0:
            raise InvalidParameter(
                f"{_WHERE}: bridge device with non default name {name} must be created manually"
            )
        return
    if not standing.is_bridge:
        raise Conflict(f"{_WHERE}: existing interface {name} is not a bridge")
    users = [rival] if rival else list(standing.ports)
    if name == DOCKER0 and not standing.ours and users:
        raise Conflict(
            f"{_WHERE}: {name} is used by {', '.join(users)}, and two would give the same addresses out. "
            "Stop the other, or choose a bridge of your own with --bridge (none: no default network)"
        )


def _shown(bridge: BridgeOptions) -> Mapping[str, str]:
    return {
        "com.docker.network.bridge.default_bridge": "true",
        "com.docker.network.bridge.enable_icc": _word(bridge.icc),
        "com.docker.network.bridge.enable_ip_masquerade": _word(bridge.masquerade),
        "com.docker.network.bridge.host_binding_ipv4": str(bridge.host_binding or "0.0.0.0"),
        "com.docker.network.bridge.name": bridge.name,
        "com.docker.network.driver.mtu": str(bridge.mtu),
    }


def _word(value: bool) -> str:
    return "true" if value else "false"
