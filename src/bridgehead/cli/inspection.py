"""`bridgehead inspect`, of anything by its name or id, and `container`, `image` and `volume inspect`."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence

import click

from bridgehead.cli.client import NOT_FOUND, UNAVAILABLE, Client, CommandFailed, Query, Refused, platform
from bridgehead.cli.listing import platform_option, template_option
from bridgehead.cli.verb import Verb

PLACES: Mapping[str, str] = {
    "container": "/containers/{}/json",
    "image": "/images/{}/json",
    "network": "/networks/{}",
    "volume": "/volumes/{}",
    "sandbox": "/sandboxes/{}",
    "service": "/services/{}",
    "task": "/tasks/{}",
    "node": "/nodes/{}",
    "secret": "/secrets/{}",
    "config": "/configs/{}",
    "plugin": "/plugins/{}/json",
}
# Looked through when no type is said: what an engine without a swarm can have.
OWN = ("container", "image", "network", "volume", "sandbox", "plugin")


@click.command(cls=Verb)
@template_option
@click.option("-s", "--size", is_flag=True, help="Display total file sizes if the type is container")
@click.option("--type", "kind", default="", help="Only inspect objects of the given type")
@click.argument("names", metavar="NAME|ID...", nargs=-1, required=True)
@click.pass_obj
def inspect(client: Client, *, names: tuple[str, ...], layout: str | None, size: bool, kind: str) -> int:
    """Return low-level information on containers, images, networks, volumes and sandboxes"""
    if kind and kind not in PLACES:
        known = ", ".join(f'"{word}"' for word in sorted(PLACES))
        raise CommandFailed(f'unknown type: "{kind}": must be one of {known}')
    query: Query = {"size": 1 if size else None}

    def fetch(name: str) -> object:
        if kind:
            return client.get(PLACES[kind].format(name), query)
        for place in OWN:
            try:
                return client.get(PLACES[place].format(name), query if place == "container" else {})
            except Refused as error:
                if error.status not in {NOT_FOUND, UNAVAILABLE}:
                    raise
        raise CommandFailed(f"Error: No such object: {name}")

    return show(names, fetch, layout)


@click.command("inspect", cls=Verb)
@template_option
@click.option("-s", "--size", is_flag=True, help="Display total file sizes")
@click.argument("names", metavar="CONTAINER...", nargs=-1, required=True)
@click.pass_obj
def container(client: Client, *, names: tuple[str, ...], layout: str | None, size: bool) -> int:
    """Display detailed information on one or more containers"""
    query: Query = {"size": 1 if size else None}
    return show(names, lambda name: client.get(f"/containers/{name}/json", query), layout)


@click.command("inspect", cls=Verb)
@template_option
@platform_option
@click.argument("names", metavar="IMAGE...", nargs=-1, required=True)
@click.pass_obj
def image(client: Client, *, names: tuple[str, ...], layout: str | None, wanted_platform: str | None) -> int:
    """Display detailed information on one or more images"""
    query: Query = {"platform": platform(wanted_platform)}
    return show(names, lambda name: client.get(f"/images/{name}/json", query), layout)


@click.command("inspect", cls=Verb)
@template_option
@click.argument("names", metavar="VOLUME...", nargs=-1, required=True)
@click.pass_obj
def volume(client: Client, *, names: tuple[str, ...], layout: str | None) -> int:
    """Display detailed information on one or more volumes"""
    return show(names, lambda name: client.get(f"/volumes/{name}"), layout)


def show(names: Sequence[str], fetch: Callable[[str], object], layout: str | None) -> int:
    """Print what is found of `names` and the error of each that is not; the exit code."""
    found: list[object] = []
    errors: list[str] = []
    for name in names:
        try:
            found.append(fetch(name))
        except CommandFailed as error:
            errors.append(error.message)
    try:
        _print(found, layout)
    except CommandFailed as error:
        print()
        errors.append(error.message)
    sys.stdout.flush()
    for message in errors:
        print(message, file=sys.stderr)
    return 1 if errors else 0


def _print(found: Sequence[object], layout: str | None) -> None:
    if layout == "json":
        print(json.dumps(found, ensure_ascii=False, separators=(",", ":")))
    elif layout:
        from bridgehead.cli.template import render

        for value in found:
            print(render(layout, value))
        if not found:
            print()
    else:
        print(json.dumps(found, ensure_ascii=False, indent=4))
