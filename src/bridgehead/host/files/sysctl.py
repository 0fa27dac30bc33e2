"""Kernel settings of the daemon's own namespace, as files below /proc/sys."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.diff import Delete, Op
from bridgehead.core.plan.objects import Key, State, Sysctl, state

_ROOT = Path("/proc/sys")


class SysctlPlane:
    """Reads back the settings in `names` alone: any other looks as if it had to be written again."""

    kinds: frozenset[type] = frozenset({Sysctl})

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def observe(self) -> State:
        values = ((name, _read(name)) for name in self._names)
        return state(*(Sysctl(name, value) for name, value in values if value is not None))

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        failed: dict[Key, Exception] = {}
        for op in ops:
            if isinstance(op.object, Sysctl) and not isinstance(op, Delete):
                try:
                    (_ROOT / op.object.name).write_text(op.object.value)
                except OSError as error:
                    failed[op.object.key] = HostRefused(_refusal(op.object, error))
        return failed


def _refusal(wanted: Sysctl, error: OSError) -> str:
    hint = "; try modprobe br_netfilter" if wanted.name.startswith("net/bridge/") else ""
    return f"cannot set {wanted.name} to {wanted.value}: {error.strerror}{hint}"


def _read(name: str) -> str | None:
    try:
        return (_ROOT / name).read_text().strip()
    except OSError:
        return None
