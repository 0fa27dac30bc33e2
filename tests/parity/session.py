"""Runs one scenario on a fresh daemon and keeps what was seen."""

import re
import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support import nameserver
from tests.support.daemon import Daemon, DaemonFailed
from tests.support.docker import Answer, Docker
from tests.support.testhost import Host
from tests.support.wait import until

_MACHINE, _DAEMON = "machine: ", "daemon: "
Maker = Callable[..., Daemon]  # of a host and the daemon's flags


@dataclass(frozen=True, slots=True)
class Step:
    command: str
    answer: Answer
    unordered: bool = False


def play(make: Maker, commands: Sequence[str]) -> list[Step]:
    """Every step in order. The daemon is not stopped: its whole machine is dropped, which is quicker."""
    with Host("machine") as host:
        nameserver.start(host)
        flags, rest = _prepared(host, commands)
        daemon = make(host, *flags).start()
        daemon.import_image()
        try:
            return [_step(daemon, command) for command in rest]
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise DaemonFailed(f"{error}\n{daemon.log()}") from error


def _prepared(host: Host, commands: Sequence[str]) -> tuple[list[str], Sequence[str]]:
    """The flags of the `daemon:` line, and what comes after it; what comes before it is done here."""
    position = next((at for at, line in enumerate(commands) if line.startswith(_DAEMON)), None)
    if position is None:
        return [], commands
    for line in commands[:position]:
        host.run(*shlex.split(line.removeprefix(_MACHINE)))
    return shlex.split(commands[position].removeprefix(_DAEMON)), commands[position + 1 :]


def _step(daemon: Daemon, command: str) -> Step:
    if command.startswith(_MACHINE):
        words = shlex.split(command.removeprefix(_MACHINE))
        outcome = daemon.host.run(*words, check=False)
        return Step(command, Answer(tuple(words), outcome.returncode, outcome.stdout, outcome.stderr))
    docker = daemon.docker
    marks = r"(?P<sorted>sorted(?:: | (?=until )))?(?:until (?P<pattern>.+?) ?: )?"
    match = re.fullmatch(marks + r"(?P<words>.*)", command)
    assert match is not None
    words = shlex.split(match["words"])
    unordered = bool(match["sorted"])
    if match["pattern"]:
        pattern = re.compile(match["pattern"], re.MULTILINE)
        return Step(command, _run_until(docker, words, pattern), unordered)
    return Step(command, docker(*words), unordered)


def _run_until(docker: Docker, words: list[str], pattern: re.Pattern[str]) -> Answer:
    def shown() -> Answer | None:
        answer = docker(*words)
        return answer if pattern.search(answer.out) else None

    return until(shown, f"{pattern.pattern!r} in the output of {words}")
