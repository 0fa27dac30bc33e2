"""The bodies of `POST /containers/create` and of exec, as clients write them."""

from typing import Annotated

from msgspec import Meta, Struct, field

from bridgehead.api.wire.endpoint import EndpointSettings
from bridgehead.core.images.healthcheck import HealthcheckObject

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Words = str | list[str]  # one text is a list of one


class PortBinding(Struct, rename="pascal"):
    host_ip: str = ""
    host_port: str = ""


class RestartPolicyBody(Struct, rename="pascal"):
    name: str = ""
    maximum_retry_count: Int64 = 0


class BindOptions(Struct, rename="pascal"):
    propagation: str = ""
    create_mountpoint: bool = False


class TmpfsOptions(Struct, rename="pascal"):
    size_bytes: Int64 = 0
    mode: Int64 = 0


class VolumeDriver(Struct, rename="pascal"):
    name: str = ""
    options: dict[str, str] = {}


class VolumeOptions(Struct, rename="pascal"):
    no_copy: bool = False
    labels: dict[str, str] = {}
    driver_config: VolumeDriver = field(default_factory=VolumeDriver)
    subpath: str = ""


class Mount(Struct, rename="pascal"):
    type: str = ""
    source: str = ""
    target: str = ""
    read_only: bool = False
    bind_options: BindOptions = field(default_factory=BindOptions)
    tmpfs_options: TmpfsOptions = field(default_factory=TmpfsOptions)
    volume_options: VolumeOptions = field(default_factory=VolumeOptions)


class UlimitBody(Struct, rename="pascal"):
    name: str = ""
    soft: Int64 = 0
    hard: Int64 = 0


class DeviceMapping(Struct, rename="pascal"):
    path_on_host: str = ""
    path_in_container: str = ""
    cgroup_permissions: str = ""


class DeviceRequest(Struct, rename="pascal"):
    driver: str = ""
    capabilities: list[list[str]] = []


class LogConfig(Struct, rename="pascal"):
    type: str = ""


class HostConfig(Struct, rename="pascal"):
    """Only what is carried out; all else a client says stays in the echo."""

    network_mode: str = ""
    port_bindings: dict[str, list[PortBinding]] = {}
    publish_all_ports: bool = False
    links: list[str] = []
    extra_hosts: list[str] = []
    dns: list[str] = []
    dns_options: list[str] = []
    dns_search: list[str] = []
    sysctls: dict[str, str] = {}
    binds: list[str] = []
    mounts: list[Mount] = []
    volume_driver: str = ""
    volumes_from: list[str] = []
    tmpfs: dict[str, str] = {}
    auto_remove: bool = False
    privileged: bool = False
    readonly_rootfs: bool = False
    cap_add: list[str] = []
    cap_drop: list[str] = []
    restart_policy: RestartPolicyBody = field(default_factory=RestartPolicyBody)
    memory: Int64 = 0
    memory_reservation: Int64 = 0
    memory_swap: Int64 = 0
    cpu_shares: Int64 = 0
    cpu_quota: Int64 = 0
    cpu_period: Int64 = 0
    nano_cpus: Int64 = 0
    cpuset_cpus: str = ""
    pids_limit: Int64 = 0
    cpuset_mems: str = ""
    blkio_weight: Int64 = 0
    init: bool = False
    pid_mode: str = ""
    ipc_mode: str = ""
    uts_mode: str = field(default="", name="UTSMode")
    userns_mode: str = ""
    shm_size: Int64 = 0
    ulimits: list[UlimitBody] = []
    devices: list[DeviceMapping] = []
    device_cgroup_rules: list[str] = []
    device_requests: list[DeviceRequest] = []
    group_add: list[str] = []
    oom_score_adj: Int64 = 0
    security_opt: list[str] = []
    storage_opt: dict[str, str] = {}
    log_config: LogConfig = field(default_factory=LogConfig)
    runtime: str = ""
    console_size: list[int] = []


class NetworkingConfig(Struct, rename="pascal"):
    endpoints_config: dict[str, EndpointSettings] = {}


class CreateBody(Struct, rename="pascal"):
    image: str = ""
    hostname: str = ""
    domainname: str = ""
    user: str = ""
    env: list[str] = []
    cmd: Words | None = None
    entrypoint: Words | None = None
    working_dir: str = ""
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    exposed_ports: dict[str, dict[str, str]] = {}
    volumes: dict[str, dict[str, str]] = {}
    mac_address: str = ""
    network_disabled: bool = False
    labels: dict[str, str] = {}
    stop_signal: str = ""
    stop_timeout: Int64 | None = None
    healthcheck: HealthcheckObject | None = None
    shell: list[str] = []
    host_config: HostConfig = field(default_factory=HostConfig)
    networking_config: NetworkingConfig = field(default_factory=NetworkingConfig)


class ExecBody(Struct, rename="pascal"):
    cmd: Words = []
    env: list[str] = []
    working_dir: str = ""
    user: str = ""
    tty: bool = False
    privileged: bool = False
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    detach_keys: str = ""
    console_size: list[int] = []


class ExecStartBody(Struct, rename="pascal"):
    detach: bool = False
    tty: bool = False
    console_size: list[int] = []


def words(value: Words | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    return (value,) if isinstance(value, str) else tuple(value)
