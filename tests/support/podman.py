"""Debian's podman, from PATH or where `script/bootstrap --podman` put it, on a test host, by way of CNI."""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.support import image
from tests.support.cni import EVERY_CAPABILITY, PROGRAM
from tests.support.daemon import Daemon
from tests.support.own_folder import own_folder

_UNPACKED = Path(__file__).parents[2] / ".podman"
_LIBRARIES = _UNPACKED / "usr/lib/x86_64-linux-gnu"
REFERENCE_PLUGINS = next(
    (folder for folder in (Path("/usr/lib/cni"), _UNPACKED / "usr/lib/cni") if folder.exists()), None
)
IMAGE = "localhost/busybox"


def found(program: str) -> str:
    """Its path, or empty."""
    unpacked = _UNPACKED / "usr/bin" / program
    return shutil.which(program) or (str(unpacked) if unpacked.exists() else "")


def environment(program: str) -> dict[str, str]:
    """What an unpacked program needs to find its libraries."""
    return {"LD_LIBRARY_PATH": str(_LIBRARIES)} if found(program).startswith(str(_UNPACKED)) else {}


# As docs/cni.md tells podman's users to.
_CONTAINERS = """
[containers]
dns_servers = ["127.0.0.11"]
dns_options = ["ndots:0"]
[network]
network_backend = "cni"
cni_plugin_dirs = ["{plugins}", "{reference}"]
network_config_dir = "{configurations}"
default_network = "{network}"
[engine]
cgroup_manager = "cgroupfs"
enable_port_reservation = false
events_logger = "file"
runtime = "{runtime}"
[engine.runtimes]
{runtime} = ["{path}"]
"""
_STORAGE = """
[storage]
driver = "vfs"
graphroot = "{folder}/graph"
runroot = "/run/podman-storage"
"""


class Podman:
    """Networks are those of `daemon`; everything podman writes is below the test host's folder and /run."""

    def __init__(self, daemon: Daemon, networks: Iterable[str]) -> None:
        self._daemon = daemon
        self._group = f"podman-{daemon.host.folder.name}"
        folder = daemon.host.folder / "podman"
        self._configurations = folder / "net.d"
        home = folder / "home/.config/containers"
        own_folder(daemon.host, "/var")
        for made in (self._configurations, home):
            made.mkdir(parents=True)
        runtime = "crun" if shutil.which("crun") else "runc"
        names = list(networks)
        for name in names:
            self.configure(name)
        (folder / "containers.conf").write_text(
            _CONTAINERS.format(
                plugins=PROGRAM.parent,
                reference=REFERENCE_PLUGINS,
                configurations=self._configurations,
                network=names[0],
                runtime=runtime,
                path=shutil.which(runtime),
            )
        )
        (folder / "storage.conf").write_text(_STORAGE.format(folder=folder))
        (home / "policy.json").write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
        self._environment = {
            **environment("podman"),
            "HOME": str(folder / "home"),
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "PYTHONDONTWRITEBYTECODE": "",
        }
        archive = folder / "busybox.tar"
        archive.write_bytes(image.archive())
        self.ok("import", str(archive), IMAGE.rpartition("/")[2])

    def configure(self, name: str, *others: Mapping[str, Any], **fields: Any) -> None:
        """Write a configuration list for one of our networks; `others` are the plugins behind ours."""
        plugin: Mapping[str, Any] = {
            "type": PROGRAM.name,
            "socket": str(self._daemon.socket),
            "capabilities": EVERY_CAPABILITY,
            **fields,
        }
        text = json.dumps({"cniVersion": "1.0.0", "name": name, "plugins": [plugin, *others]})
        (self._configurations / f"{name}.conflist").write_text(text)

    def __call__(self, *words: str, timeout_s: float = 60) -> "CompletedProcess[str]":
        return self._daemon.host.run(
            found("podman"), *words, check=False, environment=self._environment, timeout_s=timeout_s
        )

    def ok(self, *words: str) -> str:
        outcome = self(*words)
        assert outcome.returncode == 0, f"podman {' '.join(words)}: {outcome.stderr}"
        return outcome.stdout.strip()

    def run(self, name: str, *options: str) -> None:
        """A container that stays."""
        self.ok(*self.running(name), *options, IMAGE, "/bin/sleep", "1000")

    def running(self, name: str) -> tuple[str, ...]:
        """The beginning of a `podman run`."""
        return ("run", "-d", "--cgroup-parent", f"/{self._group}", "--name", name)

    def close(self) -> None:
        """Remove every container, and the control group that was above them: it outlives the test host."""
        self.ok("rm", "--all", "--force", "--time", "0")
        for path in Path("/sys/fs/cgroup").glob(f"**/{self._group}"):
            for below in (*path.glob("*"), path):
                if below.is_dir():
                    below.rmdir()


PODMAN_MISSING = "" if found("podman") and os.geteuid() == 0 else "podman"
