"""Kernel settings of the daemon's own namespace, as files below /proc/sys."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bridgehead.core.model.errors import HostRefused
from bridgehead.core.plan.diff import Delete, Op
from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import State, Sysctl, state

_ROOT = Path("/proc/sys")
_OF_INTERFACE = re.compile(r"(net/ipv[46]/conf/.+)/[^/]+")


class SysctlPlane:
    """Reads back the settings in `names` alone: any other looks as if it had to be written again.

    An interface that went away, as a modem does, takes its settings along. They count as made: there is
    nothing they could be wrong for.
    """

    kinds: frozenset[type] = frozenset({Sysctl})

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._idle: dict[str, str] = {}

    def observe(self) -> State:
        values = ((name, self._read(name)) for name in self._names)
        return state(*(Sysctl(name, value) for name, value in values if value is not None))

    def apply(self, ops: Sequence[Op]) -> Mapping[Key, Exception]:
        failed: dict[Key, Exception] = {}
        for op in ops:
            if isinstance(op.object, Sysctl) and not isinstance(op, Delete):
                try:
                    self._write(op.object)
                except OSError as error:
                    failed[op.object.key] = HostRefused(_refusal(op.object, error))
        return failed

    def _write(self, wanted: Sysctl) -> None:
        self._idle.pop(wanted.name, None)
        if _has_no_interface(wanted.name):
            self._idle[wanted.name] = wanted.value
        else:
            (_ROOT / wanted.name).write_text(wanted.value)

    def _read(self, name: str) -> str | None:
        if _has_no_interface(name):
            return self._idle.get(name)
        try:
            return (_ROOT / name).read_text().strip()
        except OSError:
            return None


def _has_no_interface(name: str) -> bool:
    found = _OF_INTERFACE.fullmatch(name)
    return found is not None and not (_ROOT / found[1]).exists()


def _refusal(wanted: Sysctl, error: OSError) -> str:
    hint = "; try modprobe br_netfilter" if wanted.name.startswith("net/bridge/") else ""
    return f"cannot set {wanted.name} to {wanted.value}: {error.strerror}{hint}"
