"""How much a container may use, and which devices it may open."""

import re
from collections.abc import Iterable

from bridgehead.core.model.container import Limits
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.oci.config import CPU, BlockIO, Device, DeviceRule, Memory, Pids, Resources

_ANY = -1
_RULE = re.compile(r"([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})")
# Nodes may be made of any device (`mknod` alone harms nobody); only these may be opened.
_OPENABLE = (
    (1, 5),  # zero
    (1, 3),  # null
    (1, 9),  # urandom
    (1, 8),  # random
    (1, 7),  # full
    (5, 0),  # tty
    (5, 1),  # console
    (5, 2),  # ptmx
    (136, _ANY),  # pseudo-terminals
)
_CONFINED = (
    DeviceRule(allow=False, access="rwm"),
    DeviceRule(allow=True, type="c", access="m"),
    DeviceRule(allow=True, type="b", access="m"),
    *(DeviceRule(allow=True, type="c", major=major, minor=minor, access="rwm") for major, minor in _OPENABLE),
)
_UNCONFINED = (DeviceRule(allow=True, access="rwm"),)


def resources(
    limits: Limits, *, privileged: bool, swap_accounting: bool, opened: Iterable[DeviceRule] = ()
) -> Resources:
    """`opened`: devices that this container may open besides."""
    return Resources(
        devices=_UNCONFINED if privileged else (*_CONFINED, *opened),
        memory=_memory(limits, swap_accounting=swap_accounting),
        cpu=_cpu(limits),
        pids=Pids(limits.pids) if limits.pids else None,
        block_io=BlockIO(limits.block_weight) if limits.block_weight else None,
    )


def rule(device: Device, access: str) -> DeviceRule:
    return DeviceRule(allow=True, type=device.type, major=device.major, minor=device.minor, access=access)


def written_rule(text: str) -> DeviceRule:
    """ "c 10:200 rwm", as --device-cgroup-rule has it; a number may be *.

    Raises:
        InvalidParameter: it is none.
    """
    found = _RULE.fullmatch(text)
    if found is None:
        raise InvalidParameter(f"invalid device cgroup rule format: '{text}'")
    kind, major, minor, access = found.groups()
    return DeviceRule(
        allow=True,
        type=kind,
        major=None if major == "*" else int(major),
        minor=None if minor == "*" else int(minor),
        access=access,
    )


def changed_resources(limits: Limits, *, swap_accounting: bool) -> Resources:
    """For a container that runs: what has no limit must say so, or the old one would stay."""
    return Resources(
        memory=_memory(limits, swap_accounting=swap_accounting),
        cpu=_cpu(limits),
        pids=Pids(limits.pids or _ANY),
    )


def shown(devices: Iterable[Device], *, privileged: bool) -> tuple[Device, ...]:
    """Nodes in /dev beyond the few that every runtime makes: the host's own, for the privileged."""
    return tuple(devices) if privileged else ()


def _memory(limits: Limits, *, swap_accounting: bool) -> Memory | None:
    if not limits.memory and not limits.memory_reservation:
        return None
    # As much swap as memory, unless the user said: the kernel's figure counts both together.
    swap = limits.memory_swap or 2 * limits.memory
    return Memory(
        limit=limits.memory or None,
        reservation=limits.memory_reservation or None,
        swap=(swap or None) if swap_accounting and limits.memory else None,
    )


def _cpu(limits: Limits) -> CPU | None:
    cpu = CPU(
        shares=limits.cpu_shares or None,
        quota=limits.cpu_quota or None,
        period=limits.cpu_period or None,
        cpus=limits.cpuset_cpus or None,
        mems=limits.cpuset_mems or None,
    )
    return None if cpu == CPU() else cpu
