"""What `docker logs --details` puts before each line: labels and variables that the log was told to keep."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus

import msgspec

from bridgehead.core.model.container import Container


def details(container: Container) -> bytes:
    """`key=value,key=value` and a blank; the blank alone where nothing is kept."""
    options = _options(container)
    labels, variables = container.spec.labels, dict(_variables(container))
    kept = {**_kept(options, "labels", labels), **_kept(options, "env", variables)}
    words = ",".join(f"{quote_plus(key)}={quote_plus(value)}" for key, value in sorted(kept.items()))
    return f"{words} ".encode()


def _options(container: Container) -> Mapping[str, str]:
    host = msgspec.json.decode(container.host_config_echo, type=dict[str, Any])
    config = (host.get("LogConfig") or {}).get("Config") or {}
    return {key: value for key, value in config.items() if isinstance(value, str)}


def _variables(container: Container) -> Iterator[tuple[str, str]]:
    for variable in container.spec.process.environment:
        key, _, value = variable.partition("=")
        yield key, value


def _kept(options: Mapping[str, str], name: str, there: Mapping[str, str]) -> dict[str, str]:
    named = {key for key in options.get(name, "").split(",") if key}
    pattern = options.get(f"{name}-regex", "")
    return {key: value for key, value in there.items() if key in named or _matches(pattern, key)}


def _matches(pattern: str, key: str) -> bool:
    try:
        return bool(pattern) and re.search(pattern, key) is not None
    except re.error:
        return False
