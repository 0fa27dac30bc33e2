"""The shape of an OCI runtime configuration, as far as we write it. Encode with `msgspec.json`."""

from collections.abc import Mapping

from msgspec import Raw, Struct, field

VERSION = "1.0.2"


class User(Struct, frozen=True, rename="camel", omit_defaults=True):
    # Ids of 0 are written out all the same: a runtime must never have to guess them.
    uid: int
    gid: int
    additional_gids: tuple[int, ...] = ()


class Capabilities(Struct, frozen=True):
    bounding: tuple[str, ...] = ()
    effective: tuple[str, ...] = ()
    permitted: tuple[str, ...] = ()


class Rlimit(Struct, frozen=True):
    type: str
    soft: int
    hard: int


class Process(Struct, frozen=True, rename="camel"):
    args: tuple[str, ...]
    env: tuple[str, ...]
    cwd: str
    user: User
    capabilities: Capabilities
    terminal: bool = False
    no_new_privileges: bool = False
    oom_score_adj: int = 0  # not the daemon's own, which may be favoured
    rlimits: tuple[Rlimit, ...] = ()


class Root(Struct, frozen=True):
    path: str
    readonly: bool = False


class Mount(Struct, frozen=True):
    destination: str
    type: str
    source: str
    options: tuple[str, ...] = ()


class Namespace(Struct, frozen=True, omit_defaults=True):
    type: str
    path: str = ""


class Device(Struct, frozen=True, rename="camel"):
    """`type` is c, b or p, as mknod has it."""

    path: str
    type: str
    major: int
    minor: int
    file_mode: int
    uid: int = 0
    gid: int = 0


class DeviceRule(Struct, frozen=True, omit_defaults=True):
    # `allow` has no default: a rule that denies must say so.
    allow: bool
    access: str = ""
    type: str | None = None
    major: int | None = None
    minor: int | None = None


class Memory(Struct, frozen=True, omit_defaults=True):
    limit: int | None = None
    reservation: int | None = None
    swap: int | None = None


class CPU(Struct, frozen=True, omit_defaults=True):
    shares: int | None = None
    quota: int | None = None
    period: int | None = None
    cpus: str | None = None
    mems: str | None = None


class Pids(Struct, frozen=True):
    limit: int


class BlockIO(Struct, frozen=True):
    weight: int


class Resources(Struct, frozen=True, omit_defaults=True, rename="camel"):
    devices: tuple[DeviceRule, ...] = ()
    memory: Memory | None = None
    cpu: CPU | None = None
    pids: Pids | None = None
    block_io: BlockIO | None = field(default=None, name="blockIO")


class Linux(Struct, frozen=True, rename="camel", omit_defaults=True):
    cgroups_path: str
    namespaces: tuple[Namespace, ...]
    resources: Resources
    devices: tuple[Device, ...] = ()
    sysctl: Mapping[str, str] = {}
    masked_paths: tuple[str, ...] = ()
    readonly_paths: tuple[str, ...] = ()
    rootfs_propagation: str = ""
    seccomp: Raw | None = None


class Config(Struct, frozen=True, rename="camel", omit_defaults=True):
    oci_version: str
    process: Process
    root: Root
    hostname: str
    mounts: tuple[Mount, ...]
    linux: Linux
    domainname: str = ""


class Running(Struct, frozen=True):
    """The part of a container's Config that an exec in it builds on; decode the whole Config into this."""

    process: Process
    root: Root
