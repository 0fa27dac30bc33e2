"""The socket a plugin is found by: there from the moment it answers, gone when it ends, never another's."""

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

SOCKETS = Path("/run/docker/plugins")
SPECIFICATIONS = Path("/etc/docker/plugins")
_MODE = 0o600


class AlreadyServed(Exception):
    """Somebody answers at that address."""


class SocketDoor:
    """Listens at `path`. What stands there is replaced, unless somebody answers."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            AlreadyServed, OSError
        """
        self._path = path
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _refuse_living(path)
        for left in path.parent.glob(f".{path.name}.*"):
            if not _answers(left):
                left.unlink(missing_ok=True)  # by one that was killed just here
        # Bound beside and moved: nobody ever finds a socket that does not listen.
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        self.listener = socket.socket(socket.AF_UNIX)
        try:
            with _umask(0o777 & ~_MODE):
                self.listener.bind(str(beside))
            self.listener.listen(64)
            self._own = _identity(beside)
            beside.replace(path)
        except BaseException:
            self.listener.close()
            beside.unlink(missing_ok=True)
            raise

    @property
    def address(self) -> str:
        return f"unix://{self._path}"

    def close(self) -> None:
        """A successor's socket, which has taken the place, stays."""
        with contextlib.suppress(OSError):
            if _identity(self._path) == self._own:
                self._path.unlink()
        self.listener.close()


class PortDoor:
    """Listens on `host`:`port` (0: any free one). With `specification` a file there tells engines so."""

    def __init__(self, host: str, port: int, specification: Path | None = None) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, port), family=family)
        self._host, self._specification = host, specification
        if specification is not None:
            try:
                write_specification(specification, self.address)
            except BaseException:
                self.listener.close()
                raise

    @property
    def address(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"tcp://{host}:{self.listener.getsockname()[1]}"

    def close(self) -> None:
        if self._specification is not None:
            with contextlib.suppress(OSError):
                if self._specification.read_text().strip() == self.address:
                    self._specification.unlink()
        self.listener.close()


Door = SocketDoor | PortDoor


def write_specification(path: Path, address: str) -> None:
    """A `.spec` file: whole or not there."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(f"{address}\n")
    beside.replace(path)


def _refuse_living(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise AlreadyServed(f"{path} is there and is no socket")
    except FileNotFoundError:
        return
    if _answers(path):
        raise AlreadyServed(f"another plugin answers at {path}")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except (TimeoutError, BlockingIOError):
            return True  # its queue is full: it lives
        return True


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
