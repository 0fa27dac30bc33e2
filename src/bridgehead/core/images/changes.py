"""Docker's `--change`: Dockerfile instructions laid over the configuration of an image in the making."""

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from bridgehead.core import exposed
from bridgehead.core.images import words
from bridgehead.core.images.config import Process
from bridgehead.core.images.healthcheck import instruction
from bridgehead.core.model.errors import InvalidParameter

_SHELL = ["/bin/sh", "-c"]

Instruction = Callable[[Process, str], Process]


def applied(process: Process, changes: Sequence[str]) -> Process:
    """`process` after every instruction, in order. One change may hold several lines.

    Raises:
        InvalidParameter: a line is no instruction that makes sense here.
    """
    for line in _lines(changes):
        keyword, _, rest = line.partition(" ")
        instruction = _INSTRUCTIONS.get(keyword.upper())
        if instruction is None:
            raise InvalidParameter(f"{keyword.upper()} is not a valid change command")
        if not rest.strip():
            raise InvalidParameter(f"{keyword.upper()} requires at least one argument")
        process = instruction(process, rest.strip())
    return process


def keywords(changes: Sequence[str]) -> set[str]:
    """Which instructions are among them, in capitals."""
    return {line.partition(" ")[0].upper() for line in _lines(changes)}


def _lines(changes: Sequence[str]) -> Iterable[str]:
    joined = re.sub(r"\\[ \t]*\n", "", "\n".join(changes))
    lines = (line.strip().replace("\t", " ") for line in joined.split("\n"))
    return (line for line in lines if line and not line.startswith("#"))


def _argv(rest: str) -> list[str]:
    """JSON form as it is; anything else is a line for the shell."""
    listed = _json_words(rest)
    return [*_SHELL, rest] if listed is None else listed


def _json_words(rest: str) -> list[str] | None:
    if not rest.startswith("["):
        return None
    try:
        return msgspec.json.decode(rest, type=list[str])
    except (msgspec.MsgspecError, RecursionError):
        return None


def _variables(process: Process) -> Mapping[str, str]:
    pairs = (variable.partition("=") for variable in process.env or ())
    return {key: value for key, _, value in pairs}


def _pairs(keyword: str, process: Process, rest: str) -> list[tuple[str, str]]:
    """`a=b c="d e"`, or the old form `a the rest of the line`."""
    variables = _variables(process)
    raw = words.raw(rest)
    if "=" not in raw[0]:
        key, _, value = rest.partition(" ")
        if not value.strip():
            raise InvalidParameter(f"{keyword} must have two arguments")
        return [(words.unquote(key, variables), words.unquote(value.strip(), variables))]
    pairs = [word.partition("=") for word in raw]
    for key, equals, _ in pairs:
        if not equals:
            raise InvalidParameter(f"Syntax error - can't find = in {key!r}. Must be of the form: name=value")
        if not key:
            raise InvalidParameter(f"{keyword} names can not be blank")
    return [(words.unquote(key, variables), words.unquote(value, variables)) for key, _, value in pairs]


def _cmd(process: Process, rest: str) -> Process:
    return msgspec.structs.replace(process, cmd=_argv(rest))


def _entrypoint(process: Process, rest: str) -> Process:
    return msgspec.structs.replace(process, entrypoint=_argv(rest))


def _env(process: Process, rest: str) -> Process:
    variables = {**_variables(process), **dict(_pairs("ENV", process, rest))}
    return msgspec.structs.replace(process, env=[f"{key}={value}" for key, value in variables.items()])


def _label(process: Process, rest: str) -> Process:
    labels = {**(process.labels or {}), **dict(_pairs("LABEL", process, rest))}
    return msgspec.structs.replace(process, labels=labels)


def _expose(process: Process, rest: str) -> Process:
    ports = dict(process.exposed_ports or {})
    for word in words.split(rest, _variables(process)):
        ports.update({port: {} for port in _ports(word)})
    return msgspec.structs.replace(process, exposed_ports=ports)


def _ports(word: str) -> tuple[str, ...]:
    try:
        return exposed.spelled([word])
    except InvalidParameter:
        raise InvalidParameter(f"invalid containerPort: {word}") from None


def _user(process: Process, rest: str) -> Process:
    return msgspec.structs.replace(process, user=_single("USER", process, rest))


def _workdir(process: Process, rest: str) -> Process:
    wanted = words.unquote(rest, _variables(process))
    path = posixpath.normpath(posixpath.join(process.working_dir or "/", wanted))
    return msgspec.structs.replace(process, working_dir=path)


def _stop_signal(process: Process, rest: str) -> Process:
    return msgspec.structs.replace(process, stop_signal=_single("STOPSIGNAL", process, rest))


def _healthcheck(process: Process, rest: str) -> Process:
    return msgspec.structs.replace(process, healthcheck=instruction(rest))


def _volume(process: Process, rest: str) -> Process:
    paths = _json_words(rest)
    if paths is None:
        paths = words.split(rest, _variables(process))
    if not all(path.strip() for path in paths):
        raise InvalidParameter("VOLUME specified can not be an empty string")
    return msgspec.structs.replace(
        process, volumes={**(process.volumes or {}), **{path: {} for path in paths}}
    )


def _single(keyword: str, process: Process, rest: str) -> str:
    found = words.split(rest, _variables(process))
    if len(found) != 1:
        raise InvalidParameter(f"{keyword} requires exactly one argument")
    return found[0]


_INSTRUCTIONS: Mapping[str, Instruction] = {
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
