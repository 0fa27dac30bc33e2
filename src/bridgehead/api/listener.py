"""Listening sockets: unix ones, for their group alone and never in a living daemon's place; and TCP."""

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
_BACKLOG = 1024
# A client that closed both ways looks like one that has merely said all; the kernel's own questions tell.
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 15), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 9))  # s, s, times


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
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise HostRefused(f"cannot listen on {path}: {error.strerror}") from error
    return listener


def tcp_socket(address: str, port: int) -> socket.socket:
    """Bound and listening; '' is every address of the machine. What it accepts inherits the keep-alive.

    Raises:
        HostRefused: the address is not this machine's, or the port is taken.
    """
    every = not address and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if every or ":" in address else socket.AF_INET
    try:
        listener = socket.create_server(
            (address, port), family=family, backlog=_BACKLOG, dualstack_ipv6=every
        )
    except OSError as error:
        raise HostRefused(
            f"cannot listen on tcp://{address}:{port}: {os.strerror(error.errno or 0)}"
        ) from error
    listener.setblocking(False)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEP_ALIVE:
        listener.setsockopt(socket.IPPROTO_TCP, option, value)
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
