"""The whole configuration of one container, and of one `exec` in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msgspec import structs

from bridgehead.core.model.container import Bind, ContainerSpec, ProcessSpec
from bridgehead.core.model.process import Bundle
from bridgehead.core.oci import config
from bridgehead.core.oci.capabilities import ALL, granted
from bridgehead.core.oci.mounts import MASKED, READ_ONLY, mounts
from bridgehead.core.oci.resources import resources, rule, shown, written_rule
from bridgehead.core.oci.seccomp import profile
from bridgehead.core.oci.users import Account

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEFAULTS = ("PATH", "HOSTNAME")
_INIT = "/sbin/docker-init"
_OWN_NETWORK_SYSCTLS = {
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.ping_group_range": "0 2147483647",
}


@dataclass(frozen=True, slots=True)
class Host:
    """What the machine can give. `capabilities` is what the daemon itself may hand on."""

    machine: str = "x86_64"
    cgroup_v2: bool = False
    swap_accounting: bool = True
    capabilities: frozenset[str] = ALL
    devices: tuple[config.Device, ...] = ()
    wished: tuple[tuple[config.Device, str], ...] = ()  # those that the container asked for, with access
    init: str = ""  # a program that reaps, where the container wants one


def spec(bundle: Bundle, account: Account, host: Host, *, cgroup: str) -> config.Config:
    wanted = bundle.container.spec
    capabilities = granted(
        add=wanted.cap_add,
        drop=wanted.cap_drop,
        privileged=wanted.privileged,
        available=host.capabilities,
    )
    confinement, own_names = wanted.confinement, "uts" not in bundle.borrowed
    return config.Config(
        oci_version=config.VERSION,
        process=_confined(
            _process(wanted.process, account, capabilities, _environment(wanted, account)), wanted, host
        ),
        root=config.Root(bundle.rootfs, wanted.read_only_rootfs),
        hostname=wanted.hostname if own_names else "",
        domainname=wanted.domainname if own_names else "",
        mounts=mounts(
            binds=(*wanted.binds, *bundle.volumes, *_init_mount(host)),
            tmpfs=wanted.tmpfs,
            files=bundle.files,
            privileged=wanted.privileged,
            shm_size=confinement.shm_size,
            host_ipc=confinement.ipc == "host",
        ),
        linux=_linux(bundle, capabilities, host, cgroup),
    )


def execution(
    process: ProcessSpec, account: Account, container: config.Process, host: Host
) -> config.Process:
    """An exec shares the container's powers and defaults; `process` brings the rest of its environment."""
    capabilities = (
        ALL & host.capabilities if process.privileged else frozenset(container.capabilities.bounding)
    )
    own = ("TERM=xterm", *process.environment) if process.tty else process.environment
    # Not all of the container's: where its links led when it began may be wrong by now.
    inherited = [word for word in container.env if word.partition("=")[0] in _DEFAULTS]
    home = (f"HOME={account.home}",)
    return _process(process, account, capabilities, _merged(home, inherited, own))


def _process(
    process: ProcessSpec, account: Account, capabilities: frozenset[str], environment: tuple[str, ...]
) -> config.Process:
    listed = tuple(sorted(capabilities))
    # Only root starts with the powers in hand; another user may gain them through a set-user-id program.
    active = listed if account.user.uid == 0 else ()
    return config.Process(
        args=process.argv,
        env=environment,
        cwd=process.working_directory or "/",
        user=account.user,
        capabilities=config.Capabilities(bounding=listed, effective=active, permitted=active),
        terminal=process.tty,
    )


def _confined(process: config.Process, wanted: ContainerSpec, host: Host) -> config.Process:
    confinement = wanted.confinement
    return structs.replace(
        process,
        args=(_INIT, "--", *process.args) if host.init else process.args,
        no_new_privileges=confinement.no_new_privileges,
        oom_score_adj=confinement.oom_score_adjustment,
        rlimits=tuple(
            config.Rlimit(f"RLIMIT_{limit.name.upper()}", _unsigned(limit.soft), _unsigned(limit.hard))
            for limit in confinement.ulimits
        ),
    )


def _unsigned(limit: int) -> int:
    """As the runtime writes it: no limit is the largest number."""
    return 2**64 - 1 if limit < 0 else limit


def _init_mount(host: Host) -> tuple[Bind, ...]:
    return (Bind(host.init, _INIT, read_only=True),) if host.init else ()


def _environment(wanted: ContainerSpec, account: Account) -> tuple[str, ...]:
    defaults = [_PATH, f"HOSTNAME={wanted.hostname}", f"HOME={account.home}"]
    if wanted.process.tty:
        defaults.insert(2, "TERM=xterm")
    return _merged(defaults, wanted.process.environment)


def _merged(*layers: Iterable[str]) -> tuple[str, ...]:
    """Later layers win, in the place where a name first stood; a word without "=" takes its name away."""
    variables: dict[str, str] = {}
    for layer in layers:
        for word in layer:
            name, equals, _ = word.partition("=")
            if equals:
                variables[name] = word
            else:
                variables.pop(name, None)
    return tuple(variables.values())


def _linux(bundle: Bundle, capabilities: frozenset[str], host: Host, cgroup: str) -> config.Linux:
    wanted = bundle.container.spec
    bare = wanted.privileged or wanted.confinement.all_system_paths
    free = wanted.privileged or wanted.confinement.all_system_calls
    return config.Linux(
        cgroups_path=f"{cgroup}/{bundle.container.id}",
        namespaces=_namespaces(bundle, host),
        resources=resources(
            wanted.limits,
            privileged=wanted.privileged,
            swap_accounting=host.swap_accounting,
            opened=_opened(wanted, host),
        ),
        devices=(
            *shown(host.devices, privileged=wanted.privileged),
            *(device for device, _ in host.wished),
        ),
        sysctl=_sysctls(wanted.sysctls, own_network=bundle.namespace is not None and wanted.joins is None),
        masked_paths=() if bare else MASKED,
        readonly_paths=() if bare else READ_ONLY,
        rootfs_propagation=_propagation(wanted.binds),
        seccomp=None if free else profile(capabilities, host.machine),
    )


def _propagation(binds: Iterable[Bind]) -> str:
    """The root must let mounts through if one of the binds is to do so."""
    modes = {bind.propagation.removeprefix("r") for bind in binds}
    return next((mode for mode in ("shared", "slave") if mode in modes), "")


def _opened(wanted: ContainerSpec, host: Host) -> Iterable[config.DeviceRule]:
    yield from (rule(device, access) for device, access in host.wished)
    yield from map(written_rule, wanted.confinement.device_rules)


def _namespaces(bundle: Bundle, host: Host) -> tuple[config.Namespace, ...]:
    kinds = ["mount", "uts", "ipc", "pid", *(["cgroup"] if host.cgroup_v2 else [])]
    paths = {**dict.fromkeys(kinds, ""), **bundle.borrowed, "network": bundle.namespace}
    return tuple(config.Namespace(kind, path) for kind, path in paths.items() if path is not None)


def _sysctls(wished: Mapping[str, str], *, own_network: bool) -> Mapping[str, str]:
    return {**_OWN_NETWORK_SYSCTLS, **wished} if own_network else dict(wished)
