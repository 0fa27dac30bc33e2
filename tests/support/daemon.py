"""A daemon on a test host, ours or the reference: one interface, so one test runs on both."""

import http.client
import json
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support import image
from tests.support.docker import Docker
from tests.support.testhost import Host
from tests.support.wait import until

_TAIL = 6000


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one kind of daemon is started. The words may name {socket}, {data}, {run} and {pidfile}."""

    kind: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    start_limit_s: float = 30
    stop_limit_s: float = 15


class DaemonFailed(AssertionError):
    """The daemon did not start or stop; its log is in the message."""


class UnixConnection(http.client.HTTPConnection):
    """HTTP kept alive over the daemon's socket, for tests that must see statuses or count microseconds."""

    def __init__(self, path: Path, timeout_s: float = 30) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and decoded answer (text when it is not JSON)."""
        payload = None if body is None else json.dumps(body)
        self.request(method, path, payload, {"Content-Type": "application/json"} if payload else {})
        response = self.getresponse()
        raw = response.read()
        if "json" in response.headers.get("Content-Type", "") and raw:
            return response.status, json.loads(raw)
        return response.status, raw.decode(errors="replace")


class Daemon:
    def __init__(self, host: Host, recipe: Recipe, *extra: str) -> None:
        self.host, self.recipe = host, recipe
        self.socket = host.folder / "api.sock"
        self.log_path = host.folder / "daemon.log"
        self.docker = Docker(self.socket, host.folder / "client")
        self.run_folder = f"/run/{recipe.kind}"
        self.places = {
            "socket": str(self.socket),
            "data": str(host.folder / "data"),
            "run": self.run_folder,
            "pidfile": f"/run/{recipe.kind}.pid",
        }
        self.argv = [word.format(**self.places) for word in recipe.argv] + list(extra)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Start it and wait until it answers.

        Raises:
            DaemonFailed: it ended, or did not answer in time.
        """
        with self.log_path.open("ab") as log:
            self._process = self.host.popen(
                ["env", *(f"{key}={value}" for key, value in self.recipe.environment.items()), *self.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            until(self._answers, "the daemon's first answer", self.recipe.start_limit_s, pause_s=0.002)
        except TimeoutError as error:
            raise DaemonFailed(f"{error}\n{self.log()}") from error
        return self

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise DaemonFailed(f"ended with {self._process.returncode}\n{self.log()}")
        try:
            return self.call("GET", "/_ping")[0] == 200
        except OSError:
            return False

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """By the host's own numbering; found by its words, so that it is known before any pidfile is.

        Raises:
            DaemonFailed: it is not there.
        """
        address = f"unix://{self.socket}"
        for pid, words in self.host.processes().items():
            if address in words and "--plan" not in words:
                return pid
        raise DaemonFailed(f"no process of {self.recipe.kind}\n{self.log()}")

    def stop(self) -> None:
        """Ask it to end and wait for that. Safe to call twice.

        Raises:
            DaemonFailed: it would not end; it was killed.
        """
        if self._process is None:
            return
        if self.running:
            self.host.kill(self.pid, signal.SIGTERM)
        try:
            self._process.wait(self.recipe.stop_limit_s)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise DaemonFailed(f"did not stop\n{self.log()}") from error
        self._process = None

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        if self.running:
            self.host.kill(self.pid)
        if self._process is not None:
            self._process.wait(5)
            self._process = None

    def restart(self) -> float:
        """Stop and start; seconds from start to the first answer."""
        self.stop()
        began = time.monotonic()
        self.start()
        return time.monotonic() - began

    def connection(self) -> UnixConnection:
        return UnixConnection(self.socket)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request on a connection of its own."""
        connection = self.connection()
        try:
            return connection.call(method, path, body)
        finally:
            connection.close()

    def log(self) -> str:
        if not self.log_path.exists():
            return ""
        return self.log_path.read_text(errors="replace")[-_TAIL:]

    def import_image(self) -> None:
        changes = [word for change in image.CHANGES for word in ("--change", change)]
        self.docker.ok("import", *changes, "-", image.NAME, stdin=image.archive(), timeout_s=60)
