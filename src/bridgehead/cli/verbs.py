"""The tree of verbs. A verb's module is imported only when that verb is asked for."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

import click

from bridgehead import __version__
from bridgehead.cli.client import DEFAULT_HOST, Client, CommandFailed

NETWORK = {
    "connect": "networks:connect",
    "create": "networks:create",
    "disconnect": "networks:disconnect",
    "inspect": "networks:inspect",
    "list": "networks:ls",
    "ls": "networks:ls",
    "prune": "networks:prune",
    "remove": "networks:rm",
    "rm": "networks:rm",
}
CONTAINER = {
    "attach": "running:attach",
    "create": "creation:create",
    "exec": "execution:execute",
    "kill": "containers:kill",
    "logs": "containers:logs",
    "pause": "containers:pause",
    "ls": "containers:ps",
    "port": "containers:port",
    "ps": "containers:ps",
    "rename": "containers:rename",
    "restart": "containers:restart",
    "rm": "containers:rm",
    "run": "running:run",
    "start": "running:start",
    "stop": "containers:stop",
    "unpause": "containers:unpause",
    "wait": "containers:wait",
}
IMAGE = {
    "import": "images:import_",
    "load": "images:load",
    "ls": "images:ls",
    "rm": "images:rm",
    "tag": "images:tag",
}
ROOT = {
    **{name: target for name, target in CONTAINER.items() if name != "ls"},
    "container": "verbs:container",
    "events": "system:events",
    "image": "verbs:image",
    "images": "images:ls",
    "import": "images:import_",
    "info": "system:info",
    "inspect": "system:inspect",
    "load": "images:load",
    "network": "verbs:network",
    "rmi": "images:rm",
    "tag": "images:tag",
    "version": "system:version",
}


class LazyGroup(click.Group):
    def __init__(self, name: str, targets: Mapping[str, str], help: str) -> None:  # noqa: A002 - click's own word
        super().__init__(name, help=help)
        self._targets = targets

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(self._targets)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._targets:
            return None
        module, _, attribute = self._targets[cmd_name].partition(":")
        command = getattr(import_module(f"bridgehead.cli.{module}"), attribute)
        return command if isinstance(command, click.Command) else None


class Verb(click.Command):
    """A command whose switches may also be written `--rm=true` and `--sig-proxy=false`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._plain_switches(args))

    def _plain_switches(self, args: list[str]) -> list[str]:
        plain: list[str] = []
        rest = iter(args)
        for word in rest:
            name, equals, value = word.partition("=")
            option = self._option(word)
            if word == "--" or (
                option is None and not word.startswith("-") and not self.allow_interspersed_args
            ):
                return [*plain, word, *rest]
            if option and option.is_flag and equals:
                plain += _switch(option, name, value)
                continue
            plain.append(word)
            if option and not option.is_flag and not equals and _value_follows(option, word):
                plain += [value for value in (next(rest, None),) if value is not None]
        return plain

    def _option(self, word: str) -> click.Option | None:
        """The option a word belongs to; of short ones in a row, the last or the first that takes a value."""
        options = {
            spelling: option for option in self.params for spelling in (*option.opts, *option.secondary_opts)
        }
        if word.startswith("--"):
            found = options.get(word.partition("=")[0])
            return found if isinstance(found, click.Option) else None
        last = None
        for letter in word[1:].partition("=")[0] if word.startswith("-") else "":
            last = options.get(f"-{letter}")
            if isinstance(last, click.Option) and not last.is_flag:
                return last
        return last if isinstance(last, click.Option) else None


def _value_follows(option: click.Option, word: str) -> bool:
    return word.startswith("--") or f"-{word[-1]}" in option.opts


def _switch(option: click.Option, name: str, value: str) -> list[str]:
    if value.lower() in {"true", "1", "t"}:
        return [name]
    if value.lower() in {"false", "0", "f"}:
        return [option.secondary_opts[0]] if option.secondary_opts else []
    raise CommandFailed(f'invalid argument "{value}" for "{name}" flag: it is true or false', 125)


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


network = LazyGroup("network", NETWORK, "Manage networks")
container = LazyGroup("container", CONTAINER, "Manage containers")
image = LazyGroup("image", IMAGE, "Manage images")


class Root(LazyGroup):
    def invoke(self, ctx: click.Context) -> object:
        host = ctx.params["host"] or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
        ctx.obj = Client(host)
        return super().invoke(ctx)


root = Root("bridgehead", ROOT, "Docker's network system in Python. `bridgehead daemon` starts the daemon.")
root.params = [
    click.Option(["-H", "--host"], help=f"Daemon socket to connect to (default {DEFAULT_HOST})"),
    click.Option(
        ["-v", "--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=lambda ctx, _option, wanted: wanted and (print(f"bridgehead {__version__}"), ctx.exit()),
        help="Print the version and quit",
    ),
]
