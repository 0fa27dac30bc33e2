"""A real firewalld with a message bus of its own, on a test host. script/bootstrap does not install it: on a
machine with systemd its package begins to filter at once.
"""

import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, Self

from tests.support.testhost import Host
from tests.support.wait import until

_SOCKET = "run/dbus/system_bus_socket"
_PROGRAMS = ("firewalld", "firewall-cmd", "dbus-daemon")
MISSING = ", ".join(program for program in _PROGRAMS if shutil.which(program) is None)
_POLICY = "--policy=docker-forwarding"
_DOCKERS_ZONE = (
    ("--new-zone=docker",),
    ("--zone=docker", "--set-target=ACCEPT"),
    ("--new-policy=docker-forwarding",),
    (_POLICY, "--add-ingress-zone=ANY"),
    (_POLICY, "--add-egress-zone=docker"),
    (_POLICY, "--set-target=ACCEPT"),
)


class Firewalld:
    """A context manager. `with_docker_zone`: with the zone and the policy that a dockerd leaves."""

    def __init__(self, host: Host, *, with_docker_zone: bool = False) -> None:
        self._host = host
        self._log_path = host.folder / "firewalld.log"
        self._process: subprocess.Popen[Any] | None = None
        self._keep_configuration_apart()
        if with_docker_zone:
            for words in _DOCKERS_ZONE:
                host.run("firewall-offline-cmd", *words)

    def _keep_configuration_apart(self) -> None:
        own = self._host.folder / "etc-firewalld"
        own.mkdir(exist_ok=True)
        self._host.run("cp", "-a", "/etc/firewalld/.", own)
        self._host.run("mount", "--bind", own, "/etc/firewalld")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        if not (self._host.root / _SOCKET).exists():
            self._host.run("mkdir", "-p", Path("/", _SOCKET).parent)
            self._popen(
                "dbus-daemon", "--system", "--nofork", "--nopidfile", f"--address=unix:path=/{_SOCKET}"
            )
            until((self._host.root / _SOCKET).exists, "the message bus")
        self._process = self._popen("firewalld", "--nofork", "--nopid")
        until(self._answers, "firewalld", 30)
        return self

    def _popen(self, *words: str) -> "subprocess.Popen[Any]":
        with self._log_path.open("ab") as log:
            return self._host.popen([*words], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log_path.read_text()
        return self._host.run("firewall-cmd", "--state", check=False).returncode == 0

    def stop(self) -> None:
        """It takes its rules away. Safe to call twice."""
        if self._process is None:
            return
        self._signal(signal.SIGTERM)
        self._process.wait(20)
        self._process = None

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._signal(signal.SIGCONT)
        self._process.send_signal(signal.SIGCONT)  # its parent outside has stopped with it

    def _signal(self, number: int) -> None:
        for pid, words in self._host.processes().items():
            if "firewalld --nofork" in words:
                self._host.kill(pid, number)

    def tell(self, *words: str) -> str:
        """What `firewall-cmd` answers."""
        return self._host.run("firewall-cmd", *words, timeout_s=30).stdout.strip()

    def members(self, zone: str) -> set[str]:
        return set(self.tell(f"--zone={zone}", "--list-interfaces").split())
