"""docker-py's own integration tests, in FOLDER, against our daemon; a program of `script/conformance`."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.support import compose
from tests.support.bridgehead import bridgehead
from tests.support.daemon import Daemon
from tests.support.testhost import Host

_MODULES = (
    *("api_client", "api_container", "api_exec", "api_healthcheck", "api_network", "api_volume"),
    *("client", "errors", "models_containers", "models_networks", "models_resources", "models_volumes"),
    "regression",
)
# What their tests look for in the image they are written for; ours has no more of Alpine than that.
_IMAGES = ("alpine:3.10", "alpine:latest")
_MADE = "echo postgres:x:70:70::/:/bin/sh >>/etc/passwd; mkdir -p /var/opt"
_LIMIT_S = 1200


def run(daemon: Daemon, folder: Path, words: list[str]) -> int:
    """pytest's exit code; its report goes to the terminal."""
    stand_in = folder.parent / "stand-in"
    stand_in.mkdir(exist_ok=True)
    # Imported by a file of their helpers, for tests over ssh that are not run here.
    (stand_in / "paramiko.py").write_text("class Channel: ...\n")
    # Warnings are errors to them, and Python 3.11 warns of modules that docker-py 5 is made with.
    setting = folder / "tests/integration/conftest.py"
    setting.write_text(setting.read_text().replace("simplefilter('error')", "simplefilter('ignore')"))
    paths = [
        stand_in,
        folder,
        *compose.old_environment()["PYTHONPATH"].split(":"),
        sysconfig.get_path("purelib"),
    ]
    environment = {
        **daemon.docker.environment,
        **compose.old_environment(),
        "PYTHONPATH": ":".join(map(str, paths)),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    named = any(".py" in word for word in words)
    modules = [] if named else [f"tests/integration/{name}_test.py" for name in _MODULES]
    command = [
        compose.OLD_PYTHON,
        "-m",
        "pytest",
        "-q",
        "-rfEs",
        "--tb=line",
        "-p",
        "pytest_timeout",
        "--timeout=60",
    ]
    return subprocess.run(
        [*command, "-W", "ignore", *modules, *words],
        cwd=folder,
        env=environment,
        timeout=_LIMIT_S,
        check=False,
    ).returncode


def _provide_image(daemon: Daemon) -> None:
    daemon.import_image()
    daemon.docker.ok("run", "--name", "model", "busybox", "sh", "-c", _MADE)
    for name in _IMAGES:
        daemon.docker.ok("commit", "--change", 'CMD ["sh"]', "model", name)
    daemon.docker.ok("rm", "model")


def main() -> int:
    folder, *words = sys.argv[1:]
    with Host("conformance") as host, bridgehead(host) as daemon:
        _provide_image(daemon)
        code = run(daemon, Path(folder), words)
        if code and os.environ.get("SHOW_LOG"):
            sys.stdout.write(daemon.log())
        return code


if __name__ == "__main__":
    sys.exit(main())
