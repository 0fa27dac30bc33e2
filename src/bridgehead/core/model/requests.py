"""What clients ask for, parsed from the wire into values but not yet checked against the state."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridgehead.core.model.confinement import Confinement
from bridgehead.core.model.container import Bind, Limits, PortRequest, RestartPolicy
from bridgehead.core.model.health import HealthCheck
from bridgehead.core.model.network import EndpointWish, Link
from bridgehead.core.model.plugged import SubnetRequest as SubnetRequest  # noqa: PLC0414 - a part of these
from bridgehead.core.model.volume import VolumeMountRequest


@dataclass(frozen=True, slots=True)
class NetworkRequest:
    name: str
    driver: str = "bridge"
    subnets: tuple[SubnetRequest, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    ipam_driver: str = "default"
    ipam_options: Mapping[str, str] | None = None
    internal: bool = False
    attachable: bool = False
    ipv4: bool = True
    ipv6: bool = False
    ingress: bool = False
    scope: str = ""
    config_only: bool = False
    config_from: str = ""


@dataclass(frozen=True, slots=True)
class ContainerRequest:
    """`entrypoint`, `command` and `working_directory` None: the image's own. `name` '': one is made up.

    `kept_paths` are those for which volumes are made up unless something else is mounted there.
    """

    name: str
    image: str
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    environment: tuple[str, ...] = ()
    working_directory: str = ""
    user: str = ""
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    hostname: str = ""
    domainname: str = ""
    network_mode: str = "default"
    networks: Mapping[str, EndpointWish] = field(default_factory=dict)
    mac: str = ""
    binds: tuple[Bind, ...] = ()
    volumes: tuple[VolumeMountRequest, ...] = ()
    volumes_from: tuple[str, ...] = ()
    kept_paths: tuple[str, ...] = ()
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
    extra_hosts: tuple[str, ...] = ()
    exposed_ports: tuple[str, ...] = ()
    published_ports: tuple[PortRequest, ...] = ()
    publish_all: bool = False
    links: tuple[Link, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = ""
    stop_timeout_s: int | None = None
    health: HealthCheck | None = None
    shell: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    config_echo: str = "{}"
    host_config_echo: str = "{}"


@dataclass(frozen=True, slots=True)
class ExecRequest:
    command: tuple[str, ...]
    environment: tuple[str, ...] = ()
    working_directory: str = ""
    user: str = ""
    tty: bool = False
    privileged: bool = False
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    detach_keys: str = ""
