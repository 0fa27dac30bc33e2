"""`bridgehead version`, `info` and `events`: about the daemon itself."""

import json
from collections.abc import Iterator

import click

from bridgehead import __version__
from bridgehead.cli.client import API_VERSION, Client, Query, filters
from bridgehead.cli.listing import template_option
from bridgehead.cli.replies import EventReply
from bridgehead.cli.verb import FILTER, Verb

NANO = 1_000_000_000


@click.command(cls=Verb)
@template_option
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
@template_option
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
    "-f",
    "--filter",
    "wanted",
    type=FILTER,
    multiple=True,
    metavar="KEY=VALUE",
    help="Filter, e.g. type=network",
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
