"""`bridgehead update`: other limits and another restart policy for containers that are there."""

import sys
from typing import TypedDict, Unpack

import click

from bridgehead.cli.client import Body, Client, CommandFailed
from bridgehead.cli.creation import LIMITS
from bridgehead.cli.verb import Verb, each
from bridgehead.cli.wishes import LimitWishes, limits, restart_policy


class UpdateWishes(LimitWishes):
    restart: str


class Updated(TypedDict):
    Warnings: list[str] | None


def _update(client: Client, names: tuple[str, ...], **wishes: Unpack[UpdateWishes]) -> int:
    """Update configuration of one or more containers"""
    body = _body(wishes)
    if not body:
        raise CommandFailed("you must provide one or more flags when using this command")

    def act(name: str) -> str:
        reply: Updated = client.post(f"/containers/{name}/update", body)
        for warning in reply["Warnings"] or []:
            print(f"WARNING: {warning}", file=sys.stderr)
        return name

    return each(names, act)


def _body(wishes: UpdateWishes) -> Body:
    said = {key: value for key, value in limits(wishes).items() if value}
    return said | ({"RestartPolicy": restart_policy(wishes["restart"])} if wishes["restart"] else {})


update = Verb(
    "update",
    callback=click.pass_obj(_update),
    help=_update.__doc__,
    params=[
        *LIMITS,
        click.Option(["--restart"], default="", help="Restart policy to apply when a container exits"),
        click.Argument(["names"], metavar="CONTAINER...", nargs=-1, required=True),
    ],
)
