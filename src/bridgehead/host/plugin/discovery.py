"""Finds plugins by name, in the folders and the order Docker looks in."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bridgehead.core.model.errors import PluginMissing
from bridgehead.host.plugin.location import Location, at_socket, described

# One component of a path, and none that is hidden or leads upwards.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,127}")


@dataclass(frozen=True, slots=True)
class Folders:
    sockets: tuple[str, ...] = ("/run/docker/plugins",)
    specifications: tuple[str, ...] = ("/etc/docker/plugins", "/usr/lib/docker/plugins")

    def reason(self, name: str) -> str:
        """The end of a sentence for a plugin that is in none of them."""
        return (
            f"looked for {name}.sock in {', '.join(self.sockets)}, "
            f"{name}.spec and {name}.json in {', '.join(self.specifications)}"
        )


def find(name: str, folders: Folders) -> Location:
    """
    Raises:
        PluginMissing: it is nowhere, or its name is not one a file here could have.
        PluginUnreachable: a file is there but does not say where the plugin is.
    """
    if not _NAME.fullmatch(name):
        raise PluginMissing(name, "a plugin's name consists of letters, digits and _ . : @ + -")
    for path in _candidates(folders.sockets, name, ".sock"):
        if _is_socket(path):
            return at_socket(name, path)
    for folder in folders.specifications:
        for suffix in (".spec", ".json"):
            for path in _candidates((folder,), name, suffix):
                try:
                    return described(name, path)
                except FileNotFoundError:
                    continue
    raise PluginMissing(name, folders.reason(name))


def known(folders: Folders) -> list[str]:
    """Every name `find` would look at a file for, sorted."""
    found = set(_names(folders.sockets, (".sock",))) | set(_names(folders.specifications, (".spec", ".json")))
    return sorted(name for name in found if _NAME.fullmatch(name))


def _candidates(folders: tuple[str, ...], name: str, suffix: str) -> Iterator[Path]:
    for folder in folders:
        yield Path(folder, name + suffix)
        yield Path(folder, name, name + suffix)


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _names(folders: tuple[str, ...], suffixes: tuple[str, ...]) -> Iterator[str]:
    for folder in folders:
        for entry in _entries(folder):
            path = Path(entry)
            if path.suffix in suffixes:
                yield path.stem
            elif any((path / f"{path.name}{suffix}").exists() for suffix in suffixes):
                yield path.name


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
