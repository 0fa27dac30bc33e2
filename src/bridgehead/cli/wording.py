"""What is wrong with a command line, in the words docker's users know, and how a verb is used in one line."""

import re

import click

from bridgehead.cli.verb import BadValue, Verb

FLAG_ERROR = 125
INTEGER = re.compile(r"'(.*)' is not a valid integer")
QUOTED = re.compile(r"'([^']*)'")


def usage_line(ctx: click.Context) -> str:
    command = ctx.command
    if isinstance(command, click.Group):
        return f"{ctx.command_path} COMMAND"
    words = [ctx.command_path]
    if any(isinstance(param, click.Option) for param in command.params):
        words.append("[OPTIONS]")
    if isinstance(command, Verb) and command.usage:
        return "\n\t".join(" ".join([*words, way]) for way in command.usage)
    arguments = (param for param in command.params if isinstance(param, click.Argument))
    return " ".join([*words, *(_metavar(argument, ctx) for argument in arguments)])


def _metavar(argument: click.Argument, ctx: click.Context) -> str:
    word = argument.make_metavar(ctx)
    name = word.removesuffix("...")
    if word == name or name.startswith("["):
        return word
    return f"{name} [{name}...]" if argument.required else f"[{name}...]"


def complaint(error: click.ClickException) -> tuple[str, int]:
    """What to say on stderr, and the exit code."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    if ctx is None:
        return error.format_message(), 1
    if isinstance(ctx.command, click.Group) and "No such command" in error.format_message():
        return _unknown_command(ctx, error), 1
    flag = _about_flag(error)
    sentence, see = (flag, "Run") if flag else _about_count(ctx)
    usage = f"Usage:  {usage_line(ctx)}\n\n{see} '{ctx.command_path} --help' for more information"
    return f"{sentence}\n\n{usage}", FLAG_ERROR if flag else 1


def _unknown_command(ctx: click.Context, error: click.ClickException) -> str:
    found = QUOTED.search(error.format_message())
    program = ctx.find_root().command_path
    usage = f"Usage:  {ctx.command_path}\n\n" if ctx.parent else ""
    return (
        f"{program}: unknown command: {ctx.command_path} {found[1] if found else ''}\n\n"
        f"{usage}Run '{ctx.command_path} --help' for more information"
    )


def _about_flag(error: click.ClickException) -> str:
    """Empty when the error is not about a flag."""
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        return (
            f"unknown flag: {name}"
            if name.startswith("--")
            else f"unknown shorthand flag: '{name[1]}' in {name}"
        )
    if isinstance(error, click.BadOptionUsage):
        return f"flag needs an argument: {error.option_name}"
    if isinstance(error, click.BadParameter) and isinstance(error.param, click.Option):
        names = sorted({*error.param.opts[:2]}, key=len)
        number = INTEGER.search(error.message)
        quoted = QUOTED.findall(error.message)
        said = f'strconv.ParseInt: parsing "{number[1]}": invalid syntax' if number else error.message
        value = error.said if isinstance(error, BadValue) else quoted[-1] if quoted else ""
        return f'invalid argument "{value}" for "{", ".join(names)}" flag: {said}'
    return ""


def _about_count(ctx: click.Context) -> tuple[str, str]:
    """How many words the verb takes, and where docker points to."""
    arguments = [param for param in ctx.command.params if isinstance(param, click.Argument)]
    least = sum(argument.required for argument in arguments)
    most = None if any(argument.nargs < 0 for argument in arguments) else len(arguments)
    program = ctx.find_root().command_path
    words = {
        (0, 0): "accepts no arguments",
        (least, least): f"requires {_plural(least)}",
        (least, None): f"requires at least {_plural(least)}",
        (0, most): f"requires at most {_plural(most or 0)}",
    } | ({(0, 0): "accepts no arguments"} if not least else {})
    both = f"requires at least {least} and at most {_plural(most or 0)}"
    see = "See" if most is None else "Run"
    return f"{program}: '{ctx.command_path}' {words.get((least, most), both)}", see


def _plural(count: int) -> str:
    return f"{count} argument" if count == 1 else f"{count} arguments"
