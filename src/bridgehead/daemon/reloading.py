"""SIGHUP: the command line and the file are read again; what can change at once does, the rest is named."""

import logging
from collections.abc import Callable, Sequence

from bridgehead.core.model.errors import InvalidParameter
from bridgehead.daemon.checking import checked
from bridgehead.daemon.flags import FLAGS, Settings
from bridgehead.daemon.reading import parse

_log = logging.getLogger("bridgehead.daemon")


def reloaded(
    running: Settings, arguments: Sequence[str], read: Callable[[Sequence[str]], Settings] = parse
) -> Settings | None:
    """The settings to go on with; None when what is read now makes no sense."""
    try:
        found = read(arguments)
    except InvalidParameter as error:
        _log.error("nothing reloaded: %s", error.message)
        return None
    changed = [flag for flag in FLAGS if found.values[flag.name] != running.values[flag.name]]
    if late := [f"--{flag.name}" for flag in changed if not flag.reloads]:
        _log.warning("changed, but in force only after a restart: %s", ", ".join(late))
    now = {flag.name: found.values[flag.name] for flag in changed if flag.reloads}
    if now:
        _log.info("reloaded: %s", ", ".join(f"--{name}" for name in now))
    return checked({**running.values, **now})


def text(value: object) -> str:
    """A flag's value as an event tells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{','.join(map(text, value))}]"
    return "" if value is None else str(value)
