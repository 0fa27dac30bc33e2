"""Runs one scenario on a fresh daemon and keeps what was seen, line by line."""

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.parity.normalise import Normaliser
from tests.support import nameserver
from tests.support.daemon import Daemon
from tests.support.docker import Answer, Docker
from tests.support.testhost import Host
from tests.support.wait import until

Maker = Callable[[Host], Daemon]


@dataclass(frozen=True, slots=True)
class Step:
    command: str
    lines: tuple[str, ...]


def play(make: Maker, commands: Sequence[str]) -> list[Step]:
    """Every step in order. The daemon is not stopped: its whole machine is dropped, which is quicker."""
    with Host("machine") as host:
        nameserver.start(host)
        daemon = make(host).start()
        daemon.import_image()
        normaliser = Normaliser()
        return [Step(command, tuple(normaliser.lines(_run(daemon.docker, command)))) for command in commands]


def _run(docker: Docker, command: str) -> Answer:
    match = re.fullmatch(r"(?:until (?P<pattern>.+?) ?: |(?P<sorted>sorted): )?(?P<words>.*)", command)
    assert match is not None
    words = shlex.split(match["words"])
    if match["pattern"]:
        return _run_until(docker, words, re.compile(match["pattern"], re.MULTILINE))
    answer = docker(*words)
    if match["sorted"]:
        return replace(answer, out="\n".join(sorted(answer.out.splitlines())))
    return answer


def _run_until(docker: Docker, words: list[str], pattern: re.Pattern[str]) -> Answer:
    def shown() -> Answer | None:
        answer = docker(*words)
        return answer if pattern.search(answer.out) else None

    return until(shown, f"{pattern.pattern!r} in the output of {words}")
