"""Options that are taken but change nothing yet: the client is told so at create, never left to find out."""

from collections.abc import Iterator, Mapping
from typing import Any

# An option counts as used when its value is neither empty nor one of the harmless ones listed here.
_HOST: dict[str, tuple[object, ...]] = {"CgroupParent": (), "OomKillDisable": (), "CpuRealtimeRuntime": ()}


def warnings(document: Mapping[str, Any]) -> list[str]:
    """`document` is a create body whose form was checked."""
    host = document.get("HostConfig") or {}
    names = _used(host, _HOST)
    return [f"{name} is not supported and has no effect" for name in names]


def _used(document: Mapping[str, Any], table: dict[str, tuple[object, ...]]) -> Iterator[str]:
    for name, harmless in table.items():
        value = document.get(name)
        if value and value not in harmless:
            yield name
