"""`docker update`: a container's limits and restart policy after a change. What is not said stays."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from bridgehead.core.model.container import Container, Limits, RestartPolicy
from bridgehead.core.model.errors import Conflict, InvalidParameter

_LEAST_MEMORY = 6 << 20
_LEAST_PERIOD_US, _LONGEST_PERIOD_US = 1_000, 1_000_000
_UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class Update:
    """`limits`: 0 and '' say nothing. `pids` None likewise, 0: no limit any more. `restart` None: as it is.

    `echo` is what inspect shows of it, by Docker's names.
    """

    limits: Limits = field(default_factory=Limits)
    pids: int | None = None
    restart: RestartPolicy | None = None
    by_cpus: bool = False
    echo: Mapping[str, Any] = field(default_factory=dict)


def updated(container: Container, update: Update) -> Container:
    """
    Raises:
        InvalidParameter, Conflict: a value this container cannot have, beside what it has.
    """
    spec = container.spec
    _check_beside(container, update)
    limits = _merged(spec.limits, update)
    restart = update.restart or spec.restart
    shown = msgspec.json.decode(container.host_config_echo, type=dict[str, Any])
    return replace(
        container,
        spec=replace(spec, limits=limits, restart=restart),
        host_config_echo=msgspec.json.encode({**shown, **update.echo}).decode(),
    )


def restored(container: Container, before: Container) -> Container:
    """`container` as it is now, with the limits and the policy that it had before."""
    spec = replace(container.spec, limits=before.spec.limits, restart=before.spec.restart)
    return replace(container, spec=spec, host_config_echo=before.host_config_echo)


def check(limits: Limits) -> None:
    """
    Raises:
        InvalidParameter: what no kernel takes, or two that exclude each other.
    """
    for name, value in (("memory limit", limits.memory), ("memory reservation", limits.memory_reservation)):
        if value < 0 or 0 < value < _LEAST_MEMORY:
            raise InvalidParameter(f"Minimum {name} allowed is 6MB")
    if limits.memory_swap < _UNLIMITED or 0 < limits.memory_swap < limits.memory:
        raise InvalidParameter("Minimum memoryswap limit should be larger than memory limit, see usage")
    if 0 < limits.memory < limits.memory_reservation:
        raise InvalidParameter(
            "Minimum memory limit can not be less than memory reservation limit, see usage"
        )
    if limits.cpu_shares < 0:
        raise InvalidParameter(f"invalid CPU shares ({limits.cpu_shares}): must not be negative")
    if limits.cpu_period and not _LEAST_PERIOD_US <= limits.cpu_period <= _LONGEST_PERIOD_US:
        raise InvalidParameter(
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"
        )
    if 0 < limits.cpu_quota < _LEAST_PERIOD_US:
        raise InvalidParameter("CPU cfs quota can not be less than 1ms (i.e. 1000)")


def _check_beside(container: Container, update: Update) -> None:
    spec, new = container.spec, update.limits
    now = spec.limits
    if update.restart and update.restart.name not in {"", "no"} and spec.auto_remove:
        raise Conflict("Restart policy cannot be updated because AutoRemove is enabled for the container")
    swap = now.memory_swap or 2 * now.memory
    if new.memory and not new.memory_swap and swap != _UNLIMITED and new.memory > swap:
        raise Conflict(
            "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the "
            "same time"
        )
    if new.memory_swap > 0 and new.memory_swap < (new.memory or now.memory):
        raise InvalidParameter("Minimum memoryswap limit should be larger than memory limit, see usage")
    if (new.cpu_period or new.cpu_quota) and not update.by_cpus and _set_by_cpus(container):
        part = "Period" if new.cpu_period else "Quota"
        raise Conflict(f"Conflicting options: CPU {part} cannot be updated as NanoCPUs has already been set")


def _set_by_cpus(container: Container) -> bool:
    return bool(msgspec.json.decode(container.host_config_echo, type=dict[str, Any]).get("NanoCpus"))


def _merged(now: Limits, update: Update) -> Limits:
    new = update.limits
    # What stood for "twice the memory" still stands for the limit that was meant then.
    swap = new.memory_swap or now.memory_swap or (2 * now.memory if new.memory else 0)
    return replace(
        now,
        memory=new.memory or now.memory,
        memory_reservation=new.memory_reservation or now.memory_reservation,
        memory_swap=swap,
        cpu_shares=new.cpu_shares or now.cpu_shares,
        cpu_quota=new.cpu_quota or now.cpu_quota,
        cpu_period=new.cpu_period or now.cpu_period,
        cpuset_cpus=new.cpuset_cpus or now.cpuset_cpus,
        cpuset_mems=new.cpuset_mems or now.cpuset_mems,
        block_weight=new.block_weight or now.block_weight,
        pids=now.pids if update.pids is None else update.pids,
    )
