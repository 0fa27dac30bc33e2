"""One verb of the command line: Docker's way with switches, and with a verb for several names."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import click

from bridgehead.cli.client import CommandFailed


class BadValue(click.BadParameter):
    """An option's value that is none; `said` is how the user wrote it."""

    def __init__(self, said: str, why: str, ctx: click.Context | None, param: click.Parameter | None) -> None:
        super().__init__(why, ctx=ctx, param=param)
        self.said = said


class Parsed(click.ParamType[object]):
    """A value that `read` makes of text; its ValueError is what the user reads."""

    def __init__(self, name: str, read: Callable[[str], object]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            raise BadValue(value, str(error), ctx, param) from error


def _filter(word: str) -> str:
    if "=" not in word:
        raise ValueError("bad format of filter (expected name=value)")
    return word


FILTER = Parsed("filter", _filter)


class Verb(click.Command):
    """A command whose switches may also be written `--rm=true` and `--sig-proxy=false`.

    `usage` is what stands behind the options, when there is more than one way to use it.
    """

    def __init__(self, *args: Any, usage: Sequence[str] = (), **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.usage = usage

    def get_help(self, ctx: click.Context) -> str:
        from bridgehead.cli.helping import help_page

        return help_page(ctx)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = [option for option in self.params if isinstance(option, click.Option)]
        try:
            return super().parse_args(ctx, list(_plain(options, args, mixed=ctx.allow_interspersed_args)))
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise


def _plain(options: Sequence[click.Option], args: Iterable[str], *, mixed: bool) -> Iterator[str]:
    """The words without values behind switches. Unless `mixed`, options end at the first other word."""
    rest = iter(args)
    for word in rest:
        if word == "--" or not (mixed or word.startswith("-")):
            yield word
            yield from rest
            return
        option, value_inside = _option(options, word)
        if option and option.is_flag and value_inside:
            yield from _switch(option, *word.split("=", 1))
            continue
        yield word
        if option and not option.is_flag and not value_inside:
            yield from islice(rest, 1)


def _option(options: Sequence[click.Option], word: str) -> tuple[click.Option | None, bool]:
    """Of short options in a row, the one that takes a value; and whether the value is in the word."""
    known = {name: option for option in options for name in (*option.opts, *option.secondary_opts)}
    if word.startswith("--"):
        name, equals, _ = word.partition("=")
        return known.get(name), bool(equals)
    for position, letter in enumerate(word[1:] if word.startswith("-") else "", start=2):
        option = known.get(f"-{letter}")
        if option and not option.is_flag:
            return option, position < len(word)
    return None, False


def _switch(option: click.Option, name: str, value: str) -> Sequence[str]:
    if value.lower() in {"true", "1", "t"}:
        return [name]
    if value.lower() in {"false", "0", "f"}:
        return option.secondary_opts[:1]
    raise BadValue(value, f'strconv.ParseBool: parsing "{value}": invalid syntax', None, option)


def each(names: Iterable[str], act: Callable[[str], str | None]) -> int:
    """Do it for every name, whatever fails; prints what `act` gives, or the error."""
    code = 0
    for name in names:
        try:
            done = act(name)
        except CommandFailed as error:
            sys.stdout.flush()
            print(error.message, file=sys.stderr)
            code = 1
        else:
            if done is not None:
                print(done)
    return code
