"""The life of the process: `python -m <room> --socket PATH [--linger SECONDS]`.

The command returns once the process listens, leaving it behind as nobody's child: it outlives the daemon,
and a daemon need not bury it. A lock beside the socket keeps it alone.

Another version takes its place by exec, with `--inherit DESCRIPTOR`: lock, socket and all that is held stay
open, and the process id stays what it was.
"""

# pathlib would be memory that every machine pays for.
# ruff: noqa: PTH100, PTH108, PTH110
import errno
import fcntl
import gc
import json
import os
import resource
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

from bridgehead.host.companion import wire
from bridgehead.host.companion.control import Control, Service
from bridgehead.host.companion.loop import Loop
from bridgehead.host.companion.wire import Json

_LINGER_S = "60"
_BACKLOG = 16
_LONGEST_NAME = 15
_OPTIONS = {"--socket", "--linger", "--inherit"}

Serve = Callable[[Loop, Json], Service]


@dataclass(frozen=True, slots=True)
class Estate:
    """What passes from one version to the next; `held` is the service's own, None in a first life."""

    listening: socket.socket
    lock: int
    held: Json = None


def main(name: str, arguments: list[str], serve: Serve) -> int:
    """`name` is what the process is called in sentences; `serve` makes what it is there for."""
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    path = os.path.abspath(options.get("--socket", ""))
    if "--socket" not in options or len(arguments) % 2 or options.keys() - _OPTIONS:
        _say(f"usage: the {name} takes --socket PATH [--linger SECONDS]")
        return 2
    if "--inherit" in options:
        estate = _inherited(int(options["--inherit"]))
    else:
        lock = _lock(f"{path}.lock")
        if lock is None:
            _say(f"a {name} listens at {path} already")
            return 3
        estate = Estate(_listen(path), lock)
        if os.fork():
            return 0
    _take_name(f"bh-{name.replace(' ', '-')}")
    _live(estate, serve, float(options.get("--linger", _LINGER_S)))
    os.unlink(path)
    # Before the sessions end, which whoever wants to start another process waits for.
    os.close(estate.lock)
    return 0


def _live(estate: Estate, serve: Serve, linger_s: float) -> None:
    os.chdir("/")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.freeze()
    loop = Loop()
    service = serve(loop, estate.held)
    replace: Callable[[list[str]], None] = lambda command: _become(command, estate, service)  # noqa: E731
    Control(loop, estate.listening, service, linger_s, replace).run()


def _take_name(name: str) -> None:
    """Instead of python's, which would tell nobody who holds a port."""
    with open("/proc/self/comm", "w", encoding="ascii") as own:  # noqa: PTH123
        own.write(name[:_LONGEST_NAME])


def _become(command: list[str], estate: Estate, service: Service) -> None:
    """Raises OSError: the command cannot be run."""
    if not command or not os.access(command[0], os.X_OK):
        raise OSError(errno.ENOENT, f"no such command: {' '.join(command)}")
    kept = [estate.listening.fileno(), estate.lock]
    for descriptor in kept:
        os.set_inheritable(descriptor, True)
    will = os.memfd_create("estate", 0)
    with open(will, "w", encoding="utf-8", closefd=False) as text:
        json.dump([*kept, service.hand_over()], text)
    os.lseek(will, 0, os.SEEK_SET)
    os.execv(command[0], [*command, "--inherit", str(will)])  # noqa: S606


def _inherited(will: int) -> Estate:
    with open(will, encoding="utf-8") as text:
        listening, lock, held = wire.exactly(3, json.load(text))
    for descriptor in (wire.number(listening), wire.number(lock)):
        os.set_inheritable(descriptor, False)
    return Estate(socket.socket(fileno=wire.number(listening)), wire.number(lock), held)


def _lock(path: str) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _listen(path: str) -> socket.socket:
    """Whatever is at `path` is a dead process's: the lock is ours."""
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


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201 - this is a command
