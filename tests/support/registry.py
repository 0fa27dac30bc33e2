"""A real image registry on a test host: Debian's docker-registry, with skopeo as a second opinion, from
PATH or where `script/bootstrap --registry` put them.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.testhost import Host
from tests.support.wait import until

_UNPACKED = Path(__file__).parents[2] / ".registry"
_LIBRARIES = os.pathsep.join(str(_UNPACKED / place / "x86_64-linux-gnu") for place in ("usr/lib", "lib"))
_POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}'
# bcrypt of "secret", as `htpasswd -B` writes it
_PASSWORDS = "user:$2y$05$w6FsMpkKYwHbnTGDvuoD7.kLUXG6Ri6NbMxskcdGodPM8HBiIZMDu\n"


def found(program: str) -> str:
    """Its path, or empty."""
    unpacked = _UNPACKED / "usr/bin" / program
    return shutil.which(program) or (str(unpacked) if unpacked.exists() else "")


def available() -> bool:
    return bool(found("docker-registry") and found("skopeo"))


class Registry:
    """`address`: host:port, without TLS. `password`: only user/secret may come in."""

    def __init__(
        self, host: Host, port: int = 5000, *, address: str = "127.0.0.1", password: bool = False
    ) -> None:
        self.host = host
        self.address = f"{address}:{port}"
        self.folder = host.folder / f"registry-{port}"
        self.folder.mkdir()
        (self.folder / "htpasswd").write_text(_PASSWORDS)
        auth = {"auth": {"htpasswd": {"realm": "here", "path": str(self.folder / "htpasswd")}}}
        document = {
            "version": "0.1",
            "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "data")}},
            "http": {"addr": self.address},
            **(auth if password else {}),
        }
        (self.folder / "config.yml").write_text(json.dumps(document))  # YAML holds JSON
        self._process: subprocess.Popen[Any] | None = None

    def __enter__(self) -> Self:
        with (self.folder / "log").open("ab") as log:
            self._process = self.host.popen(
                [found("docker-registry"), "serve", self.folder / "config.yml"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(lambda: "listening on" in self.log(), "the registry")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        for pid, words in self.host.processes().items():
            if f"{self.folder}/config.yml" in words:
                self.host.kill(pid)
        if self._process is not None:
            self._process.wait(5)
            self._process = None

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def push(self, archive: Path, name: str, *options: str) -> None:
        """An archive of `docker save` to `name` (path:tag), by skopeo."""
        skopeo(self.host, "copy", "--dest-tls-verify=false", *options, f"docker-archive:{archive}",
               f"docker://{self.address}/{name}")  # fmt: skip

    def blob(self, digest: str) -> Path:
        """The file in which the registry keeps it."""
        hexadecimal = digest.removeprefix("sha256:")
        return self.folder / "data/docker/registry/v2/blobs/sha256" / hexadecimal[:2] / hexadecimal / "data"


def skopeo(host: Host, *words: str) -> str:
    """What it prints, run on `host`.

    Raises:
        CommandFailed: it failed.
    """
    policy = host.folder / "policy.json"
    policy.write_text(_POLICY)
    libraries = os.pathsep.join(filter(None, [_LIBRARIES, os.environ.get("LD_LIBRARY_PATH", "")]))
    outcome = host.run(
        *(found("skopeo"), "--policy", policy, "--registries.d", host.folder, *words),
        environment={"LD_LIBRARY_PATH": libraries},
        timeout_s=60,
    )
    return outcome.stdout
