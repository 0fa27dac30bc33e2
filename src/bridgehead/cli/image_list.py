"""`bridgehead images` and `history`."""

import time
from collections.abc import Iterator

import click

from bridgehead.cli.client import Client, Query, filters, platform
from bridgehead.cli.format import duration, ellipsis, local_time, short, size
from bridgehead.cli.listing import Listing, format_option, no_trunc_option, platform_option
from bridgehead.cli.replies import HistoryEntry, ImageEntry
from bridgehead.cli.template_functions import Row
from bridgehead.cli.verb import FILTER, Verb

NONE = "<none>"
UNKNOWN = "N/A"
CREATED_BY_WIDTH = 45
IMAGES = Listing(
    {
        "Repository": "REPOSITORY",
        "Tag": "TAG",
        "Digest": "DIGEST",
        "ID": "IMAGE ID",
        "CreatedSince": "CREATED",
        "CreatedAt": "CREATED AT",
        "Size": "SIZE",
        "Containers": "CONTAINERS",
        "VirtualSize": "SIZE",
        "SharedSize": "SHARED SIZE",
        "UniqueSize": "UNIQUE SIZE",
    },
    ("Repository", "Tag", "ID", "CreatedSince", "Size"),
)
HISTORY = Listing(
    {
        "ID": "IMAGE",
        "CreatedSince": "CREATED",
        "CreatedAt": "CREATED AT",
        "CreatedBy": "CREATED BY",
        "Size": "SIZE",
        "Comment": "COMMENT",
    },
    ("ID", "CreatedSince", "CreatedBy", "Size", "Comment"),
)


@click.command("images", cls=Verb)
@click.option("-a", "--all", "everything", is_flag=True, help="Show all images")
@click.option("--digests", is_flag=True, help="Show digests")
@click.option(
    "-f",
    "--filter",
    "wanted",
    type=FILTER,
    multiple=True,
    metavar="filter",
    help="Filter, e.g. dangling=true",
)
@format_option
@no_trunc_option
@click.option("-q", "--quiet", is_flag=True, help="Only show image ids")
@click.argument("reference", metavar="[REPOSITORY[:TAG]]", default="")
@click.pass_obj
def ls(
    client: Client,
    *,
    everything: bool,
    digests: bool,
    wanted: tuple[str, ...],
    layout: str | None,
    no_trunc: bool,
    quiet: bool,
    reference: str,
) -> None:
    """List images"""
    words = (*wanted, f"reference={reference}") if reference else wanted
    found: list[ImageEntry] = client.get(
        "/images/json", {"all": True if everything else None, "filters": filters(words)}
    )
    columns = ("Repository", "Tag", "Digest", *IMAGES.columns[2:]) if digests else IMAGES.columns
    rows = [row for image in found for row in _rows(image, no_trunc=no_trunc)]
    IMAGES.with_columns(*columns).show(rows, layout, quiet=quiet)


def _rows(image: ImageEntry, *, no_trunc: bool) -> Iterator[Row]:
    digests = dict(word.split("@", 1) for word in image.get("RepoDigests") or [])
    digests.pop(NONE, None)
    containers, shared = image.get("Containers", -1), image.get("SharedSize", -1)
    tags = [tag for tag in image["RepoTags"] or [] if tag != f"{NONE}:{NONE}"]
    for tag in tags or [f"{name}:{NONE}" for name in digests or [NONE]]:
        repository, _, label = tag.rpartition(":")
        yield Row(
            Repository=repository,
            Tag=label,
            Digest=digests.get(repository, NONE),
            ID=image["Id"] if no_trunc else short(image["Id"]),
            CreatedSince=f"{duration(time.time() - image['Created'])} ago",
            CreatedAt=local_time(image["Created"]),
            Size=size(image["Size"]),
            VirtualSize=size(image["Size"], 4),
            Containers=str(containers) if containers >= 0 else UNKNOWN,
            SharedSize=size(shared) if shared >= 0 else UNKNOWN,
            UniqueSize=size(image["Size"] - shared) if shared >= 0 else UNKNOWN,
        )


@click.command(cls=Verb)
@format_option
@click.option("-H", "--human/--no-human", default=True, help="Print sizes and dates in human readable format")
@no_trunc_option
@platform_option
@click.option("-q", "--quiet", is_flag=True, help="Only show image ids")
@click.argument("image", metavar="IMAGE")
@click.pass_obj
def history(
    client: Client,
    *,
    image: str,
    layout: str | None,
    human: bool,
    no_trunc: bool,
    wanted_platform: str | None,
    quiet: bool,
) -> None:
    """Show the history of an image"""
    query: Query = {"platform": platform(wanted_platform)}
    found: list[HistoryEntry] = client.get(f"/images/{image}/history", query)
    listing = HISTORY if human else HISTORY.with_columns("ID", "CreatedAt", *HISTORY.columns[2:])
    rows = [_step(entry, human=human, no_trunc=no_trunc) for entry in found]
    listing.show(rows, layout, quiet=quiet)


def _step(entry: HistoryEntry, *, human: bool, no_trunc: bool) -> Row:
    command = entry["CreatedBy"].replace("\t", " ")
    zone = time.strftime("%z", time.localtime(entry["Created"]))
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(entry["Created"]))
    return Row(
        ID=entry["Id"] if no_trunc else short(entry["Id"]),
        CreatedSince=f"{duration(time.time() - entry['Created'])} ago",
        CreatedAt=moment + ("Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"),
        CreatedBy=command if no_trunc else ellipsis(command, CREATED_BY_WIDTH),
        Size=size(entry["Size"]) if human else str(entry["Size"]),
        Comment=entry["Comment"],
    )
