"""What is mounted inside a container: the kernel's file systems, our own files, and what the user wants."""

from collections.abc import Iterable, Mapping
from posixpath import normpath

from bridgehead.core.model.container import Bind, ContainerSpec
from bridgehead.core.oci.config import Mount

_QUIET = ("nosuid", "noexec", "nodev")
_DEFAULT = (
    Mount("/proc", "proc", "proc", _QUIET),
    Mount("/dev", "tmpfs", "tmpfs", ("nosuid", "strictatime", "mode=755", "size=65536k")),
    Mount(
        "/dev/pts",
        "devpts",
        "devpts",
        ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
    ),
    Mount("/sys", "sysfs", "sysfs", (*_QUIET, "ro")),
    Mount("/sys/fs/cgroup", "cgroup", "cgroup", ("ro", *_QUIET)),
    Mount("/dev/mqueue", "mqueue", "mqueue", _QUIET),
    Mount("/dev/shm", "tmpfs", "shm", (*_QUIET, "mode=1777", "size=65536k")),
)
OWN_FILES = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf")
"""Supplied to every container, over whatever its image has there."""

INEVITABLE = (*(mount.destination for mount in _DEFAULT), *OWN_FILES)
"""Where every container has something mounted, whatever its user wants."""

MASKED = (
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
)
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def mounts(
    *,
    binds: Iterable[Bind],
    tmpfs: Mapping[str, str],
    files: Mapping[str, str],
    privileged: bool,
    shm_size: int = 0,
    host_ipc: bool = False,
) -> tuple[Mount, ...]:
    """In the order they must be made. A user's mount replaces a default or a file on the same path."""
    made = [_shared(mount, shm_size, host_ipc=host_ipc) for mount in _DEFAULT]
    wished = {_clean(bind.target): _bind(bind) for bind in binds}
    wished |= {_clean(target): _tmpfs(target, options) for target, options in tmpfs.items()}
    supplied = {
        _clean(inside): Mount(inside, "bind", outside, ("rbind", "rprivate"))
        for inside, outside in files.items()
    }
    base = [_writable(mount) if privileged else mount for mount in made if mount.destination not in wished]
    # A parent has to be there before what is mounted inside it; sorting by depth keeps equals in their order.
    user = sorted((supplied | wished).values(), key=lambda mount: _clean(mount.destination).count("/"))
    return (*base, *user)


def _shared(mount: Mount, shm_size: int, *, host_ipc: bool) -> Mount:
    """Queues go with the IPC namespace by themselves, shared memory does not."""
    if host_ipc and mount.destination == "/dev/shm":
        return Mount(mount.destination, "bind", mount.destination, ("rbind", "rprivate"))
    if shm_size and mount.destination == "/dev/shm":
        return Mount(mount.destination, mount.type, mount.source, (*_QUIET, "mode=1777", f"size={shm_size}"))
    return mount


def destinations(spec: ContainerSpec) -> frozenset[str]:
    """Every path of a container where something other than its own files is seen."""
    user = (*spec.tmpfs, *(bind.target for bind in spec.binds), *(mount.target for mount in spec.volumes))
    return frozenset(map(_clean, (*INEVITABLE, *user)))


def _clean(path: str) -> str:
    return normpath(path)


def _writable(mount: Mount) -> Mount:
    if mount.type not in {"sysfs", "cgroup"}:
        return mount
    options = tuple("rw" if option == "ro" else option for option in mount.options)
    return Mount(mount.destination, mount.type, mount.source, options)


def _bind(bind: Bind) -> Mount:
    access = ("ro",) if bind.read_only else ()
    return Mount(_clean(bind.target), "bind", bind.source, ("rbind", *access, bind.propagation or "rprivate"))


def _tmpfs(target: str, options: str) -> Mount:
    words = tuple(word for word in options.split(",") if word)
    return Mount(_clean(target), "tmpfs", "tmpfs", ("noexec", "nosuid", "nodev", *words))
