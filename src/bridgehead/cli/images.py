"""`bridgehead import`, `load`, `commit`, `tag` and `rmi`."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from bridgehead.cli.client import NOT_FOUND, Client, CommandFailed, Query, Refused, reason
from bridgehead.cli.client import platform as platform_json
from bridgehead.cli.connection import PIECE
from bridgehead.cli.listing import platform_option
from bridgehead.cli.progress import follow
from bridgehead.cli.verb import Verb, each


@click.command("import", cls=Verb)
@click.option("-c", "--change", multiple=True, help="Apply Dockerfile instruction to the created image")
@click.option("-m", "--message", help="Set commit message for imported image")
@click.option("--platform", help="Platform of the new image: os[/arch[/variant]]")
@click.argument("source", metavar="FILE|-")
@click.argument("reference", metavar="[REPOSITORY[:TAG]]", default="")
@click.pass_obj
def import_(
    client: Client,
    *,
    source: str,
    reference: str,
    change: tuple[str, ...],
    message: str | None,
    platform: str | None,
) -> None:
    """Import the contents from a tarball to create a filesystem image"""
    repository, label = split_reference(reference)
    query: Query = {
        "fromSrc": "-",
        "repo": repository,
        "tag": label,
        "message": message,
        "changes": change,
        "platform": platform,
    }
    with _opened(source) as archive:
        follow(client.upload("/images/create", _pieces(archive), query))


@click.command(cls=Verb)
@click.option("-i", "--input", "source", default="-", help="Read from tar archive file, instead of stdin")
@platform_option
@click.option("-q", "--quiet", is_flag=True, help="Suppress the load output")
@click.pass_obj
def load(client: Client, *, source: str, wanted_platform: str | None, quiet: bool) -> None:
    """Load an image from a tar archive or stdin"""
    if source == "-" and sys.stdin.isatty():
        raise CommandFailed("requested load from stdin, but stdin is empty")
    with _opened(source) as archive:
        follow(
            client.upload(
                "/images/load", _pieces(archive), {"quiet": quiet, "platform": platform_json(wanted_platform)}
            )
        )


@click.command(cls=Verb)
@click.option("-a", "--author", help="Author, e.g. 'John Doe <doe@example.org>'")
@click.option("-c", "--change", multiple=True, help="Apply Dockerfile instruction to the created image")
@click.option("-m", "--message", help="Commit message")
@click.option("-p/ ", "--pause/--no-pause", default=True, help="Pause container during commit")
@click.argument("container")
@click.argument("reference", metavar="[REPOSITORY[:TAG]]", default="")
@click.pass_obj
def commit(
    client: Client,
    *,
    container: str,
    reference: str,
    author: str | None,
    change: tuple[str, ...],
    message: str | None,
    pause: bool,
) -> None:
    """Create a new image from a container's changes"""
    repository, label = split_reference(reference)
    query: Query = {
        "container": container,
        "repo": repository,
        "tag": label,
        "author": author,
        "comment": message,
        "changes": change,
        "pause": None if pause else "0",
    }
    print(client.post("/commit", query=query)["Id"])


@click.command(cls=Verb)
@click.argument("source", metavar="SOURCE_IMAGE[:TAG]")
@click.argument("target", metavar="TARGET_IMAGE[:TAG]")
@click.pass_obj
def tag(client: Client, *, source: str, target: str) -> None:
    """Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE"""
    repository, label = split_reference(target)
    client.post(f"/images/{source}/tag", query={"repo": repository, "tag": label})


@click.command("rmi", cls=Verb)
@click.option("-f", "--force", is_flag=True, help="Force removal of the image")
@click.option("--no-prune", is_flag=True, help="Do not delete untagged parents")
@click.option("--platform", "platforms", multiple=True, help="Remove only the given platform variant")
@click.argument("names", metavar="IMAGE...", nargs=-1, required=True)
@click.pass_obj
def rm(
    client: Client, *, names: tuple[str, ...], force: bool, no_prune: bool, platforms: tuple[str, ...]
) -> int:
    """Remove one or more images"""
    query: Query = {
        "force": force or None,
        "noprune": no_prune or None,
        "platforms": [platform_json(word) or "" for word in platforms] or None,
    }

    def act(name: str) -> str | None:
        try:
            done: list[dict[str, str]] = client.delete(f"/images/{name}", query)
        except Refused as error:
            if force and error.status == NOT_FOUND:
                print(error.message, file=sys.stderr)
                return None
            raise
        return "\n".join(f"{verb}: {what}" for entry in done for verb, what in entry.items())

    return each(names, act)


def split_reference(reference: str) -> tuple[str, str]:
    """`registry:5000/name:tag` as name and tag; a colon before the last slash belongs to the registry."""
    name, colon, label = reference.rpartition(":")
    return (name, label) if colon and "/" not in label else (reference, "")


@contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(source).open("rb"))
        except OSError as error:
            raise CommandFailed(f"open {source}: {reason(error)}") from error
        yield file


def _pieces(archive: BinaryIO) -> Iterator[bytes]:
    while piece := archive.read(PIECE):
        yield piece


@click.command(cls=Verb)
@click.option("-o", "--output", default="", help="Write to a file, instead of STDOUT")
@platform_option
@click.argument("names", metavar="IMAGE...", nargs=-1, required=True)
@click.pass_obj
def save(client: Client, *, names: tuple[str, ...], output: str, wanted_platform: str | None) -> None:
    """Save one or more images to a tar archive (streamed to STDOUT by default)"""
    from bridgehead.cli.saving import write_out

    if not output and sys.stdout.isatty():
        raise CommandFailed("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    write_out(
        client.stream("/images/get", {"names": names, "platform": platform_json(wanted_platform)}), output
    )
