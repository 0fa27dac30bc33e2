"""The tree of verbs. A verb's module is imported only when that verb is asked for."""

import os
from collections.abc import Mapping
from importlib import import_module

import click

from bridgehead import __version__
from bridgehead.cli.client import DEFAULT_HOST, Client

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
    "commit": "images:commit",
    "create": "creation:create",
    "exec": "execution:execute",
    "kill": "containers:kill",
    "logs": "containers:logs",
    "pause": "containers:pause",
    "inspect": "inspection:container",
    "list": "container_list:ps",
    "ls": "container_list:ps",
    "port": "containers:port",
    "ps": "container_list:ps",
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
    "history": "image_list:history",
    "inspect": "inspection:image",
    "list": "image_list:ls",
    "ls": "image_list:ls",
    "pull": "pulling:pull",
    "remove": "images:rm",
    "rm": "images:rm",
    "tag": "images:tag",
}
SANDBOX = {
    "add": "sandboxes:add",
    "inspect": "sandboxes:inspect",
    "list": "sandboxes:ls",
    "ls": "sandboxes:ls",
    "remove": "sandboxes:rm",
    "rm": "sandboxes:rm",
}
ROOT = {
    **{name: target for name, target in CONTAINER.items() if name not in {"ls", "list", "inspect"}},
    "container": "verbs:container",
    "events": "system:events",
    "image": "verbs:image",
    "history": "image_list:history",
    "images": "image_list:ls",
    "import": "images:import_",
    "info": "system:info",
    "inspect": "inspection:inspect",
    "load": "images:load",
    "network": "verbs:network",
    "pull": "pulling:pull",
    "rmi": "images:rm",
    "sandbox": "verbs:sandbox",
    "tag": "images:tag",
    "version": "system:version",
}


class LazyGroup(click.Group):
    def __init__(self, name: str, targets: Mapping[str, str], help: str) -> None:  # noqa: A002 - click's own word
        super().__init__(name, help=help)
        self._targets = targets

    def get_help(self, ctx: click.Context) -> str:
        from bridgehead.cli.helping import help_page

        return help_page(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._targets)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._targets:
            return None
        module, _, attribute = self._targets[cmd_name].partition(":")
        command = getattr(import_module(f"bridgehead.cli.{module}"), attribute)
        return command if isinstance(command, click.Command) else None


network = LazyGroup("network", NETWORK, "Manage networks")
container = LazyGroup("container", CONTAINER, "Manage containers")
image = LazyGroup("image", IMAGE, "Manage images")
sandbox = LazyGroup("sandbox", SANDBOX, "Manage sandboxes that are no containers")


GROUPS = {"container": CONTAINER, "image": IMAGE, "network": NETWORK, "sandbox": SANDBOX}


def targets() -> Mapping[str, str]:
    """Every verb, by all its words, and where it is."""
    inner = {f"{noun} {verb}": at for noun, verbs in GROUPS.items() for verb, at in verbs.items()}
    return {**{verb: at for verb, at in ROOT.items() if verb not in GROUPS}, **inner}


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
