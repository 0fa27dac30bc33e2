"""The verbs on containers that need no stream: stop, kill, rm and their like, and logs."""

import sys
from collections.abc import Sequence

import click

from bridgehead.cli.client import NOT_FOUND, Client, CommandFailed, Query, Refused
from bridgehead.cli.format import natural
from bridgehead.cli.replies import ContainerReply, ExitReply
from bridgehead.cli.verb import Verb, each

names_argument = click.argument("names", metavar="CONTAINER...", nargs=-1, required=True)
signal_option = click.option("-s", "--signal", default=None, help="Signal to send to the container")
timeout_option = click.option(
    "-t", "--timeout", "--time", "timeout_s", type=int, default=None, help="Seconds to wait before killing it"
)


def _on_each(client: Client, names: Sequence[str], verb: str, query: Query) -> int:
    def act(name: str) -> str:
        client.post(f"/containers/{name}/{verb}", query=query)
        return name

    return each(names, act)


@click.command(cls=Verb)
@signal_option
@timeout_option
@names_argument
@click.pass_obj
def stop(client: Client, *, names: tuple[str, ...], signal: str | None, timeout_s: int | None) -> int:
    """Stop one or more running containers"""
    return _on_each(client, names, "stop", {"signal": signal, "t": timeout_s})


@click.command(cls=Verb)
@signal_option
@timeout_option
@names_argument
@click.pass_obj
def restart(client: Client, *, names: tuple[str, ...], signal: str | None, timeout_s: int | None) -> int:
    """Restart one or more containers"""
    return _on_each(client, names, "restart", {"signal": signal, "t": timeout_s})


@click.command(cls=Verb)
@signal_option
@names_argument
@click.pass_obj
def kill(client: Client, *, names: tuple[str, ...], signal: str | None) -> int:
    """Kill one or more running containers"""
    return _on_each(client, names, "kill", {"signal": signal})


@click.command(cls=Verb)
@names_argument
@click.pass_obj
def pause(client: Client, *, names: tuple[str, ...]) -> int:
    """Pause all processes within one or more containers"""
    return _on_each(client, names, "pause", {})


@click.command(cls=Verb)
@names_argument
@click.pass_obj
def unpause(client: Client, *, names: tuple[str, ...]) -> int:
    """Unpause all processes within one or more containers"""
    return _on_each(client, names, "unpause", {})


@click.command(cls=Verb)
@click.option("-f", "--force", is_flag=True, help="Force the removal of a running container (uses SIGKILL)")
@click.option("-l", "--link", is_flag=True, help="Remove the specified link")
@click.option("-v", "--volumes", is_flag=True, help="Remove anonymous volumes associated with the container")
@names_argument
@click.pass_obj
def rm(client: Client, *, names: tuple[str, ...], force: bool, link: bool, volumes: bool) -> int:
    """Remove one or more containers"""
    query: Query = {"force": force or None, "link": link or None, "v": volumes or None}

    def act(name: str) -> str | None:
        try:
            client.delete(f"/containers/{name.strip('/')}", query)
        except Refused as error:
            if force and error.status == NOT_FOUND:
                print(error.message, file=sys.stderr)
                return None
            raise
        return name

    return each(names, act)


@click.command(cls=Verb)
@names_argument
@click.pass_obj
def wait(client: Client, *, names: tuple[str, ...]) -> int:
    """Block until one or more containers stop, then print their exit codes"""

    def act(name: str) -> str:
        reply: ExitReply = client.post(f"/containers/{name}/wait")
        return str(reply["StatusCode"])

    return each(names, act)


@click.command(cls=Verb)
@click.argument("name", metavar="CONTAINER")
@click.argument("new_name")
@click.pass_obj
def rename(client: Client, *, name: str, new_name: str) -> None:
    """Rename a container"""
    try:
        client.post(f"/containers/{name}/rename", query={"name": new_name})
    except Refused as error:
        raise CommandFailed(f"{error.message}\nError: failed to rename container named {name}") from error


@click.command(cls=Verb)
@click.option("--details", is_flag=True, help="Show extra details provided to logs")
@click.option("-f", "--follow", is_flag=True, help="Follow log output")
@click.option("--since", help="Show logs since a timestamp or a relative time (42m)")
@click.option("--until", help="Show logs before a timestamp or a relative time (42m)")
@click.option("-n", "--tail", default="all", help="Number of lines to show from the end of the logs")
@click.option("-t", "--timestamps", is_flag=True, help="Show timestamps")
@click.argument("name", metavar="CONTAINER")
@click.pass_obj
def logs(
    client: Client,
    *,
    name: str,
    details: bool,
    follow: bool,
    since: str | None,
    until: str | None,
    tail: str,
    timestamps: bool,
) -> None:
    """Fetch the logs of a container"""
    from bridgehead.cli.moments import moment
    from bridgehead.cli.session import Output

    found: ContainerReply = client.get(f"/containers/{name}/json")
    query: Query = {
        "stdout": 1,
        "stderr": 1,
        "details": True if details else None,
        "follow": follow,
        "timestamps": timestamps,
        "tail": tail,
        "since": moment(since, "since"),
        "until": moment(until, "until"),
    }
    output = Output(tty=found["Config"]["Tty"])
    for piece in client.stream(f"/containers/{found['Id']}/logs", query):
        output.write(piece)


@click.command(cls=Verb)
@click.argument("name", metavar="CONTAINER")
@click.argument("wanted", metavar="[PRIVATE_PORT[/PROTO]]", default="")
@click.pass_obj
def port(client: Client, *, name: str, wanted: str) -> None:
    """List port mappings or a specific mapping for the container"""
    found: ContainerReply = client.get(f"/containers/{name}/json")
    published = {
        inside: bound for inside, bound in (found["NetworkSettings"]["Ports"] or {}).items() if bound
    }
    key = wanted if not wanted or "/" in wanted else f"{wanted}/tcp"
    if key and key not in published:
        raise CommandFailed(f"Error: No public port '{wanted}' published for {name}")
    for inside, bindings in sorted(published.items(), key=lambda item: natural(item[0])):
        for binding in bindings if key in {"", inside} else []:
            address = f"[{binding['HostIp']}]" if ":" in binding["HostIp"] else binding["HostIp"]
            print(f"{'' if key else f'{inside} -> '}{address}:{binding['HostPort']}")
