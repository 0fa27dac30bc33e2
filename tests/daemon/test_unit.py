"""The systemd unit and its file of options, run as systemd would run them."""

import configparser
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.bridgehead import RECIPE
from tests.support.daemon import Daemon, Recipe
from tests.support.testhost import Host

FOLDER = Path(__file__).parents[2] / "packaging"
UNIT, OPTIONS = FOLDER / "bridgehead.service", FOLDER / "bridgehead.default"


class _Unit(configparser.RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr


def _service() -> dict[str, str]:
    unit = _Unit()
    unit.read(UNIT)
    return dict(unit["Service"])


def _variables(text: str) -> dict[str, str]:
    """As systemd reads an EnvironmentFile: assignments, comments, quotes around a value."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("#", ";"))]
    return {name: " ".join(shlex.split(value)) for name, _, value in (line.partition("=") for line in lines)}


def _command(variables: dict[str, str]) -> list[str]:
    """As systemd expands ExecStart: a variable that is a word of its own is split at white space."""
    found: list[str] = []
    for word in shlex.split(_service()["ExecStart"]):
        found += shlex.split(variables[word[1:]]) if word.startswith("$") else [word]
    return found


def test_the_service_is_what_containers_need_to_outlive_it() -> None:
    service = _service()

    assert service["EnvironmentFile"] == "-/etc/default/bridgehead"
    assert service["KillMode"] == "process"
    assert service["Delegate"] == "yes"
    assert service["ExecReload"].endswith("kill -HUP $MAINPID")
    assert service["Type"] == "notify"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/bridgehead", shutil.which("true") or ""))

    verdict = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=30, check=False
    )

    assert (verdict.returncode, verdict.stderr) == (0, "")


def test_the_file_as_it_is_shipped_says_nothing() -> None:
    assert _command(_variables(OPTIONS.read_text())) == ["/usr/local/bin/bridgehead", "daemon"]


@pytest.mark.host
def test_docker_opts_of_the_file_reach_the_daemon_which_says_when_it_is_ready(host: Host) -> None:
    example = next(line[2:] for line in OPTIONS.read_text().splitlines() if line.startswith("# DOCKER_OPTS="))
    told = host.folder / "notify.sock"
    recipe = Recipe(
        RECIPE.kind,
        (RECIPE.argv[0], *_command(_variables(example))[1:], *RECIPE.argv[2:]),
        {**RECIPE.environment, "NOTIFY_SOCKET": str(told)},
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(told))
        manager.settimeout(10)
        with Daemon(host, recipe) as daemon:
            assert manager.recv(100) == b"READY=1"

            daemon.import_image()
            script = "ip -o -4 address show eth0; cat /etc/resolv.conf"
            shown = daemon.docker.ok("run", "--rm", "busybox", "sh", "-c", script)
            environment = daemon.docker.ok("run", "--rm", "busybox", "env")
        assert manager.recv(100) == b"STOPPING=1"

    assert "inet 172.17.1.1/16" in shown
    assert "nameserver 8.8.8.8\nnameserver 8.8.4.4" in shown
    assert "NOTIFY_SOCKET" not in environment
