"""Takes out of an output what may differ between two runs of the same daemon, and nothing else.

Identifiers are numbered in the order of their appearance, so that equal ones stay equal and others differ;
all but those that are a whole line, because a client that fails may or may not have printed one.
"""

import re

from tests.support.docker import Answer

_IDENTIFIER = re.compile(r"(?<![0-9a-z])(?:[0-9a-f]{64}|[0-9a-f]{12})(?![0-9a-z])")
_WHOLE_LINE = re.compile(r"(?m)^(?:[0-9a-f]{64}|[0-9a-f]{12})$")
_AGE = r"(?:Less than a second|About an? \w+|\d+ \w+)"
_MASKS = [
    (re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b"), "MAC"),
    (re.compile(r"\bfe80::[0-9a-f:]+"), "LINK-LOCAL"),
    (re.compile(r"\bveth[0-9a-f]{7}\b"), "VETH"),
    (re.compile(r"\b(\w+)@if\d+"), r"\1@ifN"),
    (re.compile(r"(?m)^\d+: (?=[a-z])"), "N: "),
    (re.compile(r"(?m)^overlay on / .*"), "overlay on / OPTIONS"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| ?[+-]\d\d:?\d\d)?(?: [A-Z]{3})?"), "TIME"),
    (re.compile(rf"\b{_AGE} ago"), "AGO"),
    (re.compile(rf"\bUp {_AGE}"), "Up AGE"),
    (re.compile(r"\btime=[\d.]+ ms"), "time=MS"),
    (re.compile(r"= [\d.]+/[\d.]+/[\d.]+ ms"), "= MS"),
    (re.compile(r" qlen \d+"), ""),  # the transmit queue's length: nothing that a container notices
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r"(?m)^(\w+) \d+ \d+ \d+ \d\d:\d\d \?"), r"\1 PID PPID C STIME ?"),
]


class Normaliser:
    """One per session: it remembers which identifier got which number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def text(self, raw: str) -> str:
        text = _WHOLE_LINE.sub("ID", raw.replace("\r\n", "\n"))
        text = _IDENTIFIER.sub(self._number, text)
        for pattern, replacement in _MASKS:
            text = pattern.sub(replacement, text)
        return text

    def _number(self, match: re.Match[str]) -> str:
        return f"ID{self._numbers.setdefault(match[0][:12], len(self._numbers) + 1)}"

    def lines(self, answer: Answer) -> list[str]:
        """The exit code, then what was printed, each on lines of its own."""
        out = [f"out {line.rstrip()}".rstrip() for line in self.text(answer.out).splitlines()]
        err = [f"err {line.rstrip()}" for line in self.text(answer.err).splitlines() if line.strip()]
        return [f"exit {answer.code}", *out, *err]
