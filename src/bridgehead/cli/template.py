"""The part of Go's template language that `--format` is used with in practice.

Fields (`{{.State.Pid}}`), `json`, `index`, `len`, `println`, and `range` over lists and maps, with or without
loop variables, `if`/`else`, and `end`. Anything else is refused by name.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from bridgehead.cli.client import CommandFailed

ACTION = re.compile(r"\{\{(-\s)?\s*(.*?)\s*(\s-)?\}\}", re.DOTALL)
WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\(|\)[\w.]*|,|:=|[^\s(),]+')


@dataclass(slots=True)
class _Block:
    """`words` opened it; `otherwise` is what stands behind `else`."""

    words: list[str]
    body: list["str | list[str] | _Block"] = field(default_factory=list)
    otherwise: list["str | list[str] | _Block"] = field(default_factory=list)


Node = str | list[str] | _Block


def render(layout: str, value: object) -> str:
    """Raises:
    CommandFailed: the template is not understood, or names what is not there.
    """
    if layout == "json":
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    headless = layout.removeprefix("table ").replace("\\t", "\t").replace("\\n", "\n")
    return "".join(_rendered(_parse(headless), value, {"$": value}))


def _parse(layout: str) -> list[Node]:
    top = _Block([])
    open_blocks, target = [top], top.body
    for item in _items(layout):
        if isinstance(item, str) or item[:1] not in (["range"], ["if"], ["else"], ["end"]):
            target.append(item)
        elif item[0] == "else":
            target = open_blocks[-1].otherwise
        elif item[0] == "end":
            if len(open_blocks) == 1:
                raise CommandFailed("template parsing error: unexpected {{end}}")
            open_blocks.pop()
            target = open_blocks[-1].otherwise or open_blocks[-1].body
        else:
            block = _Block(item)
            target.append(block)
            open_blocks.append(block)
            target = block.body
    if len(open_blocks) > 1:
        raise CommandFailed("template parsing error: unexpected EOF")
    return top.body


def _items(layout: str) -> Iterator[str | list[str]]:
    position, trim = 0, False
    for action in ACTION.finditer(layout):
        text = layout[position : action.start()]
        text = text.lstrip() if trim else text
        yield text.rstrip() if action[1] else text
        yield WORD.findall(action[2])
        position, trim = action.end(), bool(action[3])
    yield layout[position:].lstrip() if trim else layout[position:]


def _rendered(nodes: Sequence[Node], dot: object, names: Mapping[str, object]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield node
        elif isinstance(node, list):
            yield _shown(_value(node, dot, names))
        elif node.words[0] == "if":
            chosen = node.body if _value(node.words[1:], dot, names) else node.otherwise
            yield from _rendered(chosen, dot, names)
        else:
            yield from _ranged(node, dot, names)


def _ranged(block: _Block, dot: object, names: Mapping[str, object]) -> Iterator[str]:
    words = block.words[1:]
    variables: list[str] = []
    if ":=" in words:
        split = words.index(":=")
        variables, words = [word for word in words[:split] if word != ","], words[split + 1 :]
    over = _value(words, dot, names)
    pairs = sorted(over.items()) if isinstance(over, Mapping) else list(enumerate(_listed(over)))
    for pair in pairs:
        known = dict(zip(variables, pair[-len(variables) :] if variables else (), strict=False))
        yield from _rendered(block.body, pair[1], {**names, **known})
    if not pairs:
        yield from _rendered(block.otherwise, dot, names)


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []


def _value(words: Sequence[str], dot: object, names: Mapping[str, object]) -> object:
    if not words:
        raise CommandFailed("template parsing error: missing value for command")
    arguments = list(_arguments(words, dot, names))
    if not re.match("[a-z]", words[0]) and len(arguments) == 1:
        return arguments[0]
    if words[0] == "println":
        return " ".join(map(_shown, arguments)) + "\n"
    if words[0] == "json" and arguments:
        return json.dumps(arguments[0], ensure_ascii=False, separators=(",", ":"))
    if words[0] == "index" and arguments:
        return reduce(_entry, arguments)
    if words[0] == "len" and isinstance(arguments[0], list | dict | str):
        return len(arguments[0])
    raise CommandFailed(f'template parsing error: function "{words[0]}" not defined')


def _arguments(words: Sequence[str], dot: object, names: Mapping[str, object]) -> Iterator[object]:
    start = 1 if re.match(r"[a-z]", words[0]) else 0
    position = start
    while position < len(words):
        if words[position] == "(":
            end = _closing(words, position)
            inner = _value(words[position + 1 : end], dot, names)
            yield _field(inner, words[end].removeprefix(")"))
            position = end + 1
        else:
            yield _operand(words[position], dot, names)
            position += 1


def _closing(words: Sequence[str], opening: int) -> int:
    depth = 0
    for position in range(opening, len(words)):
        depth += (words[position] == "(") - words[position].startswith(")")
        if not depth:
            return position
    raise CommandFailed("template parsing error: unclosed left paren")


def _operand(word: str, dot: object, names: Mapping[str, object]) -> object:
    if word.startswith('"'):
        return json.loads(word)
    if word.isdigit():
        return int(word)
    root, _, path = word.partition(".")
    if root and root not in names:
        raise CommandFailed(f'template parsing error: function "{word}" not defined')
    return _field(names[root] if root else dot, f".{path}")


def _field(value: object, path: str) -> object:
    for key in filter(None, path.split(".")):
        if not isinstance(value, Mapping) or key not in value:
            raise CommandFailed(f'template: :1: executing "" at <{path}>: map has no entry for key "{key}"')
        value = value[key]
    return value


def _entry(value: object, key: object) -> object:
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return value.get(key, "") if isinstance(value, Mapping) else ""


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "<no value>"
    if isinstance(value, list):
        return f"[{' '.join(map(_shown, value))}]"
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{_shown(entry)}' for key, entry in sorted(value.items()))}]"
    return str(value)
