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
    "prune": "pruning:networks",
    "remove": "networks:rm",
    "rm": "networks:rm",
}
CONTAINER = {
    "attach": "running:attach",
    "commit": "images:commit",
    "cp": "copying:cp",
    "create": "creation:create",
    "diff": "looking:diff",
    "exec": "execution:execute",
    "export": "looking:export",
    "kill": "containers:kill",
    "logs": "containers:logs",
    "pause": "containers:pause",
    "inspect": "inspection:container",
    "list": "container_list:ps",
    "ls": "container_list:ps",
    "port": "containers:port",
    "ps": "container_list:ps",
    "prune": "pruning:containers",
    "rename": "containers:rename",
    "restart": "containers:restart",
    "rm": "containers:rm",
    "run": "running:run",
    "start": "running:start",
    "stats": "statistics:stats",
    "stop": "containers:stop",
    "top": "looking:top",
    "unpause": "containers:unpause",
    "update": "updating:update",
    "wait": "containers:wait",
}
IMAGE = {
    "import": "images:import_",
    "load": "images:load",
    "history": "image_list:history",
    "inspect": "inspection:image",
    "list": "image_list:ls",
    "ls": "image_list:ls",
    "prune": "pruning:images",
    "pull": "registries:pull",
    "push": "registries:push",
    "remove": "images:rm",
    "rm": "images:rm",
    "save": "images:save",
    "tag": "images:tag",
}
VOLUME = {
    "create": "volumes:create",
    "inspect": "inspection:volume",
    "list": "volumes:ls",
    "ls": "volumes:ls",
    "prune": "pruning:volumes",
    "remove": "volumes:rm",
    "rm": "volumes:rm",
}
SYSTEM = {
    "df": "disk_usage:df",
    "events": "system:events",
    "info": "system:info",
    "prune": "pruning:system",
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
    **{name: target for name, target in CONTAINER.items() if name not in {"ls", "list", "inspect", "prune"}},
    "completion": "completion:completion",
    "container": "verbs:container",
    "events": "system:events",
    "image": "verbs:image",
    "history": "image_list:history",
    "images": "image_list:ls",
    "import": "images:import_",
    "info": "system:info",
    "inspect": "inspection:inspect",
    "load": "images:load",
    "man": "manual:man",
    "network": "verbs:network",
    "pull": "registries:pull",
    "push": "registries:push",
    "rmi": "images:rm",
    "sandbox": "verbs:sandbox",
    "save": "images:save",
    "search": "registries:search",
    "system": "verbs:system",
    "tag": "images:tag",
    "version": "system:version",
    "volume": "verbs:volume",
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


system = LazyGroup("system", SYSTEM, "Manage Bridgehead")
volume = LazyGroup("volume", VOLUME, "Manage volumes")
GROUPS = {
    "container": CONTAINER,
    "image": IMAGE,
    "network": NETWORK,
    "sandbox": SANDBOX,
    "system": SYSTEM,
    "volume": VOLUME,
}


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
