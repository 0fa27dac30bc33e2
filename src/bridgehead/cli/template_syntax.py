"""The grammar of `--format` templates: text, actions, and blocks, each word with its place in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from bridgehead.cli.client import CommandFailed

ACTION = re.compile(r"\{\{(-\s)?\s*(.*?)\s*(\s-)?\}\}", re.DOTALL)
WORD = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|\(|\)[\w.]*|,|:=|\||[^\s(),|]+')
OPENING = ("range", "if", "with")


class Word(NamedTuple):
    text: str
    position: int  # characters from the template's beginning


@dataclass(slots=True)
class Block:
    """`kind` and `words` opened it; `otherwise` is what stands behind `else`."""

    kind: str
    words: list[Word]
    body: list["Node"] = field(default_factory=list)
    otherwise: list["Node"] = field(default_factory=list)
    chained: bool = False  # an `else if`, which ends with the `if` it stands in


Node = str | list[Word] | Block


def parse(layout: str) -> list[Node]:
    """Raises:
    CommandFailed: blocks and ends do not match.
    """
    top = Block("", [])
    open_blocks, target = [top], top.body
    for item in _items(layout):
        kind = item[0].text if isinstance(item, list) and item else ""
        if isinstance(item, str) or kind not in {*OPENING, "else", "end"}:
            target.append(item)
        elif kind == "end":
            target = _closed(open_blocks)
        elif kind == "else" and len(item) == 1:
            target = open_blocks[-1].otherwise
        else:
            chained = kind == "else"
            target = open_blocks[-1].otherwise if chained else target
            block = _opened(item[1:] if chained else item, chained=chained)
            target.append(block)
            open_blocks.append(block)
            target = block.body
    if len(open_blocks) > 1:
        raise CommandFailed("template parsing error: unexpected EOF")
    return top.body


def _opened(words: list[Word], *, chained: bool) -> Block:
    return Block(words[0].text, words[1:], chained=chained)


def _closed(open_blocks: list[Block]) -> list[Node]:
    """Where what follows an `end` belongs."""
    while len(open_blocks) > 1:
        if not open_blocks.pop().chained:
            outer = open_blocks[-1]
            return outer.otherwise or outer.body
    raise CommandFailed("template parsing error: unexpected {{end}}")


def _items(layout: str) -> Iterator[str | list[Word]]:
    position, trim = 0, False
    for action in ACTION.finditer(layout):
        text = layout[position : action.start()]
        text = text.lstrip() if trim else text
        yield text.rstrip() if action[1] else text
        if not action[2].startswith("/*"):
            yield [Word(found[0], action.start(2) + found.start()) for found in WORD.finditer(action[2])]
        position, trim = action.end(), bool(action[3])
    yield layout[position:].lstrip() if trim else layout[position:]
