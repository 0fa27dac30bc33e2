"""Our own daemon on a test host."""

import subprocess
import sys
from pathlib import Path

from tests.support.daemon import Daemon, Recipe
from tests.support.testhost import CommandFailed, Host

_PROGRAM = str(Path(sys.executable).parent / "bridgehead")

RECIPE = Recipe(
    kind="bridgehead",
    argv=(
        *(_PROGRAM, "daemon", "-H", "unix://{socket}", "--data-root", "{data}"),
        *("--exec-root", "{run}", "-p", "{pidfile}"),
    ),
    environment={"PYTHONDONTWRITEBYTECODE": ""},  # start as an installed daemon does: from compiled modules
)


def bridgehead(host: Host, *extra: str) -> Daemon:
    """Our daemon for `host`, not yet started."""
    return Daemon(host, RECIPE, *extra)


def plan(daemon: Daemon) -> list[str]:
    """What the daemon would change if it started now; empty when the kernel is as the stored intent says.

    Runs beside the daemon: planning only reads.

    Raises:
        CommandFailed: it could not plan.
    """
    outcome: subprocess.CompletedProcess[str] = daemon.host.run(*daemon.argv, "--plan")
    *operations, total = outcome.stdout.splitlines()
    if (total == "nothing to change") == bool(operations):
        raise CommandFailed(f"not a plan: {outcome.stdout!r}")
    return operations
