"""What could stand next on a command line: verbs, options, and the names that the daemon knows right now.

The shells' scripts ask with `bridgehead __complete WORD…`, the last word being the one that is not finished,
and get a candidate a line, with what it is about behind a tab. What cannot be found out is left out silently.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import click

from bridgehead.cli.client import DEFAULT_HOST, Client, CommandFailed

Candidate = tuple[str, str]
Source = Callable[[Client], Iterable[Candidate]]

LIVING = {"attach", "exec", "kill", "pause", "stats", "stop", "top", "unpause"}
MAKING = {"networks:create", "volumes:create", "sandboxes:add"}


@dataclass(frozen=True, slots=True)
class _Point:
    """Where on the line we are: in a verb, behind so many arguments, or `waiting` for an option's value."""

    command: click.Command
    ctx: click.Context
    arguments: int
    waiting: click.Option | None


def main(words: Sequence[str]) -> int:
    try:
        found = candidates(words)
    except CommandFailed:
        return 0
    for value, about in found:
        print(f"{value}\t{about}" if about else value)
    return 0


def candidates(words: Sequence[str]) -> list[Candidate]:
    """`words` are those behind the program's name; the last is being typed, and may be empty."""
    from bridgehead.cli.verbs import root

    *before, typed = words or [""]
    point = _walk(root, before)
    if point.waiting is None and typed.startswith("-"):
        found: Iterable[Candidate] = _options(point.command)
    elif point.waiting is None and isinstance(point.command, click.Group):
        found = _verbs(point.command, point.ctx)
    else:
        source = _source(point)
        found = source(Client(_host(before))) if source else ()
    return sorted({candidate for candidate in found if candidate[0].startswith(typed)})


def _walk(root: click.Group, words: Sequence[str]) -> _Point:
    command: click.Command = root
    ctx = click.Context(root, info_name="bridgehead")
    arguments, waiting = 0, None
    for word in words:
        if waiting is not None:
            waiting = None
        elif word.startswith("-") and word != "-":
            option = _named(command, word)
            waiting = option if option and not option.is_flag and "=" not in word else None
        elif isinstance(command, click.Group):
            inner = command.get_command(ctx, word)
            if inner is None:
                raise CommandFailed(f"no such verb: {word}")
            command, ctx = inner, click.Context(inner, parent=ctx, info_name=word)
        else:
            arguments += 1
    return _Point(command, ctx, arguments, waiting)


def _named(command: click.Command, word: str) -> click.Option | None:
    name = word.partition("=")[0]
    options = (param for param in command.params if isinstance(param, click.Option))
    return next((option for option in options if name in {*option.opts, *option.secondary_opts}), None)


def _options(command: click.Command) -> Iterable[Candidate]:
    for param in command.params:
        if isinstance(param, click.Option) and not param.hidden:
            yield from ((name, _brief(param.help)) for name in param.opts if name.startswith("--"))
    yield "--help", "Show what it does"


def _verbs(group: click.Group, ctx: click.Context) -> Iterable[Candidate]:
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command and not command.hidden:
            yield name, _brief(command.help)


def _brief(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


def _host(words: Sequence[str]) -> str:
    said = next((after for word, after in pairwise(words) if word in {"-H", "--host"}), "")
    return said or os.environ.get("DOCKER_HOST") or DEFAULT_HOST


def _source(point: _Point) -> Source | None:
    if point.waiting is not None:
        return next((VALUES[name] for name in point.waiting.opts if name in VALUES), None)
    from bridgehead.cli.verbs import targets

    if targets().get(point.ctx.command_path.partition(" ")[2]) in MAKING:
        return None
    if point.command.name == "cp":
        return _inside_containers
    arguments = [param for param in point.command.params if isinstance(param, click.Argument)]
    if not arguments or (point.arguments >= len(arguments) and arguments[-1].nargs > 0):
        return None
    argument = arguments[min(point.arguments, len(arguments) - 1)]
    noun = argument.make_metavar(point.ctx).strip("[]").removesuffix("...").partition("[")[0]
    if noun == "CONTAINER" and point.command.name in LIVING:
        return _living_containers
    return NOUNS.get(noun)


def _containers(client: Client) -> Iterable[Candidate]:
    return _container_names(client, everything=True)


def _living_containers(client: Client) -> Iterable[Candidate]:
    return _container_names(client, everything=False)


def _container_names(client: Client, *, everything: bool) -> Iterable[Candidate]:
    for found in client.get("/containers/json", {"all": 1 if everything else None}):
        yield from ((name[1:], found["Status"]) for name in found["Names"] if "/" not in name[1:])


def _inside_containers(client: Client) -> Iterable[Candidate]:
    return ((f"{name}:", about) for name, about in _containers(client))


def _networks(client: Client) -> Iterable[Candidate]:
    return ((found["Name"], found["Driver"]) for found in client.get("/networks"))


def _images(client: Client) -> Iterable[Candidate]:
    for found in client.get("/images/json"):
        for tag in found["RepoTags"] or []:
            yield tag, ""
            yield tag.removesuffix(":latest"), ""


def _volumes(client: Client) -> Iterable[Candidate]:
    return ((found["Name"], found["Driver"]) for found in client.get("/volumes")["Volumes"] or [])


def _sandboxes(client: Client) -> Iterable[Candidate]:
    return ((found["Name"], found["Netns"]) for found in client.get("/sandboxes"))


def _anything(client: Client) -> Iterable[Candidate]:
    for source in (_containers, _networks, _images, _volumes, _sandboxes):
        try:
            yield from list(source(client))
        except CommandFailed:  # an older daemon has no sandboxes
            continue


def _either(*words: str) -> Source:
    return lambda _client: [(word, "") for word in words]


NOUNS: Mapping[str, Source] = {
    "CONTAINER": _containers,
    "IMAGE": _images,
    "NAME": _images,
    "NAME|ID": _anything,
    "NETWORK": _networks,
    "REPOSITORY": _images,
    "SANDBOX": _sandboxes,
    "SOURCE_IMAGE": _images,
    "VOLUME": _volumes,
}
VALUES: Mapping[str, Source] = {
    "--driver": _either("bridge", "ipvlan", "macvlan"),
    "--format": _either("json", "table"),
    "--link": _containers,
    "--network": _networks,
    "--pull": _either("always", "missing", "never"),
    "--restart": _either("always", "no", "on-failure", "unless-stopped"),
    "--signal": _either("HUP", "INT", "KILL", "QUIT", "TERM", "USR1", "USR2"),
    "--type": _either("container", "image", "network", "sandbox", "volume"),
    "--volumes-from": _containers,
}
