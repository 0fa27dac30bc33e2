"""`bridgehead pull`, and what `run` and `create` do when their image is not here."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

import click

from bridgehead.cli.client import NOT_FOUND, Client, CommandFailed, Refused
from bridgehead.cli.verb import Verb

_POLICIES = ("always", "missing", "never")


@click.command(cls=Verb)
@click.option("-a", "--all-tags", is_flag=True, help="Download all tagged images in the repository")
@click.option("--platform", default="", help="Set platform if server is multi-platform capable")
@click.option("-q", "--quiet", is_flag=True, help="Suppress verbose output")
@click.argument("name", metavar="NAME[:TAG|@DIGEST]")
@click.pass_obj
def pull(client: Client, *, name: str, all_tags: bool, platform: str, quiet: bool) -> None:
    """Download an image from a registry"""
    fetch(client, name, sys.stdout, all_tags=all_tags, platform=platform, quiet=quiet)
    print(name if ":" in name.rpartition("/")[2] or all_tags else f"{name}:latest")


def fetch(
    client: Client,
    name: str,
    out: TextIO,
    *,
    all_tags: bool = False,
    platform: str = "",
    quiet: bool = False,
) -> None:
    """
    Raises:
        CommandFailed: it could not be pulled, as the daemon says at once or later.
    """
    named = ":" in name.rpartition("/")[2]
    query = {
        "fromImage": name,
        "tag": None if all_tags or named else "latest",
        "platform": platform or None,
    }
    for message in _messages(client.upload("/images/create", (), query)):
        if "error" in message:
            raise CommandFailed(message["error"])
        if not quiet and "current" not in message.get("progressDetail", {}):
            identifier = message.get("id", "")
            print(f"{identifier}: {message['status']}" if identifier else message["status"], file=out)


def _messages(pieces: Iterable[bytes]) -> Iterator[Any]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from map(json.loads, filter(None, lines))


class ImageSource:
    """Sees to it that an image is here, as `--pull` says."""

    def __init__(self, client: Client, name: str, policy: str) -> None:
        if policy not in _POLICIES:
            raise CommandFailed(
                f'invalid pull option: "{policy}": must be one of "always", "missing" or "never"'
            )
        self._client = client
        self._name = name
        self._policy = policy

    def prepare(self) -> None:
        if self._policy == "always":
            fetch(self._client, self._name, sys.stderr)

    def supply(self, error: Refused) -> None:
        """Pull what the daemon said is not here; any other `error`, or a policy against it, is raised."""
        missing = error.status == NOT_FOUND and error.sentence.startswith("No such image")
        if not missing or self._policy == "never":
            raise error
        name = error.sentence.partition(": ")[2]
        print(f"Unable to find image '{name}' locally", file=sys.stderr)
        fetch(self._client, self._name, sys.stderr)
