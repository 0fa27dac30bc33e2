"""The whole configuration of one container, and of one `exec` in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bridgehead.core.model.container import Bind, ContainerSpec, ProcessSpec
from bridgehead.core.model.process import Bundle
from bridgehead.core.oci import config
from bridgehead.core.oci.capabilities import ALL, granted
from bridgehead.core.oci.mounts import MASKED, READ_ONLY, mounts
from bridgehead.core.oci.resources import resources, shown
from bridgehead.core.oci.seccomp import profile
from bridgehead.core.oci.users import Account

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEFAULTS = ("PATH", "HOSTNAME")
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


def spec(bundle: Bundle, account: Account, host: Host, *, cgroup: str) -> config.Config:
    wanted = bundle.container.spec
    capabilities = granted(
        add=wanted.cap_add,
        drop=wanted.cap_drop,
        privileged=wanted.privileged,
        available=host.capabilities,
    )
    return config.Config(
        oci_version=config.VERSION,
        process=_process(wanted.process, account, capabilities, _environment(wanted, account)),
        root=config.Root(bundle.rootfs, wanted.read_only_rootfs),
        hostname=wanted.hostname,
        domainname=wanted.domainname,
        mounts=mounts(
            binds=(*wanted.binds, *bundle.volumes),
            tmpfs=wanted.tmpfs,
            files=bundle.files,
            privileged=wanted.privileged,
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
    return config.Linux(
        cgroups_path=f"{cgroup}/{bundle.container.id}",
        namespaces=_namespaces(bundle.namespace, host),
        resources=resources(
            wanted.limits, privileged=wanted.privileged, swap_accounting=host.swap_accounting
        ),
        devices=shown(host.devices, privileged=wanted.privileged),
        sysctl=_sysctls(wanted.sysctls, own_network=bundle.namespace is not None and wanted.joins is None),
        masked_paths=() if wanted.privileged else MASKED,
        readonly_paths=() if wanted.privileged else READ_ONLY,
        rootfs_propagation=_propagation(wanted.binds),
        seccomp=None if wanted.privileged else profile(capabilities, host.machine),
    )


def _propagation(binds: Iterable[Bind]) -> str:
    """The root must let mounts through if one of the binds is to do so."""
    modes = {bind.propagation.removeprefix("r") for bind in binds}
    return next((mode for mode in ("shared", "slave") if mode in modes), "")


def _namespaces(network: str | None, host: Host) -> tuple[config.Namespace, ...]:
    kinds = ["mount", "uts", "ipc", "pid", *(["cgroup"] if host.cgroup_v2 else [])]
    own = tuple(config.Namespace(kind) for kind in kinds)
    return own if network is None else (*own, config.Namespace("network", network))


def _sysctls(wished: Mapping[str, str], *, own_network: bool) -> Mapping[str, str]:
    return {**_OWN_NETWORK_SYSCTLS, **wished} if own_network else dict(wished)
