"""dockerd's flags by their names, and the same as keys of daemon.json; a key in both is an error."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from bridgehead.core.layout import Layout
from bridgehead.core.model.errors import InvalidParameter

DEFAULT_HOST = "unix:///run/bridgehead/bridgehead.sock"
DEFAULT_CONFIG_FILE = "/etc/bridgehead/daemon.json"
_LEVELS = ("debug", "info", "warn", "error", "fatal")


@dataclass(frozen=True, slots=True)
class Settings:
    hosts: tuple[str, ...] = (DEFAULT_HOST,)
    data_root: str = "/var/lib/bridgehead"
    exec_root: str = "/run/bridgehead"
    pidfile: str = "/run/bridgehead.pid"
    debug: bool = False
    log_level: str = "info"
    group: str = "docker"
    plan: bool = False

    @property
    def layout(self) -> Layout:
        return Layout(self.data_root, self.exec_root)


def parse(arguments: Sequence[str]) -> Settings:
    """
    Raises:
        InvalidParameter: a value, the file, or the two together make no sense.
        SystemExit: argparse's own answer to --help and unknown flags.
    """
    given = {key: value for key, value in vars(_parser().parse_args(arguments)).items() if value is not None}
    path = given.pop("config_file", None)
    file = _read(path or DEFAULT_CONFIG_FILE, required=path is not None)
    if both := sorted(given.keys() & file.keys()):
        conflicts = ", ".join(
            f"{_key(name)}: (from flag: {given[name]}, from file: {file[name]})" for name in both
        )
        raise InvalidParameter(
            "the following directives are specified both as a flag and in the configuration file: "
            f"{conflicts}"
        )
    return _settings({**given, **file})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bridgehead daemon", description="The Bridgehead daemon.", argument_default=None
    )
    parser.add_argument("-H", "--host", action="append", dest="hosts", metavar="unix://PATH")
    parser.add_argument("--data-root", metavar="DIR")
    parser.add_argument("--exec-root", metavar="DIR")
    parser.add_argument("-p", "--pidfile", metavar="FILE")
    parser.add_argument("--config-file", metavar="FILE")
    parser.add_argument("-D", "--debug", action="store_true", default=None)
    parser.add_argument("-l", "--log-level", metavar="|".join(_LEVELS))
    parser.add_argument("--group", metavar="NAME")
    parser.add_argument(
        "--plan",
        action="store_true",
        default=None,
        help="print what a start would change, and change nothing",
    )
    return parser


def _read(path: str, *, required: bool) -> Mapping[str, object]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        if required:
            raise InvalidParameter(f"the configuration file {path} does not exist") from None
        return {}
    except OSError as error:
        raise InvalidParameter(f"the configuration file {path} cannot be read: {error.strerror}") from error
    try:
        content = json.loads(text or "{}")
    except ValueError as error:
        raise InvalidParameter(f"the configuration file {path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise InvalidParameter(f"the configuration file {path} must hold one JSON object")
    known = {_key(field.name): field.name for field in fields(Settings) if field.name != "plan"}
    if unknown := sorted(content.keys() - known.keys()):
        raise InvalidParameter(
            f"the following directives don't match any configuration option: {', '.join(unknown)}"
        )
    return {known[key]: value for key, value in content.items()}


def _key(name: str) -> str:
    return name.replace("_", "-")


def _settings(values: Mapping[str, object]) -> Settings:
    defaults = Settings()
    checked: dict[str, object] = {}
    for name, value in values.items():
        wanted = getattr(defaults, name)
        found = tuple(value) if isinstance(wanted, tuple) and isinstance(value, list) else value
        if type(found) is not type(wanted):
            raise InvalidParameter(f"{_key(name)}: expected {_kind(wanted)}, found {value!r}")
        checked[name] = found
    settings = Settings(**checked)  # type: ignore[arg-type]
    _check(settings)
    return settings


def _kind(value: object) -> str:
    return {tuple: "a list of texts", bool: "true or false"}.get(type(value), "a text")


def _check(settings: Settings) -> None:
    for host in settings.hosts:
        if not str(host).startswith("unix:///"):
            raise InvalidParameter(f"host {host!r}: only unix:///absolute/path is supported by this version")
    for name in ("data_root", "exec_root"):
        if not getattr(settings, name).startswith("/"):
            raise InvalidParameter(f"{_key(name)} must be an absolute path, not {getattr(settings, name)!r}")
    if settings.log_level not in _LEVELS:
        raise InvalidParameter(f"log-level {settings.log_level!r} is none of {', '.join(_LEVELS)}")
