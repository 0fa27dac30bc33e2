"""Container and Image records: what the user asked for, resolved once, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bridgehead.core.model.addresses import Address
from bridgehead.core.model.confinement import Confinement
from bridgehead.core.model.guest import Guest
from bridgehead.core.model.health import Health, HealthCheck
from bridgehead.core.model.ids import ContainerID, ImageID
from bridgehead.core.model.network import EndpointWish, Link
from bridgehead.core.model.volume import VolumeMount


class Status(StrEnum):
    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    EXITED = "exited"

    @property
    def has_process(self) -> bool:
        return self in {Status.RUNNING, Status.PAUSED}

    @property
    def is_alive(self) -> bool:
        """Running, or about to run again by itself."""
        return self.has_process or self is Status.RESTARTING


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    name: str = "no"  # no | always | unless-stopped | on-failure
    maximum: int = 0  # retries for on-failure; 0 is unlimited


@dataclass(frozen=True, slots=True)
class Bind:
    """`create_source`: a folder is made where there is nothing, as `-v` does and `--mount` does not."""

    source: str
    target: str
    read_only: bool = False
    propagation: str = "rprivate"
    create_source: bool = False


@dataclass(frozen=True, slots=True)
class PortRequest:
    """One `-p`: a container's port, wanted on the host.

    `host` None: wherever the network or the daemon says. `first` to `last` are the host ports that will do;
    0 to 0: any.
    """

    protocol: str  # tcp | udp | sctp
    container_port: int
    host: Address | None = None
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """memory bytes (0: none), cpus as quota/period in microseconds, pids (0: none)."""

    memory: int = 0
    memory_reservation: int = 0
    memory_swap: int = 0
    cpu_shares: int = 0
    cpu_quota: int = 0
    cpu_period: int = 0
    cpuset_cpus: str = ""
    pids: int = 0
    cpuset_mems: str = ""
    block_weight: int = 0


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What runs inside, after the image's defaults were merged in."""

    argv: tuple[str, ...]
    environment: tuple[str, ...] = ()
    working_directory: str = "/"
    user: str = ""
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    privileged: bool = False


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    process: ProcessSpec
    hostname: str
    domainname: str = ""
    network_mode: str = "bridge"  # bridge | host | none | container:<id> | a network's name or id
    binds: tuple[Bind, ...] = ()
    volumes: tuple[VolumeMount, ...] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    confinement: Confinement = field(default_factory=Confinement)
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    auto_remove: bool = False
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    read_only_rootfs: bool = False
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()  # "name:address"
    exposed_ports: tuple[str, ...] = ()  # "80/tcp"
    published_ports: tuple[PortRequest, ...] = ()
    publish_all: bool = False
    links: tuple[Link, ...] = ()  # of the old kind, on the default bridge
    sysctls: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "SIGTERM"
    stop_timeout_s: int = 10
    health: HealthCheck | None = None  # with every time said
    shell: tuple[str, ...] = ()  # the image's own, for tests of health; else /bin/sh -c
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def joins(self) -> ContainerID | None:
        """The container whose network it is to have."""
        kind, colon, identifier = self.network_mode.partition(":")
        return ContainerID(identifier) if colon and kind == "container" else None

    @property
    def ipv6_disabled(self) -> bool:
        """Whether the container refuses IPv6 altogether, by its own kernel settings."""
        return self.sysctls.get("net.ipv6.conf.all.disable_ipv6") == "1"


@dataclass(frozen=True, slots=True)
class ContainerState:
    status: Status = Status.CREATED
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    started: str = "0001-01-01T00:00:00Z"
    finished: str = "0001-01-01T00:00:00Z"
    out_of_memory: bool = False
    stopped_by_user: bool = False
    restarts: int = 0
    health: Health | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """`networks` are the wishes by network reference (name, or id as given), kept across stop and start.

    `config_echo` and `host_config_echo` are the client's own JSON objects, shown again by inspect.
    `guest`: no process of ours but a namespace that somebody else made; then there is no image either.
    """

    id: ContainerID
    name: str
    created: str
    image: ImageID
    image_reference: str
    spec: ContainerSpec
    networks: Mapping[str, EndpointWish] = field(default_factory=dict)
    state: ContainerState = field(default_factory=ContainerState)
    config_echo: str = "{}"
    host_config_echo: str = "{}"
    guest: Guest | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """`layers` are diff ids, lowest first; `config` is the image's own JSON, byte for byte."""

    id: ImageID
    layers: tuple[str, ...]
    tags: tuple[str, ...] = ()  # "busybox:latest"
    created: str = ""
    size: int = 0
    config: str = "{}"
    parent: str = ""  # id of the image that a committed one was made on
    digests: tuple[str, ...] = ()  # "busybox@sha256:…": what registries call it
