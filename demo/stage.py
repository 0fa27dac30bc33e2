"""Where the example is played: a test host with a daemon on it, an uplink to an outside, and an image."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any, Self

from tests.support.bridgehead import bridgehead
from tests.support.docker import DETACH, DOCKER, Terminal
from tests.support.testhost import Host

from demo.narrator import Narrator

OURS = str(Path(sys.executable).parent / "bridgehead")
BUSYBOX = "/bin/busybox"
PROMPT = "/ # "
LIMIT_S = 40  # asking for an unknown name takes long where no name server answers
IMPORT = "tar -C rootfs -c . | {client} import -c 'CMD [\"sh\"]' - busybox"


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    text: str


class Stage:
    def __init__(self, narrator: Narrator) -> None:
        self.narrator = narrator
        self.host = Host("demo")
        self.daemon = bridgehead(self.host)
        self._program = DOCKER if narrator.client == "docker" else OURS
        others = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
        self._environment = {
            **others,
            "DOCKER_HOST": f"unix://{self.daemon.socket}",
            "DOCKER_CONFIG": str(self.host.folder / "client"),
            "DOCKER_CLI_HINTS": "false",
            "TERM": "xterm",
        }

    def __enter__(self) -> Self:
        try:
            self._prepare()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.narrator.output(f"--- the daemon's log\n{self.daemon.log()}")
        self._close()

    def _prepare(self) -> None:
        self.narrator.heading("A machine of its own, a daemon and an image on it")
        self.host.outside()
        self.narrator.command("bridgehead daemon &")
        self.daemon.start()
        folder = self.host.folder / "rootfs"
        make_rootfs(folder)
        self.narrator.command(IMPORT.format(client=self.narrator.client))
        imported = self._outcome("sh", "-c", IMPORT.format(client=self._program))
        self.narrator.output(imported.text)
        self.narrator.check("the image is there", expected=0, found=imported.code)

    def _close(self) -> None:
        try:
            self.daemon.stop()
        finally:
            self.host.close()

    def run(self, *words: str, quiet: bool = False) -> Outcome:
        """One command of the client, to its end; its output is shown unless `quiet`."""
        if not quiet:
            self.narrator.command([self.narrator.client, *words])
        outcome = self._outcome(self._program, *words)
        if not quiet:
            self.narrator.output(outcome.text)
        return outcome

    def _outcome(self, *argv: str) -> Outcome:
        done = subprocess.run(
            argv,
            env=self._environment,
            cwd=self.host.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        return Outcome(done.returncode, done.stdout)

    def on_machine(self, *words: str) -> Outcome:
        """A command on the machine itself, outside of every container."""
        self.narrator.command(words)
        done = self.host.run(*words, check=False)
        self.narrator.output(done.stdout + done.stderr)
        return Outcome(done.returncode, done.stdout)

    def open_shell(self, *words: str) -> None:
        """`run -it …` at a terminal: wait for the container's prompt, then leave it with ctrl-p ctrl-q."""
        self.narrator.command([self.narrator.client, *words])
        with Terminal([self._program, *words], self._environment) as terminal:
            shown = terminal.expect(PROMPT, LIMIT_S)
            self.narrator.output(f"{shown}^P^Q")
            terminal.type(DETACH)
            code = terminal.wait(LIMIT_S)
        self.narrator.check("its shell is there, and ctrl-p ctrl-q leaves it running", expected=0, found=code)

    def inspect(self, *words: str) -> Any:
        return json.loads(self.run(*words, quiet=True).text)[0]

    def subnet(self, network: str) -> IPv4Network:
        found = self.inspect("network", "inspect", network)
        return IPv4Network(found["IPAM"]["Config"][0]["Subnet"])

    def address(self, container: str, network: str) -> str:
        found: str = self.inspect("inspect", container)["NetworkSettings"]["Networks"][network]["IPAddress"]
        return found

    def interfaces(self, container: str) -> dict[str, IPv4Interface | None]:
        """What `ifconfig` shows in the container: each interface with its address."""
        blocks = re.split(r"\n(?=\S)", self.run("exec", container, "ifconfig").text.replace("\r", ""))
        return {block.split()[0]: _address(block) for block in blocks if block.strip()}

    def reaches(self, container: str, target: str) -> bool:
        return self.run("exec", container, "ping", "-c", "1", "-W", "1", target).code == 0


def _address(block: str) -> IPv4Interface | None:
    found = re.search(r"inet addr:(\S+).*Mask:(\S+)", block)
    return IPv4Interface(f"{found[1]}/{found[2]}") if found else None


def make_rootfs(folder: Path) -> None:
    """A root file system around the machine's static busybox, with a link for each of its commands."""
    for name in ("bin", "etc", "root", "tmp", "proc", "sys", "dev"):
        (folder / name).mkdir(parents=True)
    (folder / "tmp").chmod(0o1777)
    (folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (folder / "etc/group").write_text("root:x:0:\n")
    shutil.copy(BUSYBOX, folder / "bin/busybox")
    for applet in _applets():
        (folder / "bin" / applet).symlink_to("busybox")


def _applets() -> Sequence[str]:
    listing = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True, timeout=LIMIT_S)
    return [name for name in listing.stdout.split() if name != "busybox"]
