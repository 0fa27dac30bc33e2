"""What the audience sees: headings, commands with their output, and for each check ok or FAILED."""

import shlex
import sys
from collections.abc import Sequence

GREEN, RED, BOLD, FAINT, PLAIN = "\033[32m", "\033[31m", "\033[1m", "\033[2m", "\033[0m"


class Narrator:
    """`client` is the word that stands for the command line in use."""

    def __init__(self, client: str) -> None:
        self.client = client
        self._colour = sys.stdout.isatty()
        self._passed = 0
        self._failed: list[str] = []

    def heading(self, text: str) -> None:
        self._line(f"\n{self._painted(BOLD, f'== {text}')}")

    def command(self, words: Sequence[str] | str) -> None:
        self._line(f"$ {words if isinstance(words, str) else shlex.join(words)}")

    def output(self, text: str) -> None:
        shown = text.replace("\r\n", "\n").rstrip("\n")
        if shown:
            self._line(self._painted(FAINT, shown))

    def check(self, what: str, *, expected: object, found: object) -> bool:
        """Equal is ok; else both are printed, and the play goes on."""
        if expected == found:
            self._passed += 1
            self._line(f"{self._painted(GREEN, 'ok')}      {what}")
            return True
        self._failed.append(what)
        self._line(f"{self._painted(RED, 'FAILED')}  {what}: expected {expected!r}, found {found!r}")
        return False

    def close(self) -> int:
        """The exit code, after a last line that says how it went."""
        if self._failed:
            self._line(
                f"\n{self._painted(RED, 'FAILED')}: {len(self._failed)} of {self._passed + len(self._failed)}"
            )
            return 1
        self._line(f"\n{self._painted(GREEN, 'ok')}: all {self._passed} checks are as the chapter says")
        return 0

    def _line(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def _painted(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._colour else text
