"""`--help`, laid out as docker's: usage, aliases, options in two columns, and then examples of our own.

Headings are bold on a terminal, unless NO_COLOR is set.
"""

import os
import sys
from collections.abc import Iterator

import click

from bridgehead.cli.examples import EXAMPLES
from bridgehead.cli.wording import usage_line

WIDEST = 100
NARROWEST = 40
KINDS = {"integer": "int", "float": "decimal", "text": "string", "bytes": "bytes"}


def help_page(ctx: click.Context) -> str:
    sections = [f"{_heading('Usage:')}  {usage_line(ctx)}", (ctx.command.help or "").strip()]
    if isinstance(ctx.command, click.Group):
        sections.append(_section("Commands", _commands(ctx, ctx.command)))
    else:
        sections.append(_section("Aliases", [("", ", ".join(aliases(ctx)))] if len(aliases(ctx)) > 1 else []))
    title = "Global Options" if ctx.parent is None else "Options"
    sections.append(_section(title, options(ctx.command)))
    sections.append(_examples(ctx))
    if isinstance(ctx.command, click.Group):
        sections.append(f"Run '{ctx.command_path} COMMAND --help' for more information on a command.")
    return "\n\n".join(filter(None, sections))


def _heading(words: str) -> str:
    colourful = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"\033[1m{words}\033[0m" if colourful else words


def _section(title: str, rows: list[tuple[str, str]]) -> str:
    if not rows:
        return ""
    left = max(len(name) for name, _ in rows)
    return "\n".join([_heading(f"{title}:"), *(line for row in rows for line in _wrapped(*row, left))])


def _wrapped(name: str, about: str, left: int) -> Iterator[str]:
    from shutil import get_terminal_size
    from textwrap import wrap

    width = max(min(get_terminal_size().columns, WIDEST) - left - 5, NARROWEST)
    for number, line in enumerate(wrap(about, width) or [""]):
        start = name if number == 0 else ""
        yield f"  {start:<{left}}{'   ' if left else ''}{line}".rstrip()


def _commands(ctx: click.Context, group: click.Group) -> list[tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is not None and not command.hidden:
            key = id(command)
            shorter = found.get(key, (name, ""))[0]
            found[key] = (min(name, shorter, key=len), (command.help or "").strip().partition("\n")[0])
    return sorted(found.values())


def options(command: click.Command) -> list[tuple[str, str]]:
    """Each option's names and kind, and what it is about."""
    rows = [
        _option(option) for option in command.params if isinstance(option, click.Option) and not option.hidden
    ]
    return sorted(rows, key=lambda row: row[0].strip().lstrip("-").partition(", --")[2] or row[0].strip(" -"))


def _option(option: click.Option) -> tuple[str, str]:
    short = next((name for name in option.opts if not name.startswith("--")), "")
    long = next((name for name in option.opts if name.startswith("--")), "")
    kind = "" if option.is_flag else option.metavar or ("list" if option.multiple else _kind(option))
    names = f"{short}, {long}" if short else f"    {long}"
    return f"{names} {kind}".rstrip(), (option.help or "") + _default(option)


def _kind(option: click.Option) -> str:
    return KINDS.get(option.type.name, option.type.name)


def _default(option: click.Option) -> str:
    default = option.default
    if option.multiple or "default" in (option.help or ""):
        return ""
    if option.is_flag:
        return " (default true)" if default is True else ""
    if isinstance(default, str) and default:
        return f' (default "{default}")'
    return f" (default {default})" if isinstance(default, int) and default else ""


def aliases(ctx: click.Context) -> list[str]:
    """Every way to say this verb."""
    from bridgehead.cli.verbs import targets

    program, *words = ctx.command_path.split(" ")
    known = targets()
    target = known.get(" ".join(words))
    return [f"{program} {name}" for name, other in sorted(known.items()) if other == target] if target else []


def _examples(ctx: click.Context) -> str:
    program = ctx.find_root().command_path
    from bridgehead.cli.verbs import targets

    known = targets()
    target = known.get(ctx.command_path.partition(" ")[2])
    names = [name for name, other in known.items() if other == target]
    shown = next((EXAMPLES[name] for name in names if name in EXAMPLES), ())
    lines = [f"  # {about}\n  {program} {words}" for about, words in shown]
    return "\n".join([_heading("Examples:"), *lines]) if lines else ""
