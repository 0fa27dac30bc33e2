"""Create options that shut a container in or let it out: parsed, or refused in a sentence."""

from collections.abc import Iterable

from bridgehead.api.wire.container_body import DeviceMapping, HostConfig, UlimitBody
from bridgehead.core.model.confinement import Confinement, DeviceWish, Ulimit
from bridgehead.core.model.errors import InvalidParameter, NotImplementedByDriver

_ON = frozenset({"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"})
_OFF = frozenset({"no-new-privileges:false", "no-new-privileges=false"})
# Nothing of the kind is set here, so to be let off it changes nothing.
_HARMLESS = frozenset({"apparmor=unconfined", "apparmor:unconfined", "label=disable", "label:disable"})
_UNLIMITED = -1
_LOG_DRIVERS = frozenset({"", "json-file", "local", "none"})


def confinement(host: HostConfig) -> Confinement:
    """
    Raises:
        InvalidParameter: an option is none.
        NotImplementedByDriver: Docker has it, we have not.
    """
    _refuse(host)
    security = set(host.security_opt)
    return Confinement(
        init=host.init,
        pid=_mode("PID", host.pid_mode, containers=True),
        ipc=_mode("IPC", "" if host.ipc_mode in {"private", "shareable"} else host.ipc_mode),
        uts=_mode("UTS", host.uts_mode),
        shm_size=_not_negative("SHM size", host.shm_size),
        ulimits=tuple(_ulimit(body) for body in host.ulimits),
        devices=tuple(_device(body) for body in host.devices),
        device_rules=tuple(host.device_cgroup_rules),
        groups=tuple(host.group_add),
        oom_score_adjustment=_oom_score(host.oom_score_adj),
        no_new_privileges=not _ON.isdisjoint(security),
        all_system_calls=bool({"seccomp=unconfined", "seccomp:unconfined"} & security),
        all_system_paths="systempaths=unconfined" in security,
    )


def _refuse(host: HostConfig) -> None:
    if host.device_requests:
        wanted = host.device_requests[0]
        raise InvalidParameter(
            f'could not select device driver "{wanted.driver}" with capabilities: '
            f"[{' '.join('[' + ' '.join(words) + ']' for words in wanted.capabilities)}]"
        )
    if host.storage_opt:
        raise InvalidParameter(
            "--storage-opt is not supported: the size of a container cannot be limited here"
        )
    if host.userns_mode not in {"", "host"}:
        raise InvalidParameter(f"invalid user namespace mode: {host.userns_mode}")
    if host.runtime not in {"", "runc", "crun", "io.containerd.runc.v2"}:
        raise InvalidParameter(f"unknown or invalid runtime name: {host.runtime}")
    if host.log_config.type not in _LOG_DRIVERS:
        raise InvalidParameter(f"logger: no log driver named '{host.log_config.type}' is registered")
    _check_security(host.security_opt)


def _check_security(options: Iterable[str]) -> None:
    for text in options:
        name = text.partition("=")[0].partition(":")[0]
        if text in _ON | _OFF | _HARMLESS or text == "systempaths=unconfined":
            continue
        if name in {"seccomp", "apparmor", "label"}:
            if text not in {"seccomp=unconfined", "seccomp:unconfined"}:
                raise NotImplementedByDriver(f"--security-opt {name} knows only unconfined and disable here")
            continue
        raise InvalidParameter(f'invalid --security-opt 2: "{text}"')


def _mode(kind: str, text: str, *, containers: bool = False) -> str:
    if text in {"", "host"}:
        return text
    if text.startswith("container:") and text != "container:":
        if containers:
            return text
        raise NotImplementedByDriver(f"sharing the {kind} namespace of another container is not supported")
    raise InvalidParameter(f"invalid {kind} mode: {text}")


def _ulimit(body: UlimitBody) -> Ulimit:
    if body.soft > body.hard != _UNLIMITED or (body.soft == _UNLIMITED != body.hard):
        raise InvalidParameter(
            f"ulimit soft limit must be less than or equal to hard limit: {body.soft} > {body.hard}"
        )
    return Ulimit(body.name.lower(), body.soft, body.hard)


def _device(body: DeviceMapping) -> DeviceWish:
    access = body.cgroup_permissions or "rwm"
    if not set(access) <= set("rwm"):
        raise InvalidParameter(f"invalid device mode: {access}")
    if not body.path_on_host.startswith("/"):
        raise InvalidParameter(f"{body.path_on_host} is not an absolute path")
    return DeviceWish(body.path_on_host, body.path_in_container or body.path_on_host, access)


def _oom_score(value: int) -> int:
    if not -1000 <= value <= 1000:
        raise InvalidParameter(f"invalid value {value}, range for oom score adj is [-1000, 1000]")
    return value


def _not_negative(what: str, value: int) -> int:
    if value < 0:
        raise InvalidParameter(f"{what} can not be less than 0")
    return value
