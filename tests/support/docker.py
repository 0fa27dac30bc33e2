"""The real docker command line, pointed at one daemon, with or without a terminal."""

import contextlib
import os
import pty
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

DOCKER = shutil.which("docker") or "docker"
DETACH = b"\x10\x11"  # ctrl-p ctrl-q


@dataclass(frozen=True, slots=True)
class Answer:
    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"$ docker {' '.join(self.argv)}\n{self.out}{self.err}[exit {self.code}]"


class DockerFailed(AssertionError):
    """A docker command that a test needs to succeed did not."""


class Docker:
    """`socket` is the daemon's; `folder` holds the client's own configuration, apart from the user's."""

    def __init__(self, socket: Path, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.socket = socket
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")},
            "DOCKER_HOST": f"unix://{socket}",
            "DOCKER_CONFIG": str(folder),
            "DOCKER_CLI_HINTS": "false",
        }

    def __call__(
        self,
        *words: str,
        stdin: bytes | None = None,
        timeout_s: float = 30,
        environment: Mapping[str, str] | None = None,
    ) -> Answer:
        """Run to the end and report, whatever came out."""
        outcome = subprocess.run(
            [DOCKER, *words],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env={**self.environment, **(environment or {})},
        )
        out, err = (text.decode(errors="replace") for text in (outcome.stdout, outcome.stderr))
        return Answer(words, outcome.returncode, out, err)

    def ok(self, *words: str, stdin: bytes | None = None, timeout_s: float = 30) -> str:
        """Standard output, stripped, of a command that must succeed.

        Raises:
            DockerFailed: it did not.
        """
        answer = self(*words, stdin=stdin, timeout_s=timeout_s)
        if answer.code:
            raise DockerFailed(str(answer))
        return answer.out.strip()

    def remove_containers(self) -> None:
        if names := self.ok("ps", "-aq").split():
            self.ok("rm", "-f", *names)

    def remove_all(self) -> None:
        """Every container, and every network that somebody made."""
        self.remove_containers()
        self.ok("network", "prune", "-f")
        for name in self.ok("network", "ls", "-q", "--filter", "type=custom").split():
            self.ok("network", "rm", name)

    def popen(self, *words: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [DOCKER, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )

    def terminal(self, *words: str) -> "Terminal":
        return Terminal([DOCKER, *words], self.environment)


class Terminal:
    """A command with a pseudo-terminal of its own, as a person at a keyboard would use it."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self.seen = b""
        self.pid, self._keyboard = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], list(argv), dict(environment))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def type(self, text: str | bytes) -> None:
        os.write(self._keyboard, text.encode() if isinstance(text, str) else text)

    def expect(self, text: str, limit_s: float = 10) -> str:
        """Wait for `text`; what was shown up to and including it, which is then forgotten.

        Raises:
            TimeoutError: it never came.
        """
        wanted, deadline = text.encode(), time.monotonic() + limit_s
        while wanted not in self.seen:
            if not self._read(deadline):
                raise TimeoutError(f"{text!r} not shown; instead: {self.seen.decode(errors='replace')!r}")
        shown, _, rest = self.seen.partition(wanted)
        self.seen = rest
        return (shown + wanted).decode(errors="replace")

    def _read(self, deadline: float) -> bool:
        remaining = deadline - time.monotonic()
        readable, _, _ = select.select([self._keyboard], [], [], max(remaining, 0))
        if not readable:
            return False
        try:
            piece = os.read(self._keyboard, 4096)
        except OSError:  # how Linux says that the other side of a terminal is gone
            return False
        self.seen += piece
        return bool(piece)

    def wait(self, limit_s: float = 10) -> int:
        """The exit code, once the command has ended by itself.

        Raises:
            TimeoutError: it goes on.
        """
        deadline = time.monotonic() + limit_s
        while self._read(deadline):
            pass
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        raise TimeoutError(f"still running; shown: {self.seen.decode(errors='replace')!r}")

    def close(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
        if self._keyboard >= 0:
            os.close(self._keyboard)
            self._keyboard = -1
