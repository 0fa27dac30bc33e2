"""How far a container is shut in, beyond its network and its limits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ulimit:
    """`name` as setrlimit(2) has it, in small letters and without RLIMIT_; -1 is no limit."""

    name: str
    soft: int
    hard: int


@dataclass(frozen=True, slots=True)
class DeviceWish:
    """A device node of the host, or all in a folder; `access` of r, w and m."""

    source: str
    target: str
    access: str = "rwm"


@dataclass(frozen=True, slots=True)
class Confinement:
    """`pid`: empty for its own, host, or container:<id>. `ipc`, `uts`: empty for its own, or host.

    `shm_size` in bytes, 0: Docker's 64 MiB. `device_rules` as the kernel writes them: "c 10:200 rwm".
    """

    init: bool = False
    pid: str = ""
    ipc: str = ""
    uts: str = ""
    shm_size: int = 0
    ulimits: tuple[Ulimit, ...] = ()
    devices: tuple[DeviceWish, ...] = ()
    device_rules: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    oom_score_adjustment: int = 0
    no_new_privileges: bool = False
    all_system_calls: bool = False
    all_system_paths: bool = False
