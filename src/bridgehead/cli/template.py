"""The part of Go's template language that `--format` is used with in practice.

Fields (`{{.State.Pid}}`), variables, pipes, `range`, `with`, `if`/`else if`/`else`, comments, and
the functions of `template_functions`. Anything else is refused by name.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from bridgehead.cli.client import CommandFailed
from bridgehead.cli.template_functions import FUNCTIONS, as_json, shown
from bridgehead.cli.template_syntax import Block, Node, Word, parse

Names = dict[str, object]
Functions = Mapping[str, Callable[..., object]]
CONSTANTS = {"true": True, "false": False, "nil": None}


def render(layout: str, value: object, functions: Functions = FUNCTIONS) -> str:
    """Raises:
    CommandFailed: the template is not understood, or names what is not there.
    """
    if layout == "json":
        return as_json(value)
    text = layout.removeprefix("table ").replace("\\t", "\t").replace("\\n", "\n")
    return "".join(_Rendering(text, functions).all(parse(text), value, {"$": value}))


class _Rendering:
    """One template on one value; `names` are the variables in sight."""

    def __init__(self, layout: str, functions: Functions) -> None:
        self._layout = layout
        self._functions = functions

    def all(self, nodes: Sequence[Node], dot: object, names: Names) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, str):
                yield node
            elif isinstance(node, list):
                yield self._action(node, dot, names)
            elif node.kind == "range":
                yield from self._range(node, dot, names)
            else:
                yield from self._choice(node, dot, names)

    def _action(self, words: list[Word], dot: object, names: Names) -> str:
        variables, pipeline = _assigned(words)
        value = self._pipeline(pipeline, dot, names)
        if variables:
            names[variables[0]] = value
            return ""
        return shown(value)

    def _choice(self, block: Block, dot: object, names: Names) -> Iterator[str]:
        variables, words = _assigned(block.words)
        value = self._pipeline(words, dot, names)
        known = {**names, **dict.fromkeys(variables[:1], value)}
        inner = value if block.kind == "with" and value else dot
        yield from self.all(block.body if value else block.otherwise, inner, known)

    def _range(self, block: Block, dot: object, names: Names) -> Iterator[str]:
        variables, words = _assigned(block.words)
        over = self._pipeline(words, dot, names)
        pairs = sorted(over.items()) if isinstance(over, Mapping) else list(enumerate(_listed(over)))
        for pair in pairs:
            known = dict(zip(variables, pair[-len(variables) :] if variables else (), strict=False))
            yield from self.all(block.body, pair[1], {**names, **known})
        if not pairs:
            yield from self.all(block.otherwise, dot, names)

    def _pipeline(self, words: Sequence[Word], dot: object, names: Names) -> object:
        piped: list[object] = []
        for command in _commands(words):
            piped = [self._command(command, dot, names, piped)]
        return piped[0]

    def _command(self, words: Sequence[Word], dot: object, names: Names, piped: list[object]) -> object:
        if not words:
            raise CommandFailed("template parsing error: missing value for command")
        name = words[0].text
        if re.match("[a-z]", name) and name not in CONSTANTS:
            return self._called(name, [*self._arguments(words[1:], dot, names), *piped])
        first, *others = self._arguments(words, dot, names)
        if callable(first):
            return first(*others, *piped)
        if others or piped:
            raise CommandFailed(f'template parsing error: can\'t give argument to non-function "{name}"')
        return first

    def _called(self, name: str, arguments: Sequence[object]) -> object:
        if name not in self._functions:
            raise CommandFailed(f'template parsing error: template: :1: function "{name}" not defined')
        try:
            return self._functions[name](*arguments)
        except (TypeError, AttributeError, IndexError, ValueError) as error:
            raise CommandFailed(f"template parsing error: template: error calling {name}: {error}") from error

    def _arguments(self, words: Sequence[Word], dot: object, names: Names) -> Iterator[object]:
        position = 0
        while position < len(words):
            word = words[position]
            if word.text == "(":
                end = _closing(words, position)
                inner = self._pipeline(words[position + 1 : end], dot, names)
                behind = words[end]
                yield self._field(inner, Word(behind.text[1:], behind.position + 1))
                position = end + 1
            else:
                yield self._operand(word, dot, names)
                position += 1

    def _operand(self, word: Word, dot: object, names: Names) -> object:
        text = word.text
        if text.startswith('"'):
            return json.loads(text)
        if text.startswith("`"):
            return text[1:-1]
        if text in CONSTANTS:
            return CONSTANTS[text]
        if re.fullmatch(r"-?\d+(\.\d+)?", text):
            return float(text) if "." in text else int(text)
        root, _, path = text.partition(".")
        if root and root not in names:
            wrong = f'undefined variable "{root}"' if root[0] == "$" else f'function "{text}" not defined'
            raise CommandFailed(f"template parsing error: template: :1: {wrong}")
        return self._field(names[root] if root else dot, Word(f".{path}", word.position + len(root)))

    def _field(self, value: object, path: Word) -> object:
        for key in filter(None, path.text.split(".")):
            if not isinstance(value, Mapping) or key not in value:
                raise CommandFailed(
                    f'template parsing error: template: {self._place(path)}: executing "" at <{path.text}>: '
                    f'map has no entry for key "{key}"'
                )
            value = value[key]
        return value

    def _place(self, path: Word) -> str:
        """Go counts from the second field of a chain."""
        second = path.text.find(".", 1)
        before = self._layout[: path.position + max(second, 0)]
        return f":{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10)) - 1}"


def _assigned(words: Sequence[Word]) -> tuple[list[str], Sequence[Word]]:
    """The variables before `:=` or `=`, and the pipeline behind it."""
    for position, word in enumerate(words):
        if word.text in {":=", "="}:
            return [said.text for said in words[:position] if said.text != ","], words[position + 1 :]
    return [], words


def _commands(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    depth, start = 0, 0
    for position, word in enumerate(words):
        depth += (word.text == "(") - word.text.startswith(")")
        if word.text == "|" and not depth:
            yield words[start:position]
            start = position + 1
    yield words[start:]


def _closing(words: Sequence[Word], opening: int) -> int:
    depth = 0
    for position in range(opening, len(words)):
        depth += (words[position].text == "(") - words[position].text.startswith(")")
        if not depth:
            return position
    raise CommandFailed("template parsing error: unclosed left paren")


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []
