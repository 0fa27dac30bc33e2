"""Unix listening sockets that only their group may open, and that never push a living daemon aside."""

import grp
import logging
import os
import socket
import stat
from collections.abc import Iterable
from pathlib import Path

from bridgehead.core.model.errors import HostRefused

log = logging.getLogger(__name__)

_PROBE_S = 1.0


def unix_socket(path: str, group: str) -> socket.socket:
    """Bound and listening, mode 0660 for `group`, or 0600 where no such group exists.

    Raises:
        HostRefused: something answers on `path` already, or it cannot be bound.
    """
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        listener.bind(path)
        # Nobody can connect between bind and listen, so the mode is never too wide for a moment.
        _restrict(path, group)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise HostRefused(f"cannot listen on {path}: {error.strerror}") from error
    return listener


def forget(paths: Iterable[str]) -> None:
    for path in paths:
        Path(path).unlink(missing_ok=True)


def _clear(path: str) -> None:
    try:
        mode = Path(path).lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise HostRefused(f"cannot listen on {path}: something that is no socket lies there")
    if _answers(path):
        raise HostRefused(f"cannot listen on {path}: another daemon answers there")
    Path(path).unlink()


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            # Whatever else it says (busy, not allowed), somebody is behind it.
            return True
    return True


def _restrict(path: str, group: str) -> None:
    try:
        group_id = grp.getgrnam(group).gr_gid
    except KeyError:
        log.warning("no group %r: only root may use %s", group, path)
        Path(path).chmod(0o600)
        return
    os.chown(path, -1, group_id)
    Path(path).chmod(0o660)
