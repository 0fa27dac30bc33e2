"""`bridgehead inspect`, `version`, `info` and `events`: about everything, or about the daemon itself."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence

import click

from bridgehead import __version__
from bridgehead.cli.client import API_VERSION, NOT_FOUND, Client, CommandFailed, Query, Refused, filters
from bridgehead.cli.replies import EventReply
from bridgehead.cli.verb import Verb

KINDS = {"container": "/containers/{}/json", "image": "/images/{}/json", "network": "/networks/{}"}
NANO = 1_000_000_000


@click.command(cls=Verb)
@click.option("-f", "--format", "layout", help="Format output using a template, or 'json'")
@click.option("-s", "--size", is_flag=True, help="Display total file sizes if the type is container")
@click.option("--type", "kind", type=click.Choice(list(KINDS)), help="Only inspect objects of the given type")
@click.argument("names", metavar="NAME|ID...", nargs=-1, required=True)
@click.pass_obj
def inspect(
    client: Client, *, names: tuple[str, ...], layout: str | None, size: bool, kind: str | None
) -> int:
    """Return low-level information on containers, images and networks"""
    paths = [KINDS[kind]] if kind else list(KINDS.values())

    def fetch(name: str) -> object:
        for path in paths:
            try:
                return client.get(path.format(name), {"size": size or None})
            except Refused as error:
                if error.status != NOT_FOUND:
                    raise
        raise CommandFailed(f"Error: No such {kind or 'object'}: {name}")

    return show(names, fetch, layout)


def show(names: Sequence[str], fetch: Callable[[str], object], layout: str | None) -> int:
    """Print what is found of `names` and the error of each that is not; the exit code."""
    found: list[object] = []
    errors: list[str] = []
    for name in names:
        try:
            found.append(fetch(name))
        except CommandFailed as error:
            errors.append(error.message)
    if layout:
        from bridgehead.cli.template import render

        for value in found:
            print(render(layout, value))
    else:
        print(json.dumps(found, ensure_ascii=False, indent=4))
    sys.stdout.flush()
    for message in errors:
        print(message, file=sys.stderr)
    return 1 if errors else 0


@click.command(cls=Verb)
@click.option("-f", "--format", "layout", help="Format output using a template, or 'json'")
@click.pass_obj
def version(client: Client, *, layout: str | None) -> int:
    """Show the version of the command line and of the daemon"""
    own = {"Version": __version__, "ApiVersion": API_VERSION}
    if layout:
        from bridgehead.cli.template import render

        print(render(layout, {"Client": own, "Server": client.get("/version")}))
        return 0
    print("Client: Bridgehead", *_lines(own, " Version", " API version"), sep="\n", flush=True)
    server: dict[str, object] = client.get("/version")
    shown = {
        "Version": server.get("Version"),
        "ApiVersion": f"{server.get('ApiVersion')} (minimum version {server.get('MinAPIVersion')})",
        "Os": f"{server.get('Os')}/{server.get('Arch')}",
        "Kernel": server.get("KernelVersion"),
    }
    print("\nServer: Bridgehead", *_lines(shown, " Version", " API version", " OS/Arch", " Kernel"), sep="\n")
    return 0


def _lines(values: dict[str, object] | dict[str, str], *labels: str) -> Iterator[str]:
    for label, value in zip(labels, values.values(), strict=True):
        yield f"{label + ':':<19}{value}"


INFO_LINES = {
    "Containers": "Containers",
    " Running": "ContainersRunning",
    " Paused": "ContainersPaused",
    " Stopped": "ContainersStopped",
    "Images": "Images",
    "Server Version": "ServerVersion",
    "Storage Driver": "Driver",
    "Logging Driver": "LoggingDriver",
    "Cgroup Driver": "CgroupDriver",
    "Cgroup Version": "CgroupVersion",
    "Default Runtime": "DefaultRuntime",
    "Kernel Version": "KernelVersion",
    "Operating System": "OperatingSystem",
    "OSType": "OSType",
    "Architecture": "Architecture",
    "CPUs": "NCPU",
    "Name": "Name",
    "ID": "ID",
    "Bridgehead Root Dir": "DockerRootDir",
}


@click.command(cls=Verb)
@click.option("-f", "--format", "layout", help="Format output using a template, or 'json'")
@click.pass_obj
def info(client: Client, *, layout: str | None) -> None:
    """Display system-wide information"""
    found: dict[str, object] = client.get("/info")
    if layout:
        from bridgehead.cli.template import render

        print(render(layout, found))
        return
    print(f"Client:\n Version: {__version__}\n\nServer:")
    for label, key in INFO_LINES.items():
        if found.get(key) not in {None, ""}:
            print(f" {label}: {found[key]}")
    plugins = found.get("Plugins")
    if isinstance(plugins, dict):
        print(f" Plugins:\n  Network: {' '.join(plugins.get('Network') or [])}")


@click.command(cls=Verb)
@click.option(
    "-f", "--filter", "wanted", multiple=True, metavar="KEY=VALUE", help="Filter, e.g. type=network"
)
@click.option("--format", "layout", help="Format output using a template, or 'json'")
@click.option("--since", help="Show all events created since a moment")
@click.option("--until", help="Stream events until this moment")
@click.pass_obj
def events(
    client: Client, *, wanted: tuple[str, ...], layout: str | None, since: str | None, until: str | None
) -> None:
    """Get real time events from the daemon"""
    from bridgehead.cli.moments import moment

    query: Query = {"filters": filters(wanted), "since": moment(since), "until": moment(until)}
    for event in _events(client.stream("/events", query)):
        if layout:
            from bridgehead.cli.template import render

            print(render(layout, event), flush=True)
        else:
            print(_event_line(event), flush=True)


def _events(pieces: Iterator[bytes]) -> Iterator[EventReply]:
    unread = b""
    for piece in pieces:
        *lines, unread = (unread + piece).split(b"\n")
        for line in lines:
            if line.strip():
                event: EventReply = json.loads(line)
                yield event


def _event_line(event: EventReply) -> str:
    from datetime import UTC, datetime

    whole, fraction = divmod(event["timeNano"], NANO)
    local = datetime.fromtimestamp(whole, UTC).astimezone()
    zone = "Z" if not local.utcoffset() else f"{local:%z}"[:3] + ":" + f"{local:%z}"[3:]
    said = ", ".join(f"{key}={value}" for key, value in sorted(event["Actor"]["Attributes"].items()))
    words = [event["Type"], event["Action"], event["Actor"]["ID"], f"({said})" if said else ""]
    return " ".join([f"{local:%Y-%m-%dT%H:%M:%S}.{fraction:09d}{zone}", *filter(None, words)])
