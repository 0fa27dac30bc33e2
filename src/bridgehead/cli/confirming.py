"""Verbs that take away many things ask first, unless --force."""

import sys
from collections.abc import Mapping, Sequence

from bridgehead.cli.format import size


def confirmed(warning: str) -> bool:
    print(f"{warning}\nAre you sure you want to continue? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def deleted(title: str, names: Sequence[str]) -> None:
    if names:
        print(title, *names, "", sep="\n")


def reclaimed(*replies: Mapping[str, object] | None) -> None:
    counts = [(reply or {}).get("SpaceReclaimed") for reply in replies]
    print(f"Total reclaimed space: {size(sum(count for count in counts if isinstance(count, int)))}")
