"""What templates may call, and how their values look as text: Go's rules, for the values JSON has."""

import json
import re
from collections.abc import Callable, Mapping
from functools import reduce

from bridgehead.cli.client import CommandFailed

VERB = re.compile(r"%([-+ 0#]*)(\d*)(?:\.(\d+))?([a-zA-Z%])")
MARKUP = str.maketrans({"&": "\\u0026", "<": "\\u003c", ">": "\\u003e"})


class Row(dict[str, object]):
    """One line of a listing: its fields by name. Callable ones take words, as in `{{.Label "tier"}}`."""


def as_json(value: object) -> str:
    """One line. A whole row is sorted and has its markup escaped, as docker's encoder does it."""
    if isinstance(value, Row):
        plain = {key: entry for key, entry in sorted(value.items()) if not callable(entry)}
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).translate(MARKUP)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "<no value>"
    if isinstance(value, list):
        return f"[{' '.join(map(shown, value))}]"
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{shown(entry)}' for key, entry in sorted(value.items()))}]"
    return str(value)


def _entry(value: object, key: object) -> object:
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return value.get(key, "") if isinstance(value, Mapping) else ""


def _printf(layout: str, *arguments: object) -> str:
    rest = iter(arguments)

    def replaced(found: "re.Match[str]") -> str:
        flags, width, precision, verb = found.groups()
        if verb == "%":
            return "%"
        value = next(rest, None)
        spec = f"%{flags}{width}" + (f".{precision}" if precision else "")
        if verb in "dxXo" and isinstance(value, int):
            return f"{spec}{verb}" % value
        if verb in "feg" and isinstance(value, int | float):
            return f"{spec}{verb}" % value
        text = json.dumps(value, ensure_ascii=False) if verb == "q" else shown(value)
        return f"{spec}s" % text

    return VERB.sub(replaced, layout)


def _length(value: object) -> int:
    if not isinstance(value, list | Mapping | str):
        raise CommandFailed(f"template: error calling len: len of type {type(value).__name__}")
    return len(value)


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


def _equal(first: object, *others: object) -> bool:
    return any(first == other for other in others)


def _both(*values: object) -> object:
    return next((value for value in values if not value), values[-1])


def _either(*values: object) -> object:
    return next((value for value in values if value), values[-1])


FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "and": _both,
    "eq": _equal,
    "ge": lambda one, other: one >= other,
    "gt": lambda one, other: one > other,
    "index": lambda value, *keys: reduce(_entry, keys, value),
    "join": lambda values, separator: separator.join(map(shown, values or [])),
    "json": as_json,
    "le": lambda one, other: one <= other,
    "len": _length,
    "lower": lambda text: text.lower(),
    "lt": lambda one, other: one < other,
    "ne": lambda one, other: one != other,
    "not": lambda value: not value,
    "or": _either,
    "pad": lambda text, before, behind: " " * before + text + " " * behind if text else text,
    "print": lambda *values: "".join(map(shown, values)),
    "printf": _printf,
    "println": lambda *values: " ".join(map(shown, values)) + "\n",
    "slice": lambda value, *ends: value[slice(*ends)] if len(ends) > 1 else value[ends[0] :],
    "split": _split,
    "title": lambda text: text.title(),
    "truncate": lambda text, limit: text[:limit],
    "upper": lambda text: text.upper(),
}
# In a table's headings these leave the words as they are.
HEADINGS: Mapping[str, Callable[..., object]] = {
    **FUNCTIONS,
    **dict.fromkeys(("json", "lower", "split", "title", "truncate", "upper", "join"), lambda text, *_: text),
}
