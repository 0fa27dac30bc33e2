"""Reads the command line as dockerd reads it, and the file beside it; what came from both is refused.

Python's own argument parsers take `--icc false` for a switch with its value; dockerd, and whoever knows it,
does not: a switch's value comes after '='.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bridgehead.core.model.errors import InvalidParameter
from bridgehead.daemon import kinds
from bridgehead.daemon.checking import checked
from bridgehead.daemon.flags import BY_KEY, BY_NAME, BY_SHORT, DEFAULT_CONFIG_FILE, FLAGS, Flag, Settings

_PROGRAM = "bridgehead daemon"
Texts = Mapping[str, list[str]]


def parse(arguments: Sequence[str]) -> Settings:
    """
    Raises:
        InvalidParameter: a flag, the file, or the two together make no sense.
        SystemExit: --help was asked for, and given.
    """
    given = _given(arguments)
    path = given.get("config-file")
    file = _file(path[-1] if path else DEFAULT_CONFIG_FILE, required=path is not None)
    if both := [flag for flag in FLAGS if flag.name in given and flag.key in file]:
        raise InvalidParameter(
            "the following directives are specified both as a flag and in the configuration file: "
            + ", ".join(
                f"{flag.key}: (from flag: {_shown(_plain(flag, given[flag.name]))}, "
                f"from file: {_shown(file[flag.key])})"
                for flag in both
            )
        )
    values = {flag.name: flag.default for flag in FLAGS}
    values |= {name: _from_texts(BY_NAME[name], texts) for name, texts in given.items()}
    values |= {BY_KEY[key].name: _from_file(BY_KEY[key], value) for key, value in file.items()}
    return checked(values)


def _given(arguments: Sequence[str]) -> Texts:
    found: dict[str, list[str]] = {}
    for flag, text in _pairs(list(arguments)):
        found.setdefault(flag.name, []).append(text)
    return found


def _pairs(words: list[str]) -> Iterator[tuple[Flag, str]]:
    while words:
        word = words.pop(0)
        if word in {"-h", "--help"}:
            sys.stdout.write(usage())
            raise SystemExit(0)
        if word.startswith("--") and word != "--":
            yield _long(word, words)
        elif word.startswith("-") and word not in {"-", "--"}:
            yield from _short(word, words)
        else:
            raise InvalidParameter(
                f'"{_PROGRAM}" accepts no arguments, but {word!r} is one; '
                'a switch takes its value after "=", as in --icc=false'
            )


def _long(word: str, words: list[str]) -> tuple[Flag, str]:
    name, equals, value = word[2:].partition("=")
    flag = BY_NAME.get(name)
    if flag is None:
        raise InvalidParameter(f"unknown flag: --{name}\nSee '{_PROGRAM} --help'.")
    if equals:
        return flag, value
    if flag.kind is kinds.TRUTH:
        return flag, "true"
    if not words:
        raise InvalidParameter(f"flag needs an argument: --{name}\nSee '{_PROGRAM} --help'.")
    return flag, words.pop(0)


def _short(word: str, words: list[str]) -> Iterator[tuple[Flag, str]]:
    """Switches may share a dash; the first that takes a value takes the rest of the word."""
    letters = word[1:]
    while letters:
        flag = BY_SHORT.get(letters[0])
        if flag is None:
            raise InvalidParameter(
                f"unknown shorthand flag: '{letters[0]}' in {word}\nSee '{_PROGRAM} --help'."
            )
        letter, letters = letters[0], letters[1:]
        if letters.startswith("="):
            yield flag, letters[1:]
            return
        if flag.kind is kinds.TRUTH:
            yield flag, "true"
            continue
        if not letters and not words:
            raise InvalidParameter(f"flag needs an argument: '{letter}' in {word}\nSee '{_PROGRAM} --help'.")
        yield flag, letters or words.pop(0)
        return


def _plain(flag: Flag, texts: list[str]) -> object:
    return texts if flag.kind.many else texts[-1]


def _from_texts(flag: Flag, texts: list[str]) -> object:
    try:
        values = tuple(flag.kind.parse(text) for text in texts)
    except ValueError as error:
        raise InvalidParameter(
            f'invalid argument "{texts[-1]}" for "--{flag.name}" flag: {error}\nSee \'{_PROGRAM} --help\'.'
        ) from None
    return values if flag.kind.many else values[-1]


def _from_file(flag: Flag, value: Any) -> object:
    try:
        return flag.kind.from_json(value) if flag.kind.from_json else _from_json(flag.kind, value)
    except TypeError:
        raise InvalidParameter(f"{flag.key}: expected {flag.kind.expected}, found {value!r}") from None
    except ValueError as error:
        raise InvalidParameter(f"{flag.key}: {error}") from None


def _from_json(kind: kinds.Kind, value: Any) -> object:
    if not kind.many:
        return _scalar(kind, value)
    if not isinstance(value, list):
        raise TypeError
    return tuple(_scalar(kind, item) for item in value)


def _scalar(kind: kinds.Kind, value: Any) -> Any:
    if type(value) is not kind.scalar:
        raise TypeError
    return kind.parse(value) if isinstance(value, str) else value


def _file(path: str, *, required: bool) -> Mapping[str, Any]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        if required:
            raise InvalidParameter(f"the configuration file {path} does not exist") from None
        return {}
    except OSError as error:
        raise InvalidParameter(f"the configuration file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidParameter(f"the configuration file {path} is not JSON: {error}") from error
    try:
        content = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"the configuration file {path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise InvalidParameter(f"the configuration file {path} must hold one JSON object")
    if unknown := sorted(content.keys() - BY_KEY.keys()):
        raise InvalidParameter(
            f"the following directives don't match any configuration option: {', '.join(unknown)}"
        )
    return content


def _shown(value: object) -> str:
    """As Go prints it, which is how dockerd words the conflict."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"[{' '.join(map(_shown, value))}]" if isinstance(value, list) else str(value)


def usage() -> str:
    lines = [f"Usage:  {_PROGRAM} [OPTIONS]", "", "The Bridgehead daemon.", "", "Options:"]
    for flag in FLAGS:
        short = f"-{flag.short}, " if flag.short else "    "
        lines.append(f"  {short}{f'--{flag.name} {flag.kind.metavar}':<40} {flag.meaning}")
    return "\n".join(lines) + "\n"
