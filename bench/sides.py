"""The two daemons under measurement, each on a machine of its own, asked over kept-alive connections."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support import image
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.oracle import oracle
from tests.support.testhost import Host

from bench.wire import Wire

MAKERS = {"docker": oracle, "bridgehead": bridgehead}


class CallRefused(AssertionError):
    """A daemon answered a measured call with an error."""


class Side:
    def __init__(self, name: str, daemon: Daemon) -> None:
        self.name, self.daemon = name, daemon
        self._connection: Wire | None = None

    def call(self, method: str, path: str, body: Any = None) -> bytes:
        """The answer's body.

        Raises:
            CallRefused: the status was 400 or more.
        """
        if self._connection is None:
            self._connection = Wire(self.daemon.socket)
        status, answer = self._connection.call(method, path, body)
        if status >= 400:
            raise CallRefused(f"{self.name}: {method} {path}: {status} {answer.decode()}")
        return answer

    def timed(self, method: str, path: str, body: Any = None) -> float:
        """Milliseconds from request to the whole answer."""
        began = time.perf_counter()
        self.call(method, path, body)
        return (time.perf_counter() - began) * 1000

    def restart(self) -> float:
        """Milliseconds from starting the program to its first answer."""
        self.hang_up()
        return self.daemon.restart() * 1000

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def memory(self) -> float:
        """MB resident, summed over every process on the daemon's machine but the holder."""
        total_kb = 0
        for pid in self.daemon.host.processes():
            status = (self.daemon.host.root / f"proc/{pid}/status").read_text()
            total_kb += next(
                (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0
            )
        return total_kb / 1024

    def create_network(self, name: str, number: int) -> float:
        """Milliseconds. Each number has its own subnet, so that default pools never run out."""
        subnet = f"10.{128 + number // 250}.{number % 250}.0/24"
        body = {"Name": name, "CheckDuplicate": True, "IPAM": {"Config": [{"Subnet": subnet}]}}
        return self.timed("POST", "/networks/create", body)

    def create_container(self, name: str, network: str) -> float:
        body = {"Image": image.NAME, "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": network}}
        return self.timed("POST", f"/containers/create?name={name}", body)


@contextmanager
def running(name: str, maker: str, *flags: str) -> Iterator[Side]:
    with Host(name) as host:
        daemon = MAKERS[maker](host, *flags).start()
        daemon.import_image()
        side = Side(name, daemon)
        try:
            yield side
        finally:
            side.hang_up()
