"""`bridgehead pull`, `push` and `search`: images from and to registries."""

import click

from bridgehead.cli.client import Client, CommandFailed, Query, filters
from bridgehead.cli.credentials import registry_header, registry_of
from bridgehead.cli.format import ellipsis
from bridgehead.cli.images import split_reference
from bridgehead.cli.listing import Listing, no_trunc_option
from bridgehead.cli.progress import follow
from bridgehead.cli.template_functions import Row
from bridgehead.cli.verb import FILTER, Verb

DESCRIPTION_WIDTH = 45
HUB = "docker.io"
SEARCH = Listing(
    {
        "Name": "NAME",
        "Description": "DESCRIPTION",
        "StarCount": "STARS",
        "IsOfficial": "OFFICIAL",
    },
    ("Name", "Description", "StarCount", "IsOfficial"),
)

quiet_option = click.option("-q", "--quiet", is_flag=True, help="Suppress verbose output")
all_option = click.option("-a", "--all-tags", is_flag=True, help="All tags in the repository")
platform_option = click.option("--platform", help="Platform, if the server is multi-platform capable")


@click.command(cls=Verb)
@all_option
@platform_option
@quiet_option
@click.argument("reference", metavar="NAME[:TAG|@DIGEST]")
@click.pass_obj
def pull(client: Client, *, reference: str, all_tags: bool, platform: str | None, quiet: bool) -> None:
    """Download an image from a registry"""
    name, label = _meant(reference, all_tags=all_tags, quiet=quiet)
    fetch(client, name, label, platform=platform, quiet=quiet)
    separator = "@" if ":" in label else ":"
    print(f"{familiar(name)}{separator}{label}" if label else familiar(name))


def fetch(
    client: Client, name: str, label: str, *, platform: str | None, quiet: bool, aside: bool = False
) -> None:
    """Pull and show it; on stderr when `aside`, because stdout is for something else."""
    import sys

    query: Query = {"fromImage": name, "tag": label or None, "platform": platform or None}
    pieces = client.stream("/images/create", query, method="POST", headers=registry_header(name))
    follow(pieces, sys.stderr if aside else None, quiet=quiet)


def named(reference: str) -> tuple[str, str]:
    """The name, and its tag or digest."""
    name, at, digest = reference.partition("@")
    return (name, digest) if at else split_reference(reference)


def _meant(reference: str, *, all_tags: bool, quiet: bool) -> tuple[str, str]:
    """As `named`, with the default tag where none was said; "" for all of them."""
    name, label = named(reference)
    if all_tags and label:
        raise CommandFailed("tag can't be used with --all-tags/-a")
    if not label and not all_tags:
        label = "latest"
        if not quiet:
            print(f"Using default tag: {label}", flush=True)
    return name, label


def familiar(name: str) -> str:
    """The name with its registry, as it is printed at the end."""
    registry = registry_of(name)
    if registry != HUB:
        return name
    bare = name.removeprefix(f"{HUB}/")
    return f"{HUB}/{bare if '/' in bare else f'library/{bare}'}"


@click.command(cls=Verb)
@all_option
@platform_option
@quiet_option
@click.argument("reference", metavar="NAME[:TAG]")
@click.pass_obj
def push(client: Client, *, reference: str, all_tags: bool, platform: str | None, quiet: bool) -> None:
    """Upload an image to a registry"""
    name, label = _meant(reference, all_tags=all_tags, quiet=quiet)
    query: Query = {"tag": label or None, "platform": platform or None}
    pieces = client.stream(
        f"/images/{name}/push", query, method="POST", headers=registry_header(name, always=True)
    )
    follow(pieces, quiet=quiet)
    if quiet:
        print(f"{familiar(name)}:{label}" if label else familiar(name))


@click.command(cls=Verb)
@click.option(
    "-f",
    "--filter",
    "wanted",
    type=FILTER,
    multiple=True,
    metavar="filter",
    help="Filter, e.g. is-official=true",
)
@click.option("--format", "layout", help="Format output using a Go template")
@click.option("--limit", type=int, default=0, help="Max number of search results")
@no_trunc_option
@click.argument("term")
@click.pass_obj
def search(
    client: Client, *, term: str, wanted: tuple[str, ...], layout: str | None, limit: int, no_trunc: bool
) -> None:
    """Search a registry for images"""
    query: Query = {"term": term, "limit": limit or None, "filters": filters(wanted)}
    found: list[dict[str, object]] = client.get("/images/search", query)
    SEARCH.show([_result(entry, no_trunc=no_trunc) for entry in found], layout)


def _result(entry: dict[str, object], *, no_trunc: bool) -> Row:
    about = " ".join(str(entry["description"]).split())
    return Row(
        Name=entry["name"],
        Description=about if no_trunc else ellipsis(about, DESCRIPTION_WIDTH),
        StarCount=str(entry["star_count"]),
        IsOfficial="[OK]" if entry["is_official"] else "",
    )
