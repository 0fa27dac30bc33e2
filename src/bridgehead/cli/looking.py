"""`bridgehead top`, `diff` and `export`: what goes on and what lies in a container."""

import sys

import click

from bridgehead.cli.client import Client, CommandFailed
from bridgehead.cli.format import tabs
from bridgehead.cli.replies import ChangeReply, TopReply
from bridgehead.cli.saving import write_out
from bridgehead.cli.verb import Verb

KINDS = "CAD"  # changed, added, deleted: the API's numbers


@click.command(cls=Verb, context_settings={"allow_interspersed_args": False})
@click.argument("name", metavar="CONTAINER")
@click.argument("words", metavar="[ps OPTIONS]", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def top(client: Client, *, name: str, words: tuple[str, ...]) -> None:
    """Display the running processes of a container"""
    found: TopReply = client.get(f"/containers/{name}/top", {"ps_args": " ".join(words) or None})
    print(tabs([found["Titles"], *(found["Processes"] or [])], minimum=20))


@click.command(cls=Verb)
@click.argument("name", metavar="CONTAINER")
@click.pass_obj
def diff(client: Client, *, name: str) -> None:
    """Inspect changes to files or directories on a container's filesystem"""
    found: list[ChangeReply] | None = client.get(f"/containers/{name}/changes")
    for change in found or []:
        print(f"{KINDS[change['Kind']]} {change['Path']}")


@click.command(cls=Verb)
@click.option("-o", "--output", default="", help="Write to a file, instead of STDOUT")
@click.argument("name", metavar="CONTAINER")
@click.pass_obj
def export(client: Client, *, name: str, output: str) -> None:
    """Export a container's filesystem as a tar archive"""
    if not output and sys.stdout.isatty():
        raise CommandFailed("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    write_out(client.stream(f"/containers/{name}/export"), output)
