"""Debian's containerd and its client, as `script/bootstrap --oracle` unpacked them, on a test host."""

import json
import os
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from subprocess import CompletedProcess

from tests.support import image
from tests.support.cni import PROGRAM
from tests.support.daemon import Daemon
from tests.support.own_folder import own_folder
from tests.support.wait import until

_PROGRAMS = Path(__file__).parents[2] / ".oracle/usr/bin"
_ADDRESS = "/run/own-containerd.sock"
CONTAINERD_MISSING = "" if (_PROGRAMS / "ctr").exists() else "containerd"
_CONFIGURATION = """
version = 2
root = "{folder}/root"
state = "/run/own-containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{address}"
"""
# `ctr --cni` looks in /etc/cni/net.d and /opt/cni/bin, so it sees an /etc and an /opt of its own.
_ITS_OWN = """
folder=$1 plugin=$2
shift 2
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$folder/etc,workdir=$folder/work" /etc
mount -t tmpfs tmpfs /opt
mkdir -p /opt/cni/bin
ln -s "$plugin" /opt/cni/bin/
exec "$@"
"""


class Containerd:
    """A running containerd whose default network is `network` of `daemon`."""

    def __init__(self, daemon: Daemon, network: str) -> None:
        self._host = daemon.host
        self._folder = folder = daemon.host.folder / "own-containerd"
        configurations = folder / "etc/cni/net.d"
        own_folder(daemon.host, "/var")
        for made in (configurations, folder / "work", folder / "rootfs"):
            made.mkdir(parents=True)
        plugin = {"type": PROGRAM.name, "socket": str(daemon.socket)}
        (configurations / "10-bridgehead.conflist").write_text(
            json.dumps({"cniVersion": "1.0.0", "name": network, "plugins": [plugin]})
        )
        (folder / "config.toml").write_text(_CONFIGURATION.format(folder=folder, address=_ADDRESS))
        (folder / "resolv.conf").write_text("nameserver 127.0.0.11\noptions ndots:0\n")
        with tarfile.open(fileobj=BytesIO(image.archive())) as tar:
            tar.extractall(folder / "rootfs", filter="fully_trusted")
        (folder / "rootfs/etc/resolv.conf").touch()
        self._environment = {"PATH": f"{_PROGRAMS}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": ""}
        self._start()

    def _start(self) -> None:
        with (self._folder / "log").open("wb") as log:
            self._host.popen(
                [_PROGRAMS / "containerd", "-c", self._folder / "config.toml"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment},
            )
        until(lambda: self("version").returncode == 0, "containerd's first answer")

    def __call__(self, *words: str) -> "CompletedProcess[str]":
        own = ["unshare", "--mount", "--propagation", "slave", "sh", "-ec", _ITS_OWN, "sh"]
        return self._host.run(
            *(*own, self._folder, PROGRAM, _PROGRAMS / "ctr", "-a", _ADDRESS, *words),
            check=False,
            environment=self._environment,
        )

    def ok(self, *words: str) -> str:
        outcome = self(*words)
        assert outcome.returncode == 0, f"ctr {' '.join(words)}: {outcome.stderr}"
        return outcome.stdout.strip()

    def run(self, name: str) -> "CompletedProcess[str]":
        """A container that stays; to others it is `default-NAME`, after containerd's own namespace."""
        names = f"type=bind,src={self._folder}/resolv.conf,dst=/etc/resolv.conf,options=rbind:ro"
        return self(
            *("run", "-d", "--cni", "--cgroup", f"/{self._host.folder.name}-{name}", "--mount", names),
            *("--rootfs", str(self._folder / "rootfs"), name, "/bin/sleep", "1000"),
        )

    def execute(self, name: str, *argv: str) -> str:
        return self.ok("task", "exec", "--exec-id", f"{name}-{len(argv)}", name, *argv)

    def remove(self, name: str) -> None:
        self("task", "rm", "--force", name)  # tells the exit code of the task as its own
        self.ok("container", "rm", name)
