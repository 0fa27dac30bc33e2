"""The reference: Debian's dockerd 20.10, from PATH or where `script/bootstrap --oracle` put it."""

import os
import shutil
from pathlib import Path

from tests.support.daemon import Daemon, Recipe
from tests.support.testhost import Host

_UNPACKED = Path(__file__).parents[2] / ".oracle"


def search_path() -> str:
    """PATH with the unpacked Debian packages at its end, so that an installed dockerd wins."""
    return os.pathsep.join([os.environ["PATH"], f"{_UNPACKED}/usr/sbin", f"{_UNPACKED}/usr/bin"])


def available() -> bool:
    return all(shutil.which(name, path=search_path()) for name in ("dockerd", "containerd", "docker-init"))


def oracle(host: Host, *extra: str) -> Daemon:
    """A dockerd for `host`, not yet started. It brings its own containerd."""
    recipe = Recipe(
        kind="docker",
        argv=(
            *("dockerd", "-H", "unix://{socket}", "--data-root", "{data}"),
            *("--exec-root", "{run}", "--pidfile", "{pidfile}"),
        ),
        environment={"PATH": search_path()},
        start_limit_s=30,
        stop_limit_s=30,
    )
    return Daemon(host, recipe, *extra)
