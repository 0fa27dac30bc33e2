"""`bridgehead man`: the manual page, written from the verbs themselves, so that it cannot lag behind them."""

from collections.abc import Iterator

import click

from bridgehead import __version__
from bridgehead.cli.examples import EXAMPLES
from bridgehead.cli.helping import options
from bridgehead.cli.verb import Verb
from bridgehead.cli.wording import usage_line

HEAD = r"""bridgehead \- Docker's network system in Python: command line and daemon
.SH SYNOPSIS
.B bridgehead
[\-H HOST] COMMAND [OPTIONS] [ARGUMENTS]
.br
.B bridgehead daemon
[OPTIONS]
.SH DESCRIPTION
The command line speaks docker's words to the daemon on a unix socket. Whoever knows
.B docker network create
can type
.BR "bridgehead network create" .
.SH COMMANDS"""
TAIL = r""".SH ENVIRONMENT
.TP
.B DOCKER_HOST
The daemon's socket, when \-H does not say it.
.TP
.B DOCKER_API_VERSION
The version of the API to speak, instead of the newest.
.TP
.B DOCKER_CONFIG
The folder of the config.json that docker login writes.
.TP
.B NO_COLOR
No bold headings in help.
.SH EXIT STATUS
0; 1 when the daemon refuses; 125 when an option is wrong or run itself fails, 126 when the command cannot be
executed, 127 when it is not found; otherwise that of the container's process.
.SH SEE ALSO
.BR docker (1),
.BR dockerd (8)"""


@click.command(cls=Verb)
def man() -> None:
    """Print the manual page"""
    from bridgehead.cli.verbs import root

    ctx = click.Context(root, info_name="bridgehead")
    print(f'.TH BRIDGEHEAD 1 "" "Bridgehead {__version__}" "User Commands"\n.SH NAME\n{HEAD}')
    for line in _group(root, ctx, set()):
        print(line)
    print(TAIL)


def _group(group: click.Group, ctx: click.Context, seen: set[int]) -> Iterator[str]:
    """Each verb once, under its shortest name; those of the root before those of nouns."""
    names = sorted(group.list_commands(ctx), key=len)
    found = {name: command for name in names if (command := group.get_command(ctx, name))}
    own: dict[str, click.Command] = {}
    for name, command in found.items():
        if id(command) not in seen:
            seen.add(id(command))
            own[name] = command
    for name, command in sorted(own.items(), key=lambda item: (isinstance(item[1], click.Group), item[0])):
        inner = click.Context(command, parent=ctx, info_name=name)
        yield from _group(command, inner, seen) if isinstance(command, click.Group) else _verb(command, inner)


def _verb(command: click.Command, ctx: click.Context) -> Iterator[str]:
    name = ctx.command_path.partition(" ")[2]
    yield f".SS {roff(name)}"
    yield from (f"{roff(line.strip())}\n.br" for line in usage_line(ctx).splitlines())
    yield roff((command.help or "").strip().partition("\n")[0])
    for names, about in options(command):
        yield f".TP\n.B {roff(names.strip())}\n{roff(about)}"
    for about, words in EXAMPLES.get(name, ()):
        yield f".PP\n{roff(about)}:\n.RS\n.EX\n{roff(f'bridgehead {words}')}\n.EE\n.RE"


def roff(text: str) -> str:
    """Nothing in `text` is taken for a request or an escape."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return f"\\&{safe}" if safe.startswith((".", "\\(aq")) else safe
