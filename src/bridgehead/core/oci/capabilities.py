"""Which powers of root a container's processes hold."""

from collections.abc import Iterable

_EVERY = """
CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP
MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
"""
_HARMLESS = """
CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL
AUDIT_WRITE
"""
ORDER = tuple(f"CAP_{name}" for name in _EVERY.split())  # by the kernel's numbers, from 0
ALL = frozenset(ORDER)
DEFAULT = frozenset(f"CAP_{name}" for name in _HARMLESS.split())


def granted(
    *, add: Iterable[str], drop: Iterable[str], privileged: bool, available: frozenset[str]
) -> frozenset[str]:
    """The set after --cap-add, --cap-drop and --privileged; "ALL" is every one in `available`."""
    everything = ALL & available
    if privileged:
        return everything
    wanted, unwanted = _named(add), _named(drop)
    base = everything if "CAP_ALL" in wanted else DEFAULT
    if "CAP_ALL" in unwanted:
        base = frozenset[str]()
    return (base - unwanted) | (wanted - {"CAP_ALL"})


def _named(words: Iterable[str]) -> frozenset[str]:
    return frozenset(f"CAP_{word.upper().removeprefix('CAP_')}" for word in words)


def unknown(words: Iterable[str]) -> list[str]:
    """Those that name no capability; "ALL" does."""
    return [word for word in words if not _named([word]) <= ALL | {"CAP_ALL"}]
