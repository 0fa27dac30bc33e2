"""Carrying on connections in a process of their own, while the one that accepted them becomes another."""

import os
from collections.abc import Sequence

from bridgehead.host.companion.loop import Loop
from bridgehead.host.ports.connection import Connection

_FIRST_OWN = 3


def drain(connections: Sequence[Connection]) -> None:
    """Fork; the child keeps nothing but these, and never returns. The parent must not touch them again."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        # Once more: a child whose parent has ended is buried by the system.
        if not os.fork():
            _serve_out(connections)
    finally:
        os._exit(0)


def _serve_out(connections: Sequence[Connection]) -> None:
    keep = {descriptor for connection in connections for descriptor in connection.descriptors()}
    # Also the sockets that keep ports, and the lock: they are the parent's alone.
    for descriptor in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208
        if descriptor >= _FIRST_OWN and descriptor not in keep:
            _close(descriptor)
    loop = Loop()
    left = set(connections)

    def over(connection: Connection) -> None:
        left.discard(connection)
        if not left:
            loop.stop()

    for connection in connections:
        connection.move(loop, over)
    loop.run()


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:
        # The listing's own.
        return
