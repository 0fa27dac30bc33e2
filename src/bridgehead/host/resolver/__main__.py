"""The resolver process: `python -m bridgehead.host.resolver --socket PATH [--linger SECONDS]`.

The command returns once the resolver listens, leaving it behind as nobody's child: it outlives the daemon,
and a daemon need not bury it. A lock beside the socket keeps it alone.
"""

# pathlib would be memory that every machine pays for.
# ruff: noqa: PTH100, PTH108, PTH110
import fcntl
import gc
import os
import resource
import socket
import sys

from bridgehead.host.resolver.control import Control
from bridgehead.host.resolver.holdings import Holdings
from bridgehead.host.resolver.loop import Loop

_LINGER_S = 60.0
_BACKLOG = 16
_USAGE = "usage: python -m bridgehead.host.resolver --socket PATH [--linger SECONDS]"


def main(arguments: list[str]) -> int:
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    path = options.get("--socket", "")
    if not path or len(arguments) % 2 or options.keys() - {"--socket", "--linger"}:
        print(_USAGE, file=sys.stderr)  # noqa: T201 - this is a command
        return 2
    path = os.path.abspath(path)
    lock = _lock(f"{path}.lock")
    if lock is None:
        print(f"a resolver listens at {path} already", file=sys.stderr)  # noqa: T201
        return 3
    listening = _listen(path)
    if os.fork():
        return 0
    control = _control(listening, float(options.get("--linger", _LINGER_S)))
    control.run()
    os.unlink(path)
    # Before the sessions end, which whoever wants to start another resolver waits for.
    os.close(lock)
    return 0


def _control(listening: socket.socket, linger_s: float) -> Control:
    os.chdir("/")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.freeze()
    loop = Loop()
    return Control(loop, listening, Holdings(loop), linger_s)


def _lock(path: str) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _listen(path: str) -> socket.socket:
    """Whatever is at `path` is a dead resolver's: the lock is ours."""
    if os.path.exists(path):
        os.unlink(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(path)
    finally:
        os.umask(before)
    listening.listen(_BACKLOG)
    return listening


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
