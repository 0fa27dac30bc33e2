"""From the body of `POST /containers/{name}/update` to an Update."""

from collections.abc import Mapping
from typing import Any

from bridgehead.api.version import Version
from bridgehead.api.wire.container_body import HostConfig
from bridgehead.api.wire.container_request import limits, restart
from bridgehead.core.model.errors import NotImplementedByDriver
from bridgehead.core.updating import Update

_WITH_PIDS = Version(1, 40)
_ECHOED = (
    "Memory",
    "MemoryReservation",
    "MemorySwap",
    "CpuShares",
    "CpuQuota",
    "CpuPeriod",
    "NanoCpus",
    "CpusetCpus",
)
_UNSUPPORTED = ("BlkioWeight", "CpusetMems", "CpuRealtimePeriod", "CpuRealtimeRuntime", "KernelMemory")


def update(asked: HostConfig, document: Mapping[str, Any], version: Version) -> Update:
    """`document` is the body as it was sent.

    Raises:
        InvalidParameter: a value contradicts another.
        NotImplementedByDriver: a limit that is not kept here.
    """
    for name in _UNSUPPORTED:
        if document.get(name):
            raise NotImplementedByDriver(f"{name} cannot be changed: it is not supported")
    policy = restart(asked) if asked.restart_policy.name else None
    said = document.get("PidsLimit") if version >= _WITH_PIDS else None
    pids = None if said is None else max(0, asked.pids_limit)
    echo = {name: document[name] for name in _ECHOED if document.get(name)}
    if pids is not None:
        echo["PidsLimit"] = pids
    return Update(limits(asked), pids, policy, by_cpus=bool(asked.nano_cpus), echo=echo)
