"""The iptables commands. Each is one process; none is started where nothing changes."""

import re
import shutil
import subprocess
from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from bridgehead.core.model.errors import HostRefused
from bridgehead.host.iptables.legacy import Sizes, legacy_sizes
from bridgehead.host.iptables.listing import Listing, parse

_TIMEOUT_S = 60
_LOCK_WAIT_S = 30
_REMEMBERED_CHILDREN = 64
_FAMILY_NAMES = {4: "iptables", 6: "ip6tables"}
_LINE = re.compile(r"\bline:? (\d+)")


class Variant(StrEnum):
    """The two worlds of iptables: rules of one are not seen through the other, and packets meet both."""

    NFT = "nft"
    LEGACY = "legacy"

    @property
    def other(self) -> "Variant":
        return Variant.LEGACY if self is Variant.NFT else Variant.NFT


class Refused(HostRefused):
    """`line`: of the script, counted from 1; 0 if the command did not say."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class NotInstalled(HostRefused): ...


class Programs:
    """All methods raise HostRefused: a command is not there, or did not do it, in its own words."""

    def __init__(self, variant: Variant | None = None) -> None:
        self._variant = variant
        self._children: deque[int] = deque(maxlen=_REMEMBERED_CHILDREN)
        self._sizes: dict[int, Sizes] = {}

    @property
    def variant(self) -> Variant:
        """The one that `iptables` means on this machine, unless another was asked for."""
        if self._variant is None:
            # The command is a link to the program of one variant; where it is not, it says so itself.
            found = shutil.which("iptables")
            name = Path(found).resolve().name if found else ""
            told = name if "-" in name else self._run(["iptables", "--version"], "")
            self._variant = Variant.LEGACY if "legacy" in told else Variant.NFT
        return self._variant

    @property
    def child_pids(self) -> Sequence[int]:
        """The processes started lately, oldest first: what they changed, we changed."""
        return tuple(self._children)

    def save(self, family: int, variant: Variant | None = None) -> Listing:
        self._remember_sizes(family)  # before: what changes meanwhile has then changed since
        return parse(self._run([self._command(family, variant, "save")], ""))

    def restore(self, family: int, script: str, variant: Variant | None = None) -> None:
        """All of the script or nothing of it."""
        words = [self._command(family, variant, "restore"), "--noflush", "--wait", str(_LOCK_WAIT_S)]
        self._run(words, script)
        self._remember_sizes(family)

    def legacy_changes(self) -> frozenset[tuple[int, str]]:
        """(family, table) of those that somebody else changed since we last read or wrote them."""
        changed: set[tuple[int, str]] = set()
        for family in _FAMILY_NAMES:
            before = self._sizes.get(family, {})
            found = self._remember_sizes(family)
            names = {name for name in {*before, *found} if before.get(name) != found.get(name)}
            changed |= {(family, name) for name in names}
        return frozenset(changed)

    @property
    def legacy_is_used(self) -> bool:
        return any(self._sizes.values())

    def _remember_sizes(self, family: int) -> Sizes:
        self._sizes[family] = sizes = legacy_sizes(family)
        return sizes

    def _command(self, family: int, variant: Variant | None, verb: str) -> str:
        return f"{_FAMILY_NAMES[family]}-{variant or self.variant}-{verb}"

    def _run(self, words: Sequence[str], script: str) -> str:
        try:
            with subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as child:
                self._children.append(child.pid)
                output, errors = _outcome(child, script)
        except FileNotFoundError:
            raise NotInstalled(f"{words[0]} is not installed") from None
        if child.returncode:
            line = _LINE.search(errors)
            raise Refused(f"{words[0]}: {errors.strip()}", int(line[1]) if line else 0)
        return output


def _outcome(child: "subprocess.Popen[str]", script: str) -> tuple[str, str]:
    try:
        return child.communicate(script, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        raise HostRefused(f"{child.args!s} did not end within {_TIMEOUT_S} s") from None
