"""Words of a Dockerfile line: quotes, backslashes and `$VARIABLE`, as a shell would read them, but no more.

Single quotes keep everything; double quotes keep blanks; a backslash keeps the next character.
"""

import re
from collections.abc import Mapping

from bridgehead.core.model.errors import InvalidParameter

_VARIABLE = re.compile(
    r"\$(?:(?P<bare>\w+)|\{(?P<name>\w+)(?::(?P<operator>[-+])(?P<word>[^}]*))?\})", re.ASCII
)
_PIECE = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\]+|['"\\]""", re.DOTALL)
_WORD = re.compile(rf"(?:{_PIECE.pattern})+", re.DOTALL | re.VERBOSE)
_ESCAPE = re.compile(r'\\([$"\\])', re.DOTALL)


def split(line: str, variables: Mapping[str, str]) -> list[str]:
    """The words of a line, unquoted, with variables filled in.

    Raises:
        InvalidParameter: a quote is never closed.
    """
    return [unquote(word, variables) for word in raw(line)]


def raw(line: str) -> list[str]:
    """The words of a line with their quotes."""
    return [match.group() for match in _WORD.finditer(line)]


def unquote(word: str, variables: Mapping[str, str]) -> str:
    return "".join(
        _value(match.group(), variables) for match in re.finditer(r"\s+|" + _PIECE.pattern, word, re.DOTALL)
    )


def _value(piece: str, variables: Mapping[str, str]) -> str:
    if piece in {"'", '"'}:
        raise InvalidParameter("unexpected end of statement while looking for matching quote")
    if piece.startswith("'"):
        return piece[1:-1]
    if piece.startswith("\\"):
        return piece[1:]
    if piece.startswith('"'):
        return _quoted(piece[1:-1], variables)
    return _VARIABLE.sub(lambda match: _substitute(match, variables), piece)


def _quoted(text: str, variables: Mapping[str, str]) -> str:
    parts = re.split(r'(\\[$"\\])', text)
    return "".join(
        part[1]
        if _ESCAPE.fullmatch(part)
        else _VARIABLE.sub(lambda match: _substitute(match, variables), part)
        for part in parts
    )


def _substitute(match: re.Match[str], variables: Mapping[str, str]) -> str:
    value = variables.get(match["bare"] or match["name"], "")
    if match["operator"] == "-":
        return value or match["word"]
    if match["operator"] == "+":
        return match["word"] if value else ""
    return value
