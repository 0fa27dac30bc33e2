"""`prune`, of containers, images, networks, volumes, and of everything."""

from collections.abc import Mapping, Sequence

import click

from bridgehead.cli.client import API_VERSION, Client, CommandFailed, Query, filters
from bridgehead.cli.confirming import confirmed, deleted, reclaimed
from bridgehead.cli.verb import FILTER, Verb

Reply = Mapping[str, object] | None

filter_option = click.option(
    "--filter",
    "wanted",
    type=FILTER,
    multiple=True,
    metavar="filter",
    help="Filter, e.g. until=24h or label=KEY",
)
force_option = click.option("-f", "--force", is_flag=True, help="Do not prompt for confirmation")

ANONYMOUS_SINCE = (1, 42)  # the API version in which a plain prune began to spare named volumes
CONTAINERS = "WARNING! This will remove all stopped containers."
DANGLING = "WARNING! This will remove all dangling images."
UNUSED_IMAGES = "WARNING! This will remove all images without at least one container associated to them."
DANGLING_ONLY = "all dangling images"
NETWORKS = "WARNING! This will remove all custom networks not used by at least one container."
ANONYMOUS = "WARNING! This will remove anonymous local volumes not used by at least one container."
VOLUMES = "WARNING! This will remove all local volumes not used by at least one container."


@click.command("prune", cls=Verb)
@filter_option
@force_option
@click.pass_obj
def containers(client: Client, *, wanted: tuple[str, ...], force: bool) -> None:
    """Remove all stopped containers"""
    if force or confirmed(CONTAINERS):
        reclaimed(_containers(client, wanted))


@click.command("prune", cls=Verb)
@click.option(
    "-a", "--all", "everything", is_flag=True, help="Remove all unused images, not just dangling ones"
)
@filter_option
@force_option
@click.pass_obj
def images(client: Client, *, everything: bool, wanted: tuple[str, ...], force: bool) -> None:
    """Remove unused images"""
    if force or confirmed(UNUSED_IMAGES if everything else DANGLING):
        reclaimed(_images(client, wanted, everything=everything))


@click.command("prune", cls=Verb)
@filter_option
@force_option
@click.pass_obj
def networks(client: Client, *, wanted: tuple[str, ...], force: bool) -> None:
    """Remove all unused networks"""
    if force or confirmed(NETWORKS):
        _networks(client, wanted)


@click.command("prune", cls=Verb)
@click.option(
    "-a", "--all", "everything", is_flag=True, help="Remove all unused volumes, not just anonymous ones"
)
@filter_option
@force_option
@click.pass_obj
def volumes(client: Client, *, everything: bool, wanted: tuple[str, ...], force: bool) -> None:
    """Remove unused local volumes"""
    anonymous_only = tuple(map(int, API_VERSION.split("."))) >= ANONYMOUS_SINCE
    if everything and not anonymous_only:
        raise CommandFailed(
            f'"--all" requires API version 1.42, but the Docker daemon API version is {API_VERSION}'
        )
    if force or confirmed(ANONYMOUS if anonymous_only and not everything else VOLUMES):
        reclaimed(_volumes(client, (*wanted, "all=true") if everything else wanted))


@click.command("prune", cls=Verb)
@click.option(
    "-a", "--all", "everything", is_flag=True, help="Remove all unused images not just dangling ones"
)
@filter_option
@force_option
@click.option("--volumes", "also_volumes", is_flag=True, help="Prune anonymous volumes")
@click.pass_obj
def system(
    client: Client, *, everything: bool, wanted: tuple[str, ...], force: bool, also_volumes: bool
) -> None:
    """Remove unused data"""
    if force or confirmed(_warning(wanted, everything=everything, also_volumes=also_volumes)):
        _all(client, wanted, everything=everything, also_volumes=also_volumes)


def _all(client: Client, wanted: Sequence[str], *, everything: bool, also_volumes: bool) -> None:
    replies = [_containers(client, wanted), _networks(client, wanted)]
    if also_volumes:
        replies.append(_volumes(client, wanted))
    reclaimed(*replies, _images(client, wanted, everything=everything))


def _warning(wanted: Sequence[str], *, everything: bool, also_volumes: bool) -> str:
    images = "all images without at least one container associated to them" if everything else DANGLING_ONLY
    what = [
        "all stopped containers",
        "all networks not used by at least one container",
        *(["all anonymous volumes not used by at least one container"] if also_volumes else []),
        images,
    ]
    lines = ["WARNING! This will remove:", *(f"  - {line}" for line in what), ""]
    if wanted:
        lines += ["  Items to be pruned will be filtered with:", *(f"  - {word}" for word in wanted), ""]
    return "\n".join(lines)


def _containers(client: Client, wanted: Sequence[str]) -> Reply:
    return _pruned(client, "/containers/prune", "Deleted Containers:", "ContainersDeleted", wanted)


def _networks(client: Client, wanted: Sequence[str]) -> Reply:
    return _pruned(client, "/networks/prune", "Deleted Networks:", "NetworksDeleted", wanted)


def _volumes(client: Client, wanted: Sequence[str]) -> Reply:
    return _pruned(client, "/volumes/prune", "Deleted Volumes:", "VolumesDeleted", wanted)


def _images(client: Client, wanted: Sequence[str], *, everything: bool) -> Reply:
    words = (*wanted, f"dangling={'false' if everything else 'true'}")
    return _pruned(client, "/images/prune", "Deleted Images:", "ImagesDeleted", words)


def _pruned(client: Client, path: str, title: str, key: str, wanted: Sequence[str]) -> Reply:
    query: Query = {"filters": filters(wanted)}
    reply: Reply = client.post(path, query=query)
    found = (reply or {}).get(key)
    deleted(title, [_said(entry) for entry in found] if isinstance(found, list) else [])
    return reply


def _said(entry: object) -> str:
    """A name; or of an image, what happened to it."""
    if not isinstance(entry, dict):
        return str(entry)
    return "\n".join(f"{verb.lower()}: {what}" for verb, what in entry.items())
