"""The overlay mounts of /proc/self/mountinfo as values."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from bridgehead.core.plan.objects import OverlayMount

_OCTAL = re.compile(r"\\([0-7]{3})")
_TARGET = 4


def overlays(root: str) -> dict[str, OverlayMount]:
    """Overlay mounts below `root` by target; of several at one place, the one on top.

    Targets are spelled with `root` as it is given, though the kernel knows none of its symbolic links.
    """
    table = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    return {mount.target: mount for mount in _parsed(table, root, os.path.realpath(root))}


def _parsed(table: str, root: str, real_root: str) -> Iterator[OverlayMount]:
    for line in table.splitlines():
        place, _, file_system = line.partition(" - ")
        if not file_system.startswith("overlay "):
            continue
        target = _plain(place.split(" ")[_TARGET])
        if target.startswith(f"{real_root}/"):
            yield _overlay(root + target.removeprefix(real_root), file_system.rpartition(" ")[2])


def _overlay(target: str, options: str) -> OverlayMount:
    """The kernel lists layers highest first: in one option, or each in its own `lowerdir+`."""
    highest_first: list[str] = []
    single = {"upperdir": "", "workdir": ""}
    for option in options.split(","):
        key, _, value = option.partition("=")
        if key == "lowerdir":
            highest_first = _plain(value).split(":")
        elif key == "lowerdir+":
            highest_first.append(_plain(value))
        elif key in single:
            single[key] = _plain(value)
    return OverlayMount(target, tuple(reversed(highest_first)), single["upperdir"], single["workdir"])


def _plain(field: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), field)
