"""Kernel settings of one interface inside a sandbox, as endpoint options ask for them."""

from collections.abc import Iterable
from pathlib import Path

from bridgehead.core.endpoint_options import setting_path
from bridgehead.core.model.errors import HostRefused
from bridgehead.host.namespaces.entering import inside

_SETTINGS = Path("/proc/sys/net")


def set_inside(namespace: str, interface: str, settings: Iterable[str]) -> None:
    """
    Raises:
        HostRefused: the kernel has no such setting, or does not take the value.
    """
    inside(namespace, lambda: _set(interface, settings))


def _set(interface: str, settings: Iterable[str]) -> None:
    for setting in settings:
        path, value = setting_path(setting, interface)
        try:
            (_SETTINGS / path).write_text(value, encoding="ascii")
        except OSError as error:
            raise HostRefused(f"cannot set {setting} on {interface}: {error.strerror}") from error
